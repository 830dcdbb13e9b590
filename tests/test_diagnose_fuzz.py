"""Mutated submissions with the traces of the real ones: no detector fails, and what a repair leaves is Python."""

import ast
import random
from collections.abc import Iterator
from functools import cache

import msgspec
import pytest

from grader.diagnose import Detectors
from grader.evidence.case import Case
from grader.evidence.edits import apply
from grader.exercise import course_folder, load_exercise
from grader.kernel.pool import Kernels
from grader.load import load
from grader.model import Cell, CheckResult, Limits, Run, Submission
from tests.measure.corpus import CORPUS, read_labels
from tests.measure.corpus_records import Label

SHARE = 12
MUTANTS = 25
FAILED = CheckResult(id="any", titles={}, status="failed", score=0.0, max_score=1.0)
LABELS = read_labels(CORPUS)[::SHARE]


class Mutation(ast.NodeTransformer):
    """Changes one node in so many: drops statements, swaps names and operators, spoils constants."""

    def __init__(self, random: random.Random, names: list[str]) -> None:
        self._random = random
        self._names = names

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for field, value in ast.iter_fields(node):
            if field in ("body", "orelse") and isinstance(value, list) and len(value) > 1:
                value[:] = [inner for inner in value if self._random.random() > 0.06]
                if self._random.random() < 0.1:
                    self._random.shuffle(value)
                if field == "body" and not value:
                    value.append(ast.Pass())
        return super().generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.JoinedStr:
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._random.choice(self._names), node.ctx) if self._random.random() < 0.04 else node

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        spoilt = [None, 0, -1, 1e30, "", True]
        return ast.Constant(self._random.choice(spoilt)) if self._random.random() < 0.04 else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if self._random.random() < 0.08:
            node.op = self._random.choice([ast.Add(), ast.Sub(), ast.Mult(), ast.Pow(), ast.MatMult()])
        return node


def mutated(submission: Submission, seed: int) -> Submission:
    """Another program, much like the first."""
    chance = random.Random(seed)
    return msgspec.structs.replace(submission, cells=tuple(_mutated_cells(submission, chance)))


def _mutated_cells(submission: Submission, chance: random.Random) -> Iterator[Cell]:
    for cell in submission.cells:
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:
            yield cell
            continue
        names = sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}) or ["w"]
        source = ast.unparse(ast.fix_missing_locations(Mutation(chance, names).visit(tree)))
        yield Cell(number=cell.number, source=source)


@cache
def run_of(label: Label, kernels: Kernels) -> Run:
    exercise = load_exercise(course_folder(None), label.exercise)
    session = kernels.open(Limits(cell_seconds=3.0))
    try:
        handed_in = load(CORPUS / label.file)
        return kernels.do(session.run(handed_in, seed=0, values=exercise.names, watch=exercise.watched))
    finally:
        kernels.close(session)


@pytest.mark.slow
@pytest.mark.parametrize("label", LABELS, ids=lambda label: label.file)
def test_detectors_bear_any_program(label: Label, kernels: Kernels) -> None:
    handed_in, run = load(CORPUS / label.file), run_of(label, kernels)
    answers = load_exercise(course_folder(None), label.exercise).manifest.answers
    for seed in range(MUTANTS):
        program = mutated(handed_in, seed)
        seen = run if seed % 5 else run_without_trace(run)
        case = Case(program, seen, [FAILED], label.exercise, answers)
        detectors = Detectors()
        for suspicion in detectors.detect(case):
            assert 0 <= suspicion.sureness <= 1
            for edits in detectors.repairs(case, suspicion):
                assert_is_python(apply(program, edits), suspicion.mistake)
        assert list(detectors.broken) == []


def run_without_trace(run: Run) -> Run:
    """What is left of a run whose kernel died."""
    return Run(seconds=run.seconds, errors=run.errors, complete=False, trace=type(run.trace)(), values={})


def assert_is_python(mended: Submission | None, mistake: str) -> None:
    for cell in () if mended is None else mended.cells:
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            pytest.fail(f"{mistake}: {error}\n{cell.source}")


def test_there_are_three_hundred_programs() -> None:
    assert len(LABELS) * MUTANTS >= 300
