"""A reference with its solutions taken out: nothing of them gets out, all the rest stays, and odd markers are refused."""

import ast
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import CourseError
from grader.gaps import cells_with_gaps
from grader.load import load
from grader.starter import starter_notebook
from tests.command import grader
from tests.courses import SLUG, exercise_of, write_course
from tests.files import worded

REFERENCE = '''\
"""How it is solved: twice."""

import torch

# %% [markdown]
# ## Think first
# It is *twice* as much.

# %% 1. The model · 模型
def forward(x):
    """Return the prediction."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


# %%
w = forward(torch.tensor(1.0))
### BEGIN HIDDEN TESTS
assert w == 2
### END HIDDEN TESTS

# %% [markdown]
# Why?
# ### BEGIN SOLUTION
# Because.
# ### END SOLUTION
'''


def cells(text: str) -> list[tuple[str, str]]:
    return list(cells_with_gaps(text, "a.py"))


# ---- what is left -------------------------------------------------------------------------------


def test_a_marked_reference_is_the_learners_notebook() -> None:
    assert cells(REFERENCE) == [
        ("code", "import torch"),
        ("markdown", "## Think first\nIt is *twice* as much."),
        (
            "code",
            '# 1. The model · 模型\ndef forward(x):\n    """Return the prediction."""\n'
            "    # YOUR CODE HERE\n    raise NotImplementedError()",
        ),
        ("code", "w = forward(torch.tensor(1.0))"),
        ("markdown", "Why?\nYOUR ANSWER HERE"),
    ]


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        ("#!/usr/bin/env python\n# ---\n# jupyter: {}\n# ---\n", []),
        ('# A comment.\n"""Told."""\n# Another.\nx = 1\n', ["# Another.\nx = 1"]),
        ("...\nx = 1\n", ["...\nx = 1"]),
        ("x = (\n", ["x = ("]),
    ],
    ids=range(4),
)
def test_what_stands_above_all_cells_is_kept_if_it_is_code(head: str, kept: list[str]) -> None:
    assert cells(f"{head}# %%\ny = 2\n") == [*(("code", source) for source in kept), ("code", "y = 2")]


# A line of a cell: 0 stands outside, 1 in a solution, 2 in hidden tests.
LINES = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["", "    ", "\t"])), max_size=8)
MARKS = st.sampled_from(["# %%", "#%% Title", "# %% [markdown]", "# In[3]:", "# %% [raw]"])
REGIONS = {1: "SOLUTION", 2: "HIDDEN TESTS"}


@given(head=LINES, rest=st.lists(st.tuples(MARKS, LINES), max_size=5), data=st.data())
def test_no_line_of_a_solution_gets_out_and_every_other_stays(
    head: list[tuple[int, str]], rest: list[tuple[str, list[tuple[int, str]]]], data: st.DataObject
) -> None:
    written, kept, gaps = [], [], 0
    for mark, lines in [("", head), *rest]:
        written += [mark] if mark else []
        inside = 0
        for kind, indent in [*lines, (0, "")]:
            if kind != inside:
                begin, end = data.draw(
                    st.sampled_from([("### BEGIN ", "### END "), ("#begin ", "x = 1  # End ")])
                )
                written += [f"{indent}{end}{REGIONS[inside]}"] if inside else []
                written += [f"{indent}{begin}{REGIONS[kind]}"] if kind else []
                gaps += kind == 1
                inside = kind
            name = f"{'kept' if kind == 0 else 'secret'}_{len(written)}"
            written.append(f"{indent}x = '{name}'")
            kept += [name] if kind == 0 else []
    sources = "\n".join(source for _, source in cells("\n".join(written)))
    assert re.findall(r"kept_\d+", sources) == kept
    assert "secret" not in sources
    assert len(re.findall(r"YOUR (CODE|ANSWER) HERE", sources)) == gaps


def test_the_gap_has_the_indentation_of_its_marker() -> None:
    text = "if True:\n    for _ in range(3):\n        # BEGIN SOLUTION\n        x = 1\n        # END SOLUTION\n    y = 2"
    ((_, source),) = cells(text)
    assert ast.unparse(ast.parse(source)) == (
        "if True:\n    for _ in range(3):\n        raise NotImplementedError()\n    y = 2"
    )


