"""How alike the right files of the corpus are, which nobody copied from another: what the threshold of `grader.similarity` rests on.

python -m tests.measure.similar
"""

import json
import sys
from itertools import combinations

from grader import similarity
from grader.exercise import course_folder, load_exercise
from grader.load import load
from grader.model import Submission
from grader.similarity import Solution, runs
from grader.starter import given_code
from tests.conftest import CORPUS


def solution(name: str, submission: Submission) -> Solution:
    """A submission as it is compared."""
    return Solution(name, tuple(cell.source for cell in submission.cells), submission.sha256)


def right_solutions() -> dict[str, list[Solution]]:
    """The right files of the corpus, by exercise."""
    found: dict[str, list[Solution]] = {}
    for label in json.loads((CORPUS / "labels.json").read_text("utf-8")):
        if label["right"]:
            found.setdefault(label["exercise"], []).append(
                solution(label["file"], load(CORPUS / label["file"]))
            )
    return found


def starter_cells(slug: str) -> tuple[str, ...]:
    """The code of a starter."""
    return tuple(given_code(load_exercise(course_folder(None), slug)))


def main() -> int:
    """Print, of each exercise, the pairs that are most alike."""
    for slug, solutions in right_solutions().items():
        print(f"{slug}: {len(solutions)} files, {len(list(combinations(solutions, 2)))} pairs")
        own = runs(starter_cells(slug))
        print("   runs beyond the starter:", sorted(len(runs(one.cells) - own) for one in solutions))
        for pair in similarity.alike_pairs(solutions, starter_cells(slug), alike=0.0)[:4]:
            print(f"   {pair.alike:.2f} {pair.one} {pair.other}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
