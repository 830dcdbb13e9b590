"""What a grading costs beside what cannot be saved: whole commands, kernels, the sandbox, memory.

    python -m tests.measure.bench [--times 7] [--keep]

Each figure and its baseline are measured in turn in one run, so that a machine whose speed drifts slows both alike;
medians count. The exit code says whether every target was met; `--keep` puts the table into docs/measurements.md.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from grader.kernel.pool import Kernels
from grader.load import load
from grader.settings import Settings
from tests.measure import bench_kernels as kernel
from tests.measure import bench_pages as pages
from tests.measure.bench_layers import layers
from tests.measure.kept import keep

SAMPLE = Path(__file__).parents[1] / "corpus" / "linear_regression" / "s077.ipynb"
# Until warm parents have imported what they import when they have nothing else to do.
SETTLE_SECONDS = 15.0


class Figure(NamedTuple):
    """Something measured; `relation` is what the target is about."""

    what: str
    figure: str
    baseline: str
    relation: str
    target: str
    met: bool


def in_turn(times: int, *measures: Callable[[], float]) -> Iterator[float]:
    """The median of each; each is done once before it counts."""
    for measure in measures:
        measure()
    rounds = [[measure() for measure in measures] for _ in range(times)]
    return map(statistics.median, zip(*rounds, strict=True))


def command_seconds(command: Sequence[str]) -> float:
    """Wall-clock seconds of a command, which must not fail."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def cold_check(times: int) -> Figure:
    """A cold `grader check` beside the same code as a plain script: two whole processes."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "plain.py"
        script.write_text("\n".join(cell.source for cell in load(SAMPLE).cells), "utf-8")
        graded = [sys.executable, "-m", "grader", "check", str(SAMPLE), "--exercise", "linear_regression"]
        plain, check = in_turn(
            times, lambda: command_seconds([sys.executable, str(script)]), lambda: command_seconds(graded)
        )
    over = check - plain
    return Figure("cold `grader check`, over the plain script", f"{check:.2f} s", f"{plain:.2f} s",
                  f"{over:+.2f} s", "+1.00 s", over <= 1)  # fmt: skip


def ready(times: int, kernels: Kernels) -> Figure:
    """How soon `import torch` is done in a new kernel, beside Jupyter's own."""
    stock, ours = in_turn(times, kernel.stock_start_and_import, lambda: kernel.start_and_import(kernels))
    return Figure("kernel ready and `import torch` done, beside a stock kernel", f"{ours * 1000:.0f} ms",
                  f"{stock * 1000:.0f} ms", f"1/{stock / ours:.1f}", "1/12", ours <= stock / 12)  # fmt: skip


def sample(times: int, kernels: Kernels) -> Figure:
    """A whole run of the sample, beside what its own code takes."""
    loaded = load(SAMPLE)
    code, whole = in_turn(
        times,
        lambda: kernel.own_code([cell.source for cell in loaded.cells]),
        lambda: kernel.whole_run(kernels, loaded),
    )
    beyond = whole - 1.6 * code
    return Figure("start, the sample's nine cells, stop; beside the cells' own code", f"{whole * 1000:.0f} ms",
                  f"{code * 1000:.0f} ms", f"1.6 × {beyond * 1000:+.0f} ms", "1.6 × +150 ms", beyond <= 0.15)  # fmt: skip


def probe(times: int, kernels: Kernels) -> Figure:
    """The cells of the sample, a loop of 3 000 steps, watched by the probe and not."""
    loaded = load(SAMPLE)
    bare, watched = in_turn(
        times * 2,
        lambda: kernel.cells(kernels, loaded, record=False),
        lambda: kernel.cells(kernels, loaded, record=True),
    )
    return Figure("the sample's cells, watched by the probe and not", f"{watched * 1000:.0f} ms", f"{bare * 1000:.0f} ms",
                  f"{watched / bare:.2f} ×", "1.10 ×", watched <= 1.1 * bare)  # fmt: skip


