"""Runs much in one process: many grades of a file give one report, and many kernels leave nothing behind.

    python -m tests.measure.soak [--grades 100] [--kernels 500] [--file FILE --exercise SLUG] [--keep]

The exit code says whether it is so; `--keep` puts the figures into docs/measurements.md.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from grader.exercise import course_folder, load_exercise
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.load import load
from grader.report.document import word
from grader.settings import Settings
from tests.leaks import Counted, Runs
from tests.measure.kept import keep

SAMPLE = Path(__file__).parents[1] / "corpus" / "linear_regression" / "s077.ipynb"
WARM_UP = 20
# Until the warm parent has imported what it imports when it has nothing else to do.
SETTLE_SECONDS = 20.0
# What allocators keep back over all runs together.
SLACK_KB = 4_000


def reports(path: Path, slug: str, times: int, kernels: Kernels) -> set[bytes]:
    """The different reports, as JSON without times, that so many gradings of a file give."""
    exercise = load_exercise(course_folder(None), slug)
    seen = set()
    for _ in range(times):
        report = grade(load(path), exercise, Settings(), kernels)
        seen.add(msgspec.json.encode(word(msgspec.structs.replace(report, seconds=0.0), exercise, "en")))
    return seen


def pile_up(kernels: Kernels, times: int) -> tuple[Counted, Counted]:
    """What there is before and after so many kernels."""
    runs = Runs(kernels)
    runs.run(WARM_UP)
    time.sleep(SETTLE_SECONDS)
    runs.run(1)
    before = runs.count()
    runs.run(times)
    return before, runs.count()


def table(before: Counted, after: Counted) -> str:
    """Before and after, one thing a line."""
    lines = ["| | before | after |", "|---|---|---|"]
    lines += [f"| {name} | {count} | {after.things[name]} |" for name, count in before.things.items()]
    lines += [
        f"| memory of the {name} | {size / 1024:.1f} MiB | {after.memory[name] / 1024:.1f} MiB |"
        for name, size in before.memory.items()
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grades", type=int, default=100)
    parser.add_argument("--kernels", type=int, default=500)
    parser.add_argument("--file", type=Path, default=SAMPLE)
    parser.add_argument("--exercise", default="linear_regression")
    parser.add_argument("--keep", action="store_true")
    chosen = parser.parse_args(arguments)
    out = sys.stdout
    with Kernels(Settings()) as kernels:
        before, after = pile_up(kernels, chosen.kernels)
        different = reports(chosen.file, chosen.exercise, chosen.grades, kernels)
    text = f"{chosen.kernels} kernels, one after the other:\n\n{table(before, after)}\n"
    text += f"\n{chosen.grades} grades of {chosen.file.name}: {len(different)} different report(s)."
    out.write(text + "\n")
    if chosen.keep:
        keep("soak", "make soak", text)
    grown = [name for name, size in before.memory.items() if after.memory[name] - size > SLACK_KB]
    return 0 if len(different) == 1 and before.things == after.things and not grown else 1


if __name__ == "__main__":
    sys.exit(main())
