"""Grades a labelled corpus and prints how many right ones got full marks and how many wrong ones lost points.

    python -m tests.measure.corpus [--folder tests/corpus] [--seeds 0 1 2] [--jobs 2] [--only SLUG] [--keep]

`--keep` puts the table into docs/measurements.md, with the date and the command. The last lines name every file that did not do as its label says; the exit code is 1 if there is any.
"""

import argparse
import itertools
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgspec

from grader.exercise import course_folder, load_exercise
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.load import load
from grader.settings import Settings
from tests.measure import named
from tests.measure.corpus_records import Graded, Label
from tests.measure.kept import keep

CORPUS = Path(__file__).parents[1] / "corpus"


def read_labels(folder: Path) -> list[Label]:
    """The labels of a corpus."""
    return msgspec.json.decode((folder / "labels.json").read_bytes(), type=list[Label])


def grade_all(folder: Path, labels: Sequence[Label], seeds: Sequence[int], jobs: int) -> Iterator[Graded]:
    """Grade every file under every seed, several at a time."""
    work = [(folder, label, seed) for label, seed in itertools.product(labels, seeds)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_grade_share, *zip(*work, strict=True), chunksize=1)


_kernels: Kernels | None = None


def _grade_share(folder: Path, label: Label, seed: int) -> Graded:
    global _kernels  # noqa: PLW0603 - one warm parent per worker process, for the process's whole life
    settings = Settings(seed=seed)
    if _kernels is None:
        _kernels = Kernels(settings).__enter__()
    exercise = load_exercise(course_folder(None), label.exercise)
    return Graded(label, seed, grade(load(folder / label.file), exercise, settings, _kernels))


def table(graded: Sequence[Graded]) -> str:
    """The table exercise × right/wrong: gradings, full marks, points lost."""
    lines = [
        "| exercise | label | gradings | full marks | points lost | needs review |",
        "|---|---|---|---|---|---|",
    ]
    groups = sorted(
        {(g.label.exercise, not g.label.right, g.label.ends_right and not g.label.right) for g in graded}
    )
    for exercise, wrong, ends_right in groups:
        rows = [
            g for g in graded
            if (g.label.exercise, not g.label.right, g.label.ends_right and not g.label.right)
            == (exercise, wrong, ends_right)
        ]  # fmt: skip
        label = "right" if not wrong else "wrong, ends right" if ends_right else "wrong"
        full = sum(g.full for g in rows)
        review = sum(bool(g.report.needs_review) for g in rows)
        lines.append(f"| {exercise} | {label} | {len(rows)} | {full} | {len(rows) - full} | {review} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=CORPUS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only")
    parser.add_argument("--files", nargs="+")
    parser.add_argument(
        "--mistakes", nargs="+", help="wrong files with one of these as their first mistake, no right ones"
    )
    parser.add_argument("--keep", action="store_true")
    chosen = parser.parse_args(arguments)
    labels = [label for label in read_labels(chosen.folder) if chosen.only in (None, label.exercise)]
    if chosen.files:
        labels = [label for label in labels if any(name in label.file for name in chosen.files)]
    if chosen.mistakes:
        labels = [label for label in labels if not label.right and label.mistakes[0] in chosen.mistakes]
    graded = []
    for one in grade_all(chosen.folder, labels, chosen.seeds, chosen.jobs):
        graded.append(one)
        mark = "." if one.as_labelled else f"\n{one.label.file} seed {one.seed} is not as labelled\n"
        sys.stderr.write(mark)
        sys.stderr.flush()
    sys.stderr.write("\n")
    out = sys.stdout
    out.write(table(graded) + "\n\n" + named.table(graded) + "\n\n")
    for g in graded:
        if named.false_names(g) or not (g.label.right or (named.is_named_first(g) and named.is_confirmed(g))):
            found = ", ".join(f"{f.mistake} ({f.confidence}, line {f.line})" for f in g.report.findings)
            out.write(
                f"{g.label.file} {g.report.score}: found {found or 'nothing'}; is {', '.join(g.label.mistakes)}\n"
            )
    if chosen.keep:
        keep("corpus", "make corpus", table(graded))
        keep("named", "make corpus", named.table(graded))
    strayed = [g for g in graded if not g.as_labelled]
    kept = [g for g in graded if not g.label.right and g.label.ends_right and g.full]
    for title, rows in (("Not as labelled", strayed), ("Wrong, ends right, full marks kept", kept)):
        out.write(f"\n{title}: {len(rows)}\n")
        for g in rows:
            failed = ", ".join(
                f"{check.id} {'' if check.reason is None else (check.reason.id, check.reason.params)}"
                for check in g.report.checks
                if check.score < check.max_score
            )
            why = failed or "; ".join(f"{reason.id} {reason.params}" for reason in g.report.needs_review)
            out.write(
                f"  {g.label.file} seed {g.seed}: {g.report.score} of {g.report.max_score}; {g.label.note}; {why}\n"
            )
    return 1 if strayed else 0


if __name__ == "__main__":
    sys.exit(main())
