"""What learners and teachers wait for while a whole class hands in at the service within a minute, and what a crash then loses.

    python -m tests.measure.bench_service [--keep] [--learners 500] [--crashed 120]

The exit code says whether every target was met; `--keep` puts the table into docs/measurements.md.
"""

import argparse
import contextlib
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import func, select

from grader.web.store.tables import Attempt
from tests.measure.bench import Figure, table
from tests.measure.kept import keep
from tests.measure.service_load import Load, handed_in, learners, teacher
from tests.web_running import Place, Running, running, until

ACKNOWLEDGED_MS, PAGE_MS = 300, 50
MINUTE = 60.0
A_SECOND = 500 / MINUTE
# How long all may take to be graded.
HOUR = 3_600.0


def whole_class(count: int, folder: Path) -> list[Figure]:
    """A class that hands in within a minute, while it is graded; then all are waited for."""
    place = Place(folder)
    classmates, token = learners(place, count), teacher(place)
    with running(place) as service:
        service.ready()
        load = handed_in(lambda: service.url, classmates, token, seconds=MINUTE)
        graded_meanwhile = _states(place).get("graded", 0)
        began = time.perf_counter()
        until(lambda: _states(place) == {"graded": count}, HOUR)
        later = time.perf_counter() - began
        assert service.end(signal.SIGTERM) == 0
    return [*_acknowledged(load, count), *_pages(load), _none_lost(count, graded_meanwhile, later)]


def crash(count: int, folder: Path) -> Figure:
    """A class that hands in at the same pace, and a service that is killed in the midst of it and begun again."""
    place = Place(folder)
    classmates, token = learners(place, count), teacher(place)
    services: list[Running] = []
    with contextlib.ExitStack() as stack:

        def begin() -> None:
            services.append(stack.enter_context(running(place)))

        def end_and_begin() -> None:
            services[-1].end(signal.SIGKILL)
            begin()

        begin()
        services[-1].ready()
        load = handed_in(
            lambda: services[-1].url, classmates, token, seconds=count / A_SECOND, meanwhile=end_and_begin
        )
        until(lambda: _states(place).get("waiting", 0) == 0, HOUR)
    states = _states(place)
    return Figure(
        f"`kill -9` of the service while {count} hand in at the same pace",
        f"{states.get('graded', 0)} graded, {load.tried_again} sent again",
        f"{count} handed in",
        f"{count - states.get('graded', 0)} lost",
        "0 lost",
        states == {"graded": count},
    )


def _states(place: Place) -> dict[str, int]:
    with place.store() as store:
        rows = store.read(
            lambda session: session.execute(select(Attempt.state, func.count()).group_by(Attempt.state)).all()
        )
    return dict(rows)


def _acknowledged(load: Load, count: int) -> list[Figure]:
    within = statistics.quantiles(load.acknowledged, n=20)[-1] * 1000
    median = statistics.median(load.acknowledged) * 1000
    return [
        Figure(
            f"{count} uploads in a minute, time until *Received*, 95th percentile (median)",
            f"{within:.0f} ms ({median:.0f} ms)",
            "",
            "",
            f"{ACKNOWLEDGED_MS} ms",
            within <= ACKNOWLEDGED_MS and load.tried_again == 0,
        )
    ]


def _pages(load: Load) -> list[Figure]:
    figures = []
    for what, seen in load.pages.items():
        median, within = statistics.median(seen) * 1000, statistics.quantiles(seen, n=20)[-1] * 1000
        figures.append(
            Figure(
                f"meanwhile, the page *{what}*, median (95th percentile) of {len(seen)}",
                f"{median:.0f} ms ({within:.0f} ms)",
                "",
                "",
                f"{PAGE_MS} ms",
                median <= PAGE_MS,
            )
        )
    return figures


def _none_lost(count: int, meanwhile: int, later: float) -> Figure:
    return Figure(
        f"of them graded within that minute; seconds until all {count} were",
        f"{meanwhile}; {later:.0f} s later",
        "",
        "",
        "",
        True,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--learners", type=int, default=500)
    parser.add_argument("--crashed", type=int, default=120)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as made:
        figures = whole_class(chosen.learners, _folder(made, "class"))
        figures.append(crash(chosen.crashed, _folder(made, "crash")))
    text = f"Once, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, SQLite.\n\n{table(figures)}\n"
    sys.stdout.write(text)
    if chosen.keep:
        keep("bench of the service", "make load", text.rstrip("\n"))
    return 0 if all(figure.met for figure in figures) else 1


def _folder(made: str, name: str) -> Path:
    folder = Path(made) / name
    folder.mkdir()
    return folder


if __name__ == "__main__":
    sys.exit(main())
