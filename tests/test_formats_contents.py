"""What each format says of a report, and that each system gets the points it asks for."""

import json
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from grader.report.discovery import format_of
from grader.report.document import CheckPart, Document
from grader.report.formats import classroom50
from grader.report.formats.markdown import code, fenced, text
from tests.attacks.test_display import document
from tests.test_formats import refused
from tests.valid_formats import VALID

CHECK = CheckPart(id="test_a", title="w is right.", status="passed", score=2.5, max_score=2.5, message="", hint="",
                  reason=None, params={}, because=None)  # fmt: skip


def check(**changes: Any) -> CheckPart:
    return msgspec.structs.replace(CHECK, **changes)


@pytest.fixture
def report() -> Document:
    """Three checks: one passed, one failed with a third of its points, one not looked at."""
    checks = [
        CHECK,
        check(id="test_b", title="b is right.", status="failed", score=1 / 3, max_score=1.0, message="b is `3`.",
              hint="Take more steps.", reason="b-off"),
        check(id="test_c", title="It follows.", status="skipped", score=0.0, max_score=0.5, message="Not looked at.",
              because="test_b"),
    ]  # fmt: skip
    return document(
        exercise="line", checks=checks, score=2.5 + 1 / 3, max_score=4.0, message="", error="It stopped."
    )


def loaded(name: str, report: Document) -> Any:
    return json.loads(format_of(name).render(report))


# ---- systems ------------------------------------------------------------------------------------


def test_gradescope_gets_every_check_with_its_points(report: Document) -> None:
    found = loaded("gradescope", report)
    assert found["score"] == 2.5 + 1 / 3
    assert [(test["score"], test["max_score"], test["status"]) for test in found["tests"]] == [
        (2.5, 2.5, "passed"),
        (1 / 3, 1.0, "failed"),
        (0.0, 0.5, "failed"),
    ]
    assert found["tests"][1]["output"] == "b is `3`.\nHint: Take more steps."
    assert "It stopped." in found["output"]


def test_gradescope_is_told_that_a_zero_is_no_grade() -> None:
    found = loaded("gradescope", refused("en"))
    assert found["score"] == 0
    assert "The 0 is no grade" in found["output"]
    assert found["tests"] == [
        {
            "name": "could not be graded",
            "status": "failed",
            "output": refused("en").needs_review[0],
            "visibility": "visible",
        }
    ]


def test_classroom50_gets_hundredths_so_that_partial_credit_is_kept(report: Document) -> None:
    found = loaded("classroom50", report)
    assert (found["score"], found["max-score"]) == (283, 400)
    assert [(test["passed"], test["score"], test["max-score"]) for test in found["tests"]] == [
        (True, 250, 250),
        (False, 33, 100),
        (False, 0, 50),
    ]


def test_classroom50_takes_its_names_from_the_environment(report: Document) -> None:
    given = {"CLASSROOM": "ml", "ASSIGNMENT": "line", "OWNER": "ada", "SUBMISSION_TAG": "submit/x", "COMMIT_URL": "c",
             "RELEASE_URL": "r", "ASSIGNMENT_TYPE": "group"}  # fmt: skip
    found = json.loads(classroom50.render(report, given))
    names = (
        "classroom",
        "assignment",
        "owner",
        "submission",
        "commit",
        "release",
        "review",
        "assignment_type",
    )
    assert [found[name] for name in names] == ["ml", "line", "ada", "submit/x", "c", "r", "c", "group"]


def test_classroom50_gives_nothing_of_nothing_where_it_could_not_be_graded() -> None:
    found = loaded("classroom50", refused("en"))
    assert (found["score"], found["max-score"], found["tests"][0]["passed"]) == (0, 0, False)


def test_prairielearn_gets_a_share_and_points(report: Document) -> None:
    found = loaded("prairielearn", report)
    assert found["gradable"] is True
    assert found["score"] == pytest.approx((2.5 + 1 / 3) / 4)
    assert [(test["points"], test["max_points"]) for test in found["tests"]] == [
        (2.5, 2.5),
        (1 / 3, 1.0),
        (0.0, 0.5),
    ]