# ---- odd markers --------------------------------------------------------------------------------

ODD = {
    "x = 1\n### END SOLUTION": ("marker-not-opened", 2),
    "### BEGIN SOLUTION\nx = 1": ("marker-not-closed", 1),
    "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION\n### END SOLUTION": ("marker-nested", 2),
    "### BEGIN SOLUTION\n### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS\n### END SOLUTION": (
        "marker-nested",
        2,
    ),
    "### BEGIN SOLUTION\nx = 1\n### END HIDDEN TESTS": ("marker-not-opened", 3),
    "# %%\n### BEGIN SOLUTION\nx = 1\n# %%\n### END SOLUTION": ("marker-not-closed", 2),
    "# %%\nx = 1\n# %% BEGIN SOLUTION\ny = 2\n# %% END SOLUTION\nz = 3": ("marker-on-mark", 3),
    "### BEGIN SOLUTION\n### END SOLUTION\n### END SOLUTION": ("marker-not-opened", 3),
    '### BEGIN SOLUTION\n"""Told."""\n### END SOLUTION\n# %%\n\nx = 1\n### END SOLUTION': (
        "marker-not-opened",
        7,
    ),
}


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_an_odd_marker_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(CourseError) as caught:
        cells(f'"""Told."""\n{text}')
    id, line = ODD[text]
    assert (caught.value.text, caught.value.params["line"]) == (id, line + 1)
    assert all("a.py" in sentence and str(line + 1) in sentence for sentence in worded(caught.value))


# ---- the starter of an exercise -----------------------------------------------------------------


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of one exercise with a marked reference, and no starter of its own."""
    write_course(tmp_path, "def test_a(run): pass", reference=REFERENCE)
    for language in ("en", "zh"):
        (tmp_path / "exercises" / SLUG / f"task.{language}.md").write_text("# Task\n", "utf-8")
    return tmp_path


def test_start_writes_it_with_the_task_and_the_way_to_its_course(course: Path) -> None:
    (course / "work").mkdir()
    done = grader("start", SLUG, "--course", ".", "--output", "work/a.ipynb", folder=course)
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("grader check work/a.ipynb --course .\n")
    notebook = json.loads((course / "work" / "a.ipynb").read_text("utf-8"))
    sources = ["".join(cell["source"]) for cell in notebook["cells"]]
    assert sources[:3] == ["# Task\n", "%load_ext grader", "import torch"]
    assert sources[-1] == "%grade --course .."
    assert "2 * x" not in "".join(sources)
    submission = load(course / "work" / "a.ipynb")
    assert (submission.exercise, submission.notes) == (SLUG, ())


def refused(course: Path) -> list[str]:
    with pytest.raises(CourseError) as caught:
        starter_notebook(exercise_of(course), "en")
    return worded(caught.value)


def test_two_starters_are_one_too_many(course: Path) -> None:
    starter = course / "exercises" / SLUG / "starter.ipynb"
    starter.write_text("{}")
    assert all(str(starter) in sentence and f"{SLUG}.py" in sentence for sentence in refused(course))


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "no JSON", '{"cells": 3, "nbformat": 4, "nbformat_minor": 5}']
)
def test_a_starter_that_is_no_notebook_is_named(course: Path, content: str) -> None:
    (course / "reference" / f"{SLUG}.py").write_text("w = 2\n")
    starter = course / "exercises" / SLUG / "starter.ipynb"
    starter.write_text(content)
    assert all(str(starter) in sentence for sentence in refused(course))


def test_without_a_starter_the_markers_are_asked_for(course: Path) -> None:
    (course / "reference" / f"{SLUG}.py").write_text("w = 2\n")
    assert all("### BEGIN SOLUTION" in sentence for sentence in refused(course))


def test_a_missing_task_is_named(course: Path) -> None:
    path = course / "exercises" / SLUG / "task.en.md"
    path.unlink()
    assert all(str(path) in sentence for sentence in refused(course))
