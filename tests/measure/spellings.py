"""Grades every spelling of `tests.spellings`: how many were named first and proven, and how many right ones accused.

    python -m tests.measure.spellings [--jobs 2] [--files PART_OF_A_NAME …]

The last lines name every one that is not told as it should be; the exit code is 1 if there is any.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.measure import named
from tests.measure.corpus import grade_all
from tests.spellings import all_spellings, is_told


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--files", nargs="+", default=[""])
    chosen = parser.parse_args(arguments)
    wanted = [one for one in all_spellings() if any(part in one.name for part in chosen.files)]
    with tempfile.TemporaryDirectory() as folder:
        labels = [one.write(Path(folder)) for one in wanted]
        graded = list(grade_all(Path(folder), labels, [0], chosen.jobs))
    sys.stdout.write(named.table(graded) + "\n")
    missed = [one for one in graded if not is_told(one)]
    for one in missed:
        found = [(finding.mistake, finding.confidence, finding.line) for finding in one.report.findings]
        sys.stdout.write(f"{one.label.file}: {one.report.score}, found {found}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