def test_prairielearn_takes_no_attempt_where_it_could_not_be_graded() -> None:
    found = loaded("prairielearn", refused("en"))
    assert found["gradable"] is False
    assert found["format_errors"] == refused("en").needs_review
    assert "score" not in found


@pytest.mark.slow
@pytest.mark.parametrize(("checks", "words", "kept"), [(100, "长" * 4000, 100), (5000, "w" * 150, 0)])
def test_prairielearn_never_gets_more_than_a_megabyte(checks: int, words: str, kept: int) -> None:
    long = document(checks=[check(message=words, hint=words)] * checks)
    rendered = format_of("prairielearn").render(long)
    VALID["prairielearn"](rendered)
    assert len(json.loads(rendered)["tests"]) == kept


def test_autolab_gets_the_report_and_in_the_last_line_the_score(report: Document) -> None:
    lines = format_of("autolab").render(report).splitlines()
    assert json.loads(lines[-1]) == {"scores": {"line": 2.5 + 1 / 3}}
    assert any("b is right." in line for line in lines)
    ungraded = format_of("autolab").render(refused("en")).splitlines()
    assert json.loads(ungraded[-1]) == {"scores": {}}


# ---- JUnit --------------------------------------------------------------------------------------


def test_junit_has_a_case_for_each_check(report: Document) -> None:
    suite = ElementTree.fromstring(format_of("junit").render(report))[0]
    assert {name: suite.attrib[name] for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
    }
    failure, skipped = suite.find("testcase/failure"), suite.find("testcase/skipped")
    assert failure is not None
    assert skipped is not None
    assert (failure.attrib["type"], failure.attrib["message"]) == ("b-off", "b is `3`.")
    assert failure.text == "b is `3`.\nHint: Take more steps.\nPoints: 0.33/1"
    assert skipped.attrib["type"] == "test_b"
    assert {each.attrib["name"]: each.attrib["value"] for each in suite.iter("property")}["score"] == "2.83"


def test_junit_has_an_error_where_it_could_not_be_graded() -> None:
    suite = ElementTree.fromstring(format_of("junit").render(refused("en")))[0]
    assert suite.attrib["errors"] == "1"
    error = suite.find("testcase/error")
    assert error is not None
    assert error.text == refused("en").needs_review[0]


def test_junit_has_a_failure_for_each_mistake_without_an_exercise(report: Document) -> None:
    diagnosis = msgspec.structs.replace(report, checks=[], score=None)
    suite = ElementTree.fromstring(format_of("junit").render(diagnosis))[0]
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.attrib["type"] == "leaf-rebound"


# ---- Markdown -----------------------------------------------------------------------------------


def test_markdown_has_the_mistakes_first_with_a_diff_then_the_checks(report: Document) -> None:
    rendered = format_of("markdown").render(report)
    diff = "```diff\n@@ cell 1, line 2 @@\n- b = 2\n+ b = 3\n```"
    row = "| ✘ | b is right. | b is `3`. Hint: Take more steps. | 0.33/1 |"
    places = [rendered.index(piece) for piece in ("**Score 2.83 / 4**", diff, "### Where it stopped", row)]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("`a|b` or *c*", r"`a|b` or \*c\*"),
        ("an odd ` one", r"an odd \` one"),
        ("``", r"\`\`"),
        ("@ada, X @ w, a@b.c, #12, # 3", r"`@`ada, X @ w, a`@`b.c, `#`12, \# 3"),
        ("http://x www.x", "http&#58;//x www&#46;x"),
        ("<b> & $x$", "&lt;b&gt; &amp; &#36;x&#36;"),
        ("- x", "&#45; x"),
        ("12. x", "12&#46; x"),
        ("a\n# b", r"a \# b"),
    ],
)
def test_markdown_text_stays_text(words: str, written: str) -> None:
    assert text(words) == written


def test_markdown_code_cannot_be_ended_from_within() -> None:
    assert code("a`b") == "`a'b`"
    assert fenced("python", ["x", "````"]) == "`````python\nx\n````\n`````"


def test_classroom50_scales_whatever_a_check_is_worth() -> None:
    rendered = format_of("classroom50").render(document(checks=[check(score=1e307, max_score=1e307)]))
    VALID["classroom50"](rendered)
    (test,) = json.loads(rendered)["tests"]
    assert test["score"] == test["max-score"] > 1e308
