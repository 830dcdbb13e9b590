"""What a notebook says of itself: nothing of it changes its grade, and nothing of it leads anywhere."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import UnreadableSubmission, UsageError
from grader.exercise import course_folder, load_exercise
from grader.load import MAX_EXERCISE_NAME, load
from tests.command import grader
from tests.conftest import CORPUS
from tests.files import code, load_bytes, load_notebook, notebook, sources

# Quickly graded.
SLUG, OTHER = "minimise_parabola", "manual_gradient"
RIGHT = CORPUS / SLUG / "s003.ipynb"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 4_000])
def test_odd_numbers_elsewhere_do_not_matter(tmp_path: Path, value: str) -> None:
    content = json.dumps(notebook(code("w = 1"), metadata={"x": "HERE"})).replace('"HERE"', value)
    assert sources(load_bytes(tmp_path, "a.ipynb", content.encode())) == ["w = 1"]


@pytest.mark.parametrize("value", ["NaN", "1e999", "9" * 5_000, '"4"', "[4]", "true", "4.5"])
def test_an_odd_version_is_refused(tmp_path: Path, value: str) -> None:
    content = json.dumps(notebook(code("w = 1"), nbformat="HERE")).replace('"HERE"', value)
    (tmp_path / "a.ipynb").write_text(content)
    with pytest.raises(UnreadableSubmission) as caught:
        load(tmp_path / "a.ipynb")
    assert caught.value.text in {"file-no-notebook", "file-not-json"}


def test_of_two_fields_with_one_name_the_last_counts_as_in_jupyter(tmp_path: Path) -> None:
    cells = '"cells": [{"cell_type": "code", "source": "w = %d"}]'
    content = f'{{"nbformat": 4, {cells % 1}, {cells % 2}}}'
    assert sources(load_bytes(tmp_path, "a.ipynb", content.encode())) == ["w = 2"]


EXERCISES = [
    "../../x",
    "/etc",
    "x\0",
    "\x1b[8m",
    "\ud800",
    "a" * 10**6,
    "",
    ".",
    "linear_regression/",
    "[red]",
]


@pytest.mark.parametrize("exercise", EXERCISES, ids=range(len(EXERCISES)))
def test_no_exercise_of_that_name_leads_anywhere(tmp_path: Path, exercise: str) -> None:
    named = load_notebook(tmp_path, notebook(code("1"), metadata={"grader": {"exercise": exercise}})).exercise
    assert named == exercise[:MAX_EXERCISE_NAME]
    with pytest.raises(UsageError):
        load_exercise(course_folder(None), named)


CHANGES: dict[str, dict[str, Any]] = {
    "plain.ipynb": {},
    "kernel.ipynb": {"kernelspec": {"name": "ir", "language": "R", "argv": ["sh", "-c", "false"]}},
    "version.ipynb": {"grader": {"exercise": SLUG, "version": 999, "points": 100, "max_score": 0}},
    "limits.ipynb": {"grader": {"exercise": SLUG, "limits": {"cell_seconds": 1e9}, "seed": 7, "course": "/"}},
    "other.ipynb": {"grader": {"exercise": OTHER}},
    "papermill.ipynb": {"papermill": {"parameters": {"w": 1}}, "language_info": {"name": "R"}, "widgets": 5},
}
TAGS = {
    "tags": ["skip-execution", "raises-exception", "remove-cell"],
    "grader": {"points": 100},
    "editable": 0,
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Reports on one notebook that says different things of itself, and on it without --exercise."""
    folder = tmp_path_factory.mktemp("metadata")
    document = json.loads(RIGHT.read_text("utf-8"))
    for name, metadata in CHANGES.items():
        tags = {} if name == "plain.ipynb" else TAGS
        cells = [
            cell | {"metadata": tags, "id": "same", "attachments": {"a": 1}} for cell in document["cells"]
        ]
        (folder / name).write_text(json.dumps(document | {"metadata": metadata, "cells": cells}))
    options = ("--format", "json", "--unsafe-no-sandbox")
    chosen = grader("check", *CHANGES, "--exercise", SLUG, *options, folder=folder)
    own = grader("check", "other.ipynb", "version.ipynb", *options, folder=folder)
    return [json.loads(line) for line in (chosen.out + own.out).splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANGES)
def test_metadata_change_no_grade(graded: list[dict[str, Any]], name: str) -> None:
    report = graded[list(CHANGES).index(name)]
    assert (report["submission"]["name"], report["exercise"], report["score"]) == (name, SLUG, 10)
    assert (report["checks"], report["max_score"]) == (graded[0]["checks"], 10)


@pytest.mark.slow
def test_control_without_the_option_the_notebook_says_which_exercise(graded: list[dict[str, Any]]) -> None:
    assert [report["exercise"] for report in graded[-2:]] == [OTHER, SLUG]
    assert graded[-2]["score"] < 10 == graded[-1]["score"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters() | st.just("\ud800")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(metadata=JSON, inner=JSON)
@settings(deadline=None)
def test_any_metadata_name_an_exercise_or_none(
    tmp_path_factory: pytest.TempPathFactory, metadata: object, inner: object
) -> None:
    for value in (metadata, {"grader": metadata}, {"grader": {"exercise": inner}}):
        path = tmp_path_factory.getbasetemp()
        exercise = load_notebook(path, notebook(code("w = 1", metadata=value), metadata=value)).exercise
        assert exercise is None or (exercise == inner)
