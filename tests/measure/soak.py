"""Grades one file many times and compares the reports, times apart.

python -m tests.measure.soak [--times 100] [--file FILE --exercise SLUG]
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from grader.exercise import course_folder, load_exercise
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.load import load
from grader.report.document import word
from grader.settings import Settings

SAMPLE = Path(__file__).parents[1] / "corpus" / "linear_regression" / "s077.ipynb"


def reports(path: Path, slug: str, times: int, kernels: Kernels) -> set[bytes]:
    """The different reports, as JSON without times, that so many gradings of a file give."""
    exercise = load_exercise(course_folder(None), slug)
    seen = set()
    for _ in range(times):
        report = grade(load(path), exercise, Settings(), kernels)
        seen.add(msgspec.json.encode(word(msgspec.structs.replace(report, seconds=0.0), exercise, "en")))
    return seen


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; the exit code says whether there was one report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--file", type=Path, default=SAMPLE)
    parser.add_argument("--exercise", default="linear_regression")
    chosen = parser.parse_args(arguments)
    with Kernels(Settings()) as kernels:
        different = reports(chosen.file, chosen.exercise, chosen.times, kernels)
    sys.stdout.write(f"{chosen.times} grades of {chosen.file.name}: {len(different)} different report(s)\n")
    return 0 if len(different) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
