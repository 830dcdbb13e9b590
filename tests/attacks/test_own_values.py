"""Forged answers of the probe: whatever they hold, the submission is graded, and as what it is.

They are forged where no sandbox helps, in the kernel's own memory, so one tier is as good as another.
"""

from collections.abc import Callable

import pytest

from grader.kernel import answers
from grader.model import Report

WRONG = {
    "minimise_parabola": "def descend_by_hand(x0, lr, steps): return 0\ndef descend_with_autograd(*given): return 0",
    "linear_module": "from torch import nn\nmodel = nn.Linear(1, 1)",
}
# Finds the probe's class among all objects, and answers in its place.
FORGED = """
import base64, gc
(Probe,) = [type(thing) for thing in gc.get_objects() if type(thing).__name__ == "Probe"]
ONE = {"type": "array", "dtype": "float64", "shape": [], "data": base64.b64encode(b"\\0" * 6 + b"\\xf0?").decode()}
error, trace = None, {}
VALUE
def answer(self, request):
    if request["request"] == "values":
        return {name: value for name in request["names"]}
    if request["request"] == "call":
        return {"value": None if error else value, "error": error, "trace": trace}
    return {"trace": trace, "errors": [error] * (error is not None)}
Probe.answer = answer
"""
ARRAYS = {
    "of many dimensions": '{**ONE, "shape": [1] * 100}',
    "of no size": '{**ONE, "shape": [0, 2**62, 4], "data": ""}',
    "of negative size": '{**ONE, "shape": [-1, -1]}',
    "of overflowing size": '{**ONE, "shape": [2**62, 4]}',
    "of objects": '{**ONE, "dtype": "O"}',
    "of fields": '{**ONE, "dtype": "i4,(2,3)f8"}',
    "of another length": '{**ONE, "dtype": "float32"}',
}
OTHERS = {
    "lists in lists": 'value = ONE\nfor _ in range(150): value = {"type": "items", "items": [value]}',
    "a strange name": 'value = {"type": "unusable", "why": "unsupported", "type_name": "{0}%s\\n\\u202e" * 9}',
    "an unknown kind": 'value = {"type": "pickle", "data": "x"}',
    "an error on a strange line": 'value = ONE\nerror = {"name": "{x}", "message": "{0}", "cell": 10**40, "line": 10**40}',
    "an error of no kind": 'value = ONE\nerror = {"name": [], "message": {}, "cell": "1", "line": -1, "errno": 2.5}',
    "a trace of strange counts": 'value = ONE\ntrace = {"trainings": [{"number": 10**400, "calls": 10**400}]}',
    "a trace of strange indices": 'value = ONE\ntrace = {"exchanged": [10**400, -1], "arrays": [{**ONE, "shape": [-1]}]}',
}
VALUES = {name: f"value = {array}" for name, array in ARRAYS.items()} | OTHERS
MODULES = {
    name: f'value = {{"type": "module", "parameters": {{"{{0}}%s": {array}}}}}'
    for name, array in ARRAYS.items()
}
CASES = [
    *(("minimise_parabola", f"value {name}", value) for name, value in VALUES.items()),
    *(("linear_module", f"module {name}", value) for name, value in MODULES.items()),
]
Grade = Callable[..., Report]


def graded(grade_cells: Grade, exercise: str, value: str) -> Report:
    return grade_cells([WRONG[exercise], FORGED.replace("VALUE", value)], exercise)


@pytest.mark.parametrize(
    ("exercise", "value"), [(e, v) for e, _, v in CASES], ids=[name for _, name, _ in CASES]
)
def test_a_forged_answer_is_graded_as_nothing(exercise: str, value: str, grade_cells: Grade) -> None:
    report = graded(grade_cells, exercise, value)
    assert (report.status, report.score) == ("graded", 0.0)


@pytest.mark.parametrize("name", ["of many dimensions", "of no size", "of objects"])
def test_undetected_it_would_break_a_check(
    name: str, grade_cells: Grade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "is_sound_value", lambda _: True)
    assert graded(grade_cells, "linear_module", MODULES[name]).status == "ungradable"


def test_a_gradient_beyond_all_bounds_is_no_multiple_of_the_right_one(grade_cells: Grade) -> None:
    cells = [
        "import torch\nw = torch.zeros(1, requires_grad=True)\nb = torch.zeros(1, requires_grad=True)",
        "w.grad, b.grad = torch.full((1,), 3e38), torch.full((1,), 3e38)",
        FORGED.replace(
            "VALUE",
            'value = {**ONE, "shape": [1], "data": base64.b64encode(b"\\xff" * 6 + b"\\xef\\x7f").decode()}',
        ),
    ]
    assert grade_cells(cells, "manual_gradient").status == "graded"
