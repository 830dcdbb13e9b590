"""Reports: the words, the JSON and its schema."""

import json
import re
import unicodedata
from pathlib import Path
from typing import Any, get_args

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import UnreadableSubmission
from grader.exercise import Exercise, course_folder, load_exercise
from grader.grade import grade, ungradable
from grader.kernel.pool import Kernels
from grader.load import load
from grader.model import CheckResult, Language, Report, RunError, Text, Tier
from grader.report.document import (
    SCHEMA,
    ChangePart,
    CheckPart,
    Document,
    ErrorPart,
    FindingPart,
    RunPart,
    SandboxPart,
    SubmissionPart,
    all_passed,
    json_schema,
    word,
)
from grader.report.formats.json import part, render
from grader.settings import Settings
from tests.conftest import SAMPLE
from tests.files import code, notebook

LANGUAGES: tuple[Language, ...] = get_args(Language)
STORED = Path(__file__).parents[1] / "docs" / "report.schema.json"
KINDS = ("full", "failing", "review", "ungradable")
VALIDATOR = jsonschema.Draft202012Validator(json_schema())

# A failing submission: a magic, typed-in results, and an error on the second line of its third cell.
FAILING = (
    "%matplotlib inline\nx = [1.0, 2.0]",
    "y = [1.0]\nw = 10.0\nb = 'four'",
    "z = 1\nw = undefined_name\n\n# end",
)


SENTENCE = {
    "en": "x and y are data of equal length, 100 points or more around y = 10x + 4, each with noise of its own.",
    "zh": "x 与 y 是一样长的数据，至少 100 个点，大致落在 y = 10x + 4 附近，每个点有自己的噪声。",
}


@pytest.fixture(scope="module")
def exercise() -> Exercise:
    return load_exercise(course_folder(None), "linear_regression")


@pytest.fixture(scope="module")
def reports(
    kernels: Kernels, exercise: Exercise, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Report]:
    """One report of each kind."""
    folder = tmp_path_factory.mktemp("reports")
    (folder / "failing.ipynb").write_text(json.dumps(notebook(*map(code, FAILING))))
    (folder / "review.py").write_text("import no_such_module\nw = b = 1.0")
    found = {
        name: grade(load(path), exercise, Settings(), kernels)
        for name, path in (
            ("full", SAMPLE),
            ("failing", folder / "failing.ipynb"),
            ("review", folder / "review.py"),
        )
    }
    error = UnreadableSubmission("file-empty", path="a.ipynb")
    return found | {"ungradable": ungradable("a.ipynb", "", "", error)}


def decoded(document: Document, *, one_line: bool = False) -> Any:
    return json.loads((part if one_line else render)(document))


# ---- the words ----------------------------------------------------------------------------------


