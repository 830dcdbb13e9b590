"""What a class costs beside other graders, beside its own code, and beside a small class.

    python -m tests.measure.bench_batch [--times 3] [--keep] [--size 60] [--students 10000] …

Each figure and its baseline are measured in turn in one run, so that a machine whose speed drifts slows both alike; medians count.
The exit code says whether every target was met; `--keep` puts the table into docs/measurements.md. The other graders are installed into
an environment of their own, below `.bench/`, the first time.
"""

import argparse
import os
import statistics
import sys
from collections.abc import Sequence

from tests.measure import bench_batch_command as command
from tests.measure import bench_batch_peers as peers
from tests.measure import bench_batch_scale as scale
from tests.measure.bench import Figure, table
from tests.measure.kept import keep

TIMES_NBGRADER, TIMES_OTTER = 10, 15
OWN_COST, LIKE_A_SMALL_CLASS, GROWTH_MB, OF_TWO = 0.22, 1.1, 50, 1.8


class Measured:
    """One figure or another, over and over; the median counts."""

    def __init__(self) -> None:
        self._seen: dict[str, list[float]] = {}

    def add(self, name: str, figure: float) -> None:
        """Note a figure."""
        self._seen.setdefault(name, []).append(figure)

    def __getitem__(self, name: str) -> float:
        return statistics.median(self._seen[name])


def in_turn(chosen: argparse.Namespace) -> Measured:
    """Classes of two sizes, the other graders and the submission's own code, one after the other, as often as is asked for."""
    seen = Measured()
    peers.install()
    for _ in range(chosen.times):
        small, large = command.graded(chosen.small), command.graded(chosen.size)
        seen.add("minute", 60 * chosen.size / large.wall)
        seen.add("cost", (large.cpu - small.cpu) / (chosen.size - chosen.small))
        seen.add("own", command.own_cpu())
        for peer in peers.PEERS_MEASURED:
            for together in (1, 2):
                seen.add(f"{peer.name} {together}", peer.minute(getattr(chosen, peer.name), together))
    return seen


def beside_others(seen: Measured, chosen: argparse.Namespace) -> list[Figure]:
    """Submissions a minute, grader's and others'."""
    two = "two processes of it at a time"
    rows = [
        ("`nbgrader autograde`", "nbgrader 1", chosen.nbgrader, TIMES_NBGRADER),
        (f"it, {two},", "nbgrader 2", chosen.nbgrader, None),
        ("`otter run`", "otter 1", chosen.otter, TIMES_OTTER),
        (f"it, {two},", "otter 2", chosen.otter, None),
        ("nbclient alone, which grades nothing,", "nbclient 1", chosen.nbclient, None),
        (f"it, {two},", "nbclient 2", chosen.nbclient, None),
    ]
    figures = []
    for what, name, count, times in rows:
        relation = seen["minute"] / seen[name]
        figures.append(
            Figure(
                f"`grader batch` of {chosen.size}, beside {what} of {count}",
                f"{seen['minute']:.0f} a minute",
                f"{seen[name]:.1f} a minute",
                f"{relation:.1f} ×",
                "" if times is None else f"{times} ×",
                times is None or relation >= times,
            )
        )
    return figures


def own_cost(seen: Measured, chosen: argparse.Namespace) -> Figure:
    """CPU time per submission, without the submission's own."""
    both = 2 * seen["own"]
    over = seen["cost"] - both
    return Figure(
        f"CPU time of one right submission more (between classes of {chosen.small} and {chosen.size}), over its own cells', run twice",
        f"{seen['cost']:.3f} s",
        f"{both:.3f} s",
        f"{over:+.3f} s",
        f"+{OWN_COST:.3f} s",
        over <= OWN_COST,
    )


def _beside_others_and_own(chosen: argparse.Namespace) -> list[Figure]:
    seen = in_turn(chosen)
    return [*beside_others(seen, chosen), own_cost(seen, chosen)]


def large_class(chosen: argparse.Namespace) -> list[Figure]:
    """A large class beside a small one, where the grading itself takes 10 ms."""
    few, many = scale.few_and_many(chosen.few, chosen.students, chosen.times)
    small = f"{chosen.few} submissions"
    rows = [
        ("in all", few.each(few.seconds), many.each(many.seconds)),
        ("grading and keeping", few.each(few.grading), many.each(many.grading)),
        ("writing pages and tables", few.each(few.writing), many.each(many.writing)),
    ]
    figures = []
    for number, (what, less, more) in enumerate(rows):
        figures.append(
            Figure(
                f"each of {chosen.students} submissions whose grading takes 10 ms, {what}, beside each of {small}",
                f"{more * 1000:.1f} ms",
                f"{less * 1000:.1f} ms",
                f"{more / less:.2f} ×",
                "" if number else f"{LIKE_A_SMALL_CLASS:.2f} ×",
                bool(number) or more <= LIKE_A_SMALL_CLASS * less,
            )
        )
    for what, less, more in (
        ("while it grades", few.grading_kb, many.grading_kb),
        ("while it writes", few.peak_kb, many.peak_kb),
    ):
        over = (more - less) / 1000
        figures.append(
            Figure(
                f"memory of the coordinator {what} (PSS), beside {small}",
                f"{more / 1000:.0f} MB",
                f"{less / 1000:.0f} MB",
                f"{over:+.0f} MB",
                f"+{GROWTH_MB} MB",
                over <= GROWTH_MB,
            )
        )
    return figures


def two_workers(chosen: argparse.Namespace) -> list[Figure]:
    """Two workers of a cluster beside one."""
    one, two = scale.on_a_cluster(chosen.cluster, chosen.times)
    return [
        Figure(
            f"two Dask workers beside one, {chosen.cluster} submissions that wait 200 ms",
            f"{60 / two:.0f} a minute",
            f"{60 / one:.0f} a minute",
            f"{one / two:.2f} ×",
            f"{OF_TWO:.2f} ×",
            one / two >= OF_TWO,
        )
    ]


def options() -> argparse.ArgumentParser:
    """The sizes of everything."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--size", type=int, default=60, help="submissions for `grader batch`")
    parser.add_argument("--small", type=int, default=20, help="of the class that its start is taken off by")
    parser.add_argument("--nbgrader", type=int, default=8, help="submissions for nbgrader")
    parser.add_argument("--otter", type=int, default=6, help="submissions for otter")
    parser.add_argument("--nbclient", type=int, default=8, help="notebooks for nbclient")
    parser.add_argument("--students", type=int, default=10_000, help="of the large class")
    parser.add_argument("--few", type=int, default=100, help="of the small class beside it")
    parser.add_argument("--cluster", type=int, default=40, help="submissions for the cluster")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    chosen = options().parse_args(arguments)
    figures: list[Figure] = []
    for part in (_beside_others_and_own, large_class, two_workers):
        measured = part(chosen)
        sys.stdout.write(f"{table(measured)}\n\n")  # what is known, should a later part be broken off
        sys.stdout.flush()
        figures += measured
    load_average = os.getloadavg()[0]
    text = (
        f"Medians of {chosen.times}, {os.cpu_count()} cores, load {load_average:.1f}.\n\n{table(figures)}\n"
    )
    sys.stdout.write(text)
    if chosen.keep:
        keep("bench of batches", "make bench", text.rstrip("\n"))
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
