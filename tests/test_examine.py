"""`grader diagnose`: any notebook, without an exercise."""

import json
from pathlib import Path

from tests.command import grader

WRONG = """
import torch
heights = torch.linspace(-1, 1, 60)
weights = 3 * heights - 2
def fit(steps):
    slope = torch.zeros(1, requires_grad=True)
    offset = torch.zeros(1, requires_grad=True)
    for _ in range(steps):
        error = ((slope * heights + offset - weights) ** 2).mean()
        error.backward()
        slope = slope - 0.1 * slope.grad
        offset = offset - 0.1 * offset.grad
    return slope, offset
print(fit(50))
"""
RIGHT = WRONG.replace(
    "slope = slope - 0.1 * slope.grad", "slope.data -= 0.1 * slope.grad; slope.grad = None"
).replace("offset = offset - 0.1 * offset.grad", "offset.data -= 0.1 * offset.grad; offset.grad = None")


def test_names_a_mistake_in_a_stranger_s_words(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(WRONG)
    told = grader("diagnose", "a.py", "--format", "json", folder=tmp_path)
    report = json.loads(told.out)
    assert told.code == 1
    assert report["score"] is None
    finding = report["findings"][0]
    assert (finding["mistake"], finding["confidence"], finding["line"]) == ("leaf-rebound", "confirmed", 11)
    assert "slope" in finding["message"]


def test_finds_nothing_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(RIGHT)
    told = grader("diagnose", "a.py", folder=tmp_path)
    assert (told.code, told.err) == (0, "")
    assert "Mistakes found: 0" in told.out


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    told = grader("diagnose", "none.py", folder=tmp_path)
    assert told.code == 2
    assert "none.py" in told.err