def test_full_marks_are_worded(reports: dict[str, Report], exercise: Exercise) -> None:
    document = word(reports["full"], exercise, "en")
    assert (document.status, document.score, document.max_score) == ("graded", 10, 10)
    assert document.exercise == "linear_regression"
    assert document.title == exercise.manifest.title["en"]
    assert document.submission.name == SAMPLE.name
    assert re.fullmatch("[0-9a-f]{64}", document.submission.sha256)
    assert [check.message for check in document.checks] == [""] * 8
    assert document.run.error is None
    assert document.run.seconds > 0
    assert document.run.reruns == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_failed_check_has_its_sentence_reason_and_parameters(
    reports: dict[str, Report], exercise: Exercise, language: Language
) -> None:
    checks = {check.id: check for check in word(reports["failing"], exercise, language).checks}
    check = checks["test_makes_the_data"]
    assert check.title == SENTENCE[language]
    assert (check.status, check.score, check.max_score, check.because) == ("failed", 0, 1, None)
    assert (check.reason, check.params) == ("data-too-few", {"name": "x", "count": 2, "wanted": 100})
    assert check.message == exercise.text("data-too-few", language, check.params)
    skipped = checks["test_gradient_is_right"]
    assert (skipped.status, skipped.because) == ("skipped", "test_gradient_comes_from_autograd")
    assert skipped.message


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_error_has_its_place_and_its_lines(
    reports: dict[str, Report], exercise: Exercise, language: Language
) -> None:
    document = word(reports["failing"], exercise, language)
    error = document.run.error
    assert error is not None
    assert (error.kind, error.cell, error.line, error.first_line) == ("error", 3, 2, 1)
    assert error.message.endswith("NameError: name 'undefined_name' is not defined")
    assert error.message.startswith({"en": "Cell 3 stopped", "zh": "单元格 3 因错误停止"}[language])
    assert error.excerpt == ["z = 1", "w = undefined_name", "", "# end"]
    assert len(document.notes) == 1
    assert "`%matplotlib inline`" in document.notes[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_missing_module_asks_for_a_person(
    reports: dict[str, Report], exercise: Exercise, language: Language
) -> None:
    document = word(reports["review"], exercise, language)
    assert document.status == "graded"
    assert len(document.needs_review) == 1
    assert "`no_such_module`" in document.needs_review[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_cannot_be_graded_has_a_reason_and_no_score(
    reports: dict[str, Report], language: Language
) -> None:
    document = word(reports["ungradable"], None, language)
    assert (document.status, document.score, document.checks) == ("ungradable", None, [])
    assert document.needs_review[0].startswith("a.ipynb ")


def test_an_exercise_words_its_own_reasons_before_the_catalogue(exercise: Exercise) -> None:
    own = Text(id="slope-off", params={"seen": 1.0, "wanted": 2.0, "allowed": 0.123456789})
    common = Text(id="name-missing", params={"name": "w"})
    report = msgspec.structs.replace(empty_report(), needs_review=(own, common))
    first, second = word(report, exercise, "en").needs_review
    assert first.startswith(
        "w is 1. The least-squares line through your data has the slope 2, and within ±0.12346"
    )
    assert second.startswith("The notebook leaves no `w` behind.")


def test_lone_surrogates_do_not_stop_a_report() -> None:
    error = RunError(kind="error", message="\ud800", cell=1, line=None)
    params: dict[str, Any] = {"name": "\udc00"}
    check = CheckResult(id="c", titles={"en": "C", "zh": "C"}, status="failed", score=0, max_score=1,
                        reason=Text(id="name-missing", params=params))  # fmt: skip
    report = msgspec.structs.replace(empty_report(), submission="\udcff.py", error=error, checks=(check,))
    found = decoded(word(report, None, "en"))
    assert found["submission"]["name"] == r"\udcff.py"
    assert found["run"]["error"]["message"].endswith(r"\ud800")
    assert found["checks"][0]["params"] == {"name": r"\udc00"}


def empty_report() -> Report:
    return Report(exercise="x", submission="a.py", sha256="", status="graded", score=0.0, max_score=0.0)


@pytest.mark.parametrize(
    ("status", "score", "worth", "passed"),
    [("passed", 2, 2, True), ("failed", 0, 2, False), ("failed", 0, 0, False), ("skipped", 2, 2, True), ("skipped", 0, 2, False)],
)  # fmt: skip
def test_all_passed_counts_checks_without_points(
    status: Any, score: float, worth: float, *, passed: bool
) -> None:
    check = CheckResult(id="c", titles={"en": "C", "zh": "C"}, status=status, score=score, max_score=worth)
    report = msgspec.structs.replace(
        empty_report(), checks=(check,), score=float(score), max_score=float(worth)
    )
    assert all_passed(report) is passed
    assert all_passed(word(report, None, "en")) is passed


TIERS: tuple[Tier, ...] = get_args(Tier)


# ---- JSON and its schema ------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_report_fits_the_schema(
    reports: dict[str, Report], exercise: Exercise, kind: str, language: Language
) -> None:
    known = None if kind == "ungradable" else exercise
    document = word(reports[kind], known, language)
    for one_line in (True, False):
        VALIDATOR.validate(decoded(document, one_line=one_line))
    assert decoded(document)["language"] == language


def test_the_schema_refuses_what_is_no_report(reports: dict[str, Report], exercise: Exercise) -> None:
    good = decoded(word(reports["failing"], exercise, "en"))
    jsonschema.Draft202012Validator.check_schema(json_schema())
    for field in set(good) - ADDED:
        assert not VALIDATOR.is_valid({name: value for name, value in good.items() if name != field}), field
    for wrong in ({"schema": "grader/report/v2"}, {"status": "lost"}, {"score": "10"}, {"language": "fr"}):
        assert not VALIDATOR.is_valid(good | wrong), wrong


def test_the_stored_schema_is_current() -> None:
    assert json.loads(STORED.read_text("utf-8")) == json_schema(), (
        "run `grader schema > docs/report.schema.json`"
    )


# What reports had to have from the first day, and what came later.
ADDED = {"curves", "curves_mended", "curves_reference"}
# Version 1 as it was published: fields may be added, but none of these may go or change its name.
VERSION_1 = {
    "Document": "schema exercise title submission status needs_review notes score max_score language checks run",
    "SubmissionPart": "name sha256",
    "CheckPart": "id title status score max_score message hint reason params because",
    "RunPart": "seconds error reruns",
    "ErrorPart": "kind message cell line first_line excerpt",
    "SandboxPart": "tier layers missing",
    "FindingPart": "mistake title confidence cell line first_line excerpt message why advice params evidence fix score_after",
    "ChangePart": "cell line before after",
}


@pytest.mark.parametrize("part", VERSION_1)
def test_no_field_of_version_1_goes(part: str) -> None:
    found = json.loads(STORED.read_text("utf-8"))["$defs"][part]
    assert set(VERSION_1[part].split()) <= set(found["properties"])
    assert set(VERSION_1[part].split()) <= set(found["required"])


def test_the_states_of_version_1_stay() -> None:
    parts = json.loads(STORED.read_text("utf-8"))["$defs"]
    assert parts["Document"]["properties"]["schema"]["enum"] == [SCHEMA] == ["grader/report/v1"]
    assert set(parts["Document"]["properties"]["status"]["enum"]) == {"graded", "ungradable"}
    assert set(parts["CheckPart"]["properties"]["status"]["enum"]) == {"passed", "failed", "skipped"}


# ---- to JSON and back ---------------------------------------------------------------------------

TEXT = st.text(max_size=30) | st.text('\x1b\x9b\u202e\x7f\n\t\U000e0041😀"\\')
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
PARAMS = st.dictionaries(
    TEXT, TEXT | st.integers(-(2**53), 2**53) | NUMBER | st.booleans() | st.none(), max_size=4
)
MAYBE_INT = st.none() | st.integers(0, 10**6)
CHECK = st.builds(
    CheckPart, id=TEXT, title=TEXT, status=st.sampled_from(["passed", "failed", "skipped"]), score=NUMBER,
    max_score=NUMBER, message=TEXT, hint=TEXT, reason=st.none() | TEXT, params=PARAMS, because=st.none() | TEXT,
)  # fmt: skip
ERROR = st.builds(
    ErrorPart, kind=TEXT, message=TEXT, cell=MAYBE_INT, line=MAYBE_INT, first_line=MAYBE_INT,
    excerpt=st.lists(TEXT, max_size=5),
)  # fmt: skip
SANDBOX = st.builds(
    SandboxPart, st.sampled_from(TIERS), st.lists(TEXT, max_size=3), st.lists(TEXT, max_size=3)
)
LINES = st.lists(TEXT, max_size=2)
CHANGE = st.builds(ChangePart, st.integers(), st.integers(), LINES, LINES)
FINDING = st.builds(
    FindingPart, mistake=TEXT, title=TEXT, confidence=st.sampled_from(["confirmed", "likely", "possible"]),
    cell=MAYBE_INT, line=MAYBE_INT, first_line=MAYBE_INT, excerpt=LINES, message=TEXT, why=TEXT, advice=TEXT,
    params=PARAMS, evidence=PARAMS, fix=st.lists(CHANGE, max_size=2), score_after=st.none() | NUMBER,
)  # fmt: skip
DOCUMENT = st.builds(
    Document, schema=st.just(SCHEMA), exercise=TEXT, title=TEXT, submission=st.builds(SubmissionPart, TEXT, TEXT),
    status=st.sampled_from(["graded", "ungradable"]), needs_review=st.lists(TEXT, max_size=3),
    notes=st.lists(TEXT, max_size=3), score=st.none() | NUMBER, max_score=NUMBER, language=st.sampled_from(LANGUAGES),
    checks=st.lists(CHECK, max_size=3), run=st.builds(RunPart, NUMBER, st.none() | ERROR, st.integers(0, 100), st.none() | SANDBOX),
    findings=st.lists(FINDING, max_size=2), untried=st.integers(0, 9),
)  # fmt: skip


@given(document=DOCUMENT, one_line=st.booleans())
@settings(deadline=None, max_examples=60)
def test_a_report_comes_back_from_json_as_it_was(document: Document, *, one_line: bool) -> None:
    text = (part if one_line else render)(document)
    assert msgspec.json.decode(text, type=Document) == document
    assert text.endswith("\n")
    assert not one_line or text.count("\n") == 1
    assert not [c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Co", "Zl", "Zp"} and c != "\n"]
    VALIDATOR.validate(json.loads(text))