def confinement(times: int, kernels: Kernels) -> Figure:
    """A kernel's start, confined and not."""
    with Kernels(Settings(sandbox="none")) as unconfined:
        time.sleep(SETTLE_SECONDS)
        bare, confined = in_turn(times * 3, lambda: kernel.start(unconfined), lambda: kernel.start(kernels))
    over = (confined - bare) * 1000
    return Figure("confinement: a kernel's start in `namespaces` and in `none`", f"{confined * 1000:.0f} ms",
                  f"{bare * 1000:.0f} ms", f"{over:+.1f} ms", "+10 ms", over <= 10)  # fmt: skip


def memory(kernels: Kernels) -> Figure:
    """What one more kernel takes."""
    size = kernel.memory_of_a_further_kernel(kernels, load(SAMPLE))
    return Figure("memory of a further kernel that has run the sample (PSS)", f"{size:.0f} MiB", "", "", "76 MiB",
                  size * 2**20 <= 80e6)  # fmt: skip


def gone(times: int) -> Figure:
    """How soon nothing is left."""
    (seconds,) = in_turn(times, lambda: kernel.until_gone("namespaces"))
    return Figure("nothing left after kill -9 of the supervisor", f"{seconds * 1000:.0f} ms", "", "", "2 s",
                  seconds <= 2)  # fmt: skip


def page(times: int) -> list[Figure]:
    """The page of the sample's report, beside a grading that makes none: how long it takes, and how long it is."""
    with tempfile.TemporaryDirectory() as folder:
        file = ("--format", "html", "--output", str(Path(folder) / "page.html"))
        plain, drawn = in_turn(
            times, lambda: pages.check_seconds(SAMPLE), lambda: pages.check_seconds(SAMPLE, *file)
        )
    over, size = drawn - plain, pages.page_bytes(SAMPLE) / 1000
    return [
        Figure(
            "the HTML report of the sample, beside the report on the screen",
            f"{drawn:.2f} s",
            f"{plain:.2f} s",
            f"{over:+.2f} s",
            "+0.50 s",
            over <= 0.5,
        ),
        Figure("its length", f"{size:.0f} kB", "", "", "400 kB", size <= 400),
    ]


def watching(times: int) -> Figure:
    """From a save to its report under `--watch`, beside the submission's own code."""
    cells = [cell.source for cell in load(SAMPLE).cells]
    with pages.watched(SAMPLE) as file:
        code, regraded = in_turn(times, lambda: kernel.own_code(cells), file.save)
    over = regraded - code
    return Figure("from a save to its report under `--watch`, over the cells' own code", f"{regraded:.2f} s",
                  f"{code:.2f} s", f"{over:+.2f} s", "+1.00 s", over <= 1)  # fmt: skip


def layer_table(times: int) -> str:
    """Medians by layer."""
    seen = [layers() for _ in range(times * 3)]
    medians = {name: statistics.median(one[name] for one in seen) for name in seen[0]}
    lines = ["| layer | ms |", "|---|---|", *(f"| {name} | {ms:.2f} |" for name, ms in medians.items())]
    return "\n".join([*lines, f"| all | {sum(medians.values()):.2f} |"])


def table(figures: Sequence[Figure]) -> str:
    """One figure a line."""
    lines = ["| what | measured | baseline | relation | target | met |", "|---|---|---|---|---|---|"]
    lines += [f"| {' | '.join(map(str, figure[:-1]))} | {_met(figure)} |" for figure in figures]
    return "\n".join(lines)


def _met(figure: Figure) -> str:
    """Nothing where there is no target."""
    return "" if not figure.target else "yes" if figure.met else "no"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--keep", action="store_true")
    chosen = parser.parse_args(arguments)
    times = chosen.times
    with Kernels(Settings(sandbox="namespaces")) as kernels:
        kernel.start(kernels)
        figures = [
            confinement(times, kernels),
            ready(times, kernels),
            sample(times, kernels),
            probe(times, kernels),
            memory(kernels),
        ]
    figures += [gone(times), cold_check(times), *page(times), watching(times)]
    load_average = os.getloadavg()[0]
    text = f"Medians of {times}, {os.cpu_count()} cores, load {load_average:.1f}.\n\n{table(figures)}\n"
    if os.geteuid() == 0:
        text += f"\nLayer by layer:\n\n{layer_table(times)}\n"
    sys.stdout.write(text)
    if chosen.keep:
        keep("bench", "make bench", text.rstrip("\n"))
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
