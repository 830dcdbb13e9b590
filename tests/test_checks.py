"""Check files: points, outcomes, reasons, and what a report never tells."""

from pathlib import Path

import pytest

from grader.kernel.pool import Kernels
from grader.model import Report
from grader.report.document import all_passed, word
from tests.courses import Grade, by_id, exercise_of, grade_module, texts, write_course

# ---- outcomes -----------------------------------------------------------------------------------


@pytest.fixture
def graded(tmp_path: Path, kernels: Kernels) -> Grade:
    """`graded(checks, submission)` writes a course with these checks and grades a module by it."""

    def run(checks: str, submission: str = "w = 3.0", *, names: tuple[str, ...] = ("w",)) -> Report:
        write_course(tmp_path, checks, names=names)
        return grade_module(tmp_path, kernels, submission)

    return run


def test_a_check_gives_its_points_and_its_docstring_is_the_sentence(graded: Grade, tmp_path: Path) -> None:
    report = graded(
        '''
        @pytest.mark.points(2.5)
        def test_value(run):
            """w is
            three."""
            assert run.number("w") == 3

        @pytest.mark.points(1)
        def test_other(run):
            """w is four."""
            assert run.number("w") == 4
        '''
    )
    assert (report.score, report.max_score) == (2.5, 3.5)
    value = by_id(report)["test_value"]
    assert (value.status, value.score, value.max_score, value.reason) == ("passed", 2.5, 2.5, None)
    exercise = exercise_of(tmp_path)
    assert [check.title for check in word(report, exercise, "en").checks] == ["w is three.", "w is four."]
    assert [check.title for check in word(report, exercise, "zh").checks] == [
        "中文 test_value",
        "中文 test_other",
    ]


def test_a_check_is_skipped_for_one_that_it_needs(graded: Grade, tmp_path: Path) -> None:
    report = graded(
        """
        def test_first(run): assert run.number("w") == 4
        def test_right(run): assert run.number("w") == 3

        @pytest.mark.points(3)
        @pytest.mark.needs("test_right", "test_first")
        def test_second(run): raise RuntimeError("not reached")

        @pytest.mark.points(1)
        @pytest.mark.needs("test_second")
        def test_third(run): raise RuntimeError("not reached")

        @pytest.mark.points(2)
        @pytest.mark.needs("test_right")
        def test_fourth(run): pass
        """
    )
    checks = by_id(report)
    assert (checks["test_second"].status, checks["test_second"].because) == ("skipped", "test_first")
    assert (checks["test_third"].status, checks["test_third"].because) == ("skipped", "test_second")
    assert (checks["test_fourth"].status, checks["test_fourth"].score) == ("passed", 2)
    assert (report.score, report.max_score) == (2, 6)
    second = word(report, exercise_of(tmp_path), "en").checks[2]
    assert (second.reason, second.because) == ("skipped-because", "test_first")
    assert second.message.startswith("Not looked at")


def test_fail_gives_a_reason_with_parameters_and_a_hint(graded: Grade, tmp_path: Path) -> None:
    report = graded(
        """
        import numpy as np

        @pytest.mark.points(1)
        def test_value(run):
            fail("too-small", hint="look-again", name="w", seen=np.float64(1) / 3, wanted=np.int64(4))
        """
    )
    (english,), (chinese,) = (
        word(report, exercise_of(tmp_path), language).checks for language in ("en", "zh")
    )
    assert (english.status, english.score) == ("failed", 0)
    assert english.message == "w is 0.33333, not 4."
    assert english.hint == "Look at w again."
    assert (chinese.message, chinese.hint) == ("w 是 0.33333，不是 4。", "请再看看 w。")
    assert english.params == {"name": "w", "seen": pytest.approx(1 / 3), "wanted": 4}
    assert [type(value) for value in english.params.values()] == [str, float, int]
    assert '"wanted":4' in texts(report, tmp_path)


def test_skip_costs_points_unless_it_is_free_and_may_ask_for_a_person(graded: Grade) -> None:
    report = graded(
        """
        @pytest.mark.points(1)
        def test_costs(run): skip("look-again", name="x")

        @pytest.mark.points(2)
        def test_free(run): skip("look-again", free=True, name="y")

        @pytest.mark.points(4)
        def test_looked_at(run): skip("too-small", free=True, review=True, name="z", seen=1, wanted=2)

        @pytest.mark.needs("test_free")
        def test_needs_one_that_passed(run): pass
        """
    )
    checks = by_id(report)
    assert [check.status for check in report.checks] == ["skipped"] * 4
    assert [check.score for check in report.checks] == [0, 2, 4, 0]
    assert checks["test_needs_one_that_passed"].because == "test_free"
    assert [(reason.id, reason.params["name"]) for reason in report.needs_review] == [("too-small", "z")]


def test_a_fixture_of_the_check_file_fails_all_that_use_it(graded: Grade) -> None:
    report = graded(
        """
        @pytest.fixture(scope="session")
        def data(run): return run.numbers("x")

        @pytest.mark.points(1)
        def test_one(data): pass

        @pytest.mark.points(1)
        def test_two(data): pass
        """
    )
    assert [(check.status, check.reason and check.reason.id) for check in report.checks] == [
        ("failed", "name-missing")
    ] * 2


def test_a_plain_assert_tells_nothing_of_its_values(graded: Grade, tmp_path: Path) -> None:
    report = graded(
        """
        @pytest.mark.points(1)
        def test_plain(run):
            hidden = 7.0 * 1234.5
            assert run.number("w") == hidden, f"should be {hidden}"

        @pytest.mark.points(1)
        def test_approx(run): assert [run.number("w")] == pytest.approx([8641.5])

        @pytest.mark.points(1)
        def test_failing(run): pytest.fail("8641.5")

        @pytest.mark.points(1)
        def test_raises(run):
            with pytest.raises(ValueError): run.number("w")
        """
    )
    assert [(check.status, check.reason and check.reason.id) for check in report.checks] == [
        ("failed", "check-failed")
    ] * 4
    said = texts(report, tmp_path)
    assert "This is not as it should be." in said
    assert "8641" not in said


def test_a_failing_check_without_points_keeps_full_marks_from_being_all(
    graded: Grade, tmp_path: Path
) -> None:
    report = graded('def test_free(run):\n    """Advice."""\n    assert run.number("w") == 4')
    assert (report.score, report.max_score) == (0, 0)
    assert [check.status for check in report.checks] == ["failed"]
    assert not all_passed(report)
    assert not all_passed(word(report, exercise_of(tmp_path), "en"))


VALUES = {
    "missing = run.number('absent')": "name-missing",
    "many = run.number('many')": "not-one-number",
    "word = run.numbers('word')": "value-unusable",
    "mixed = run.numbers('mixed')": "not-numbers",
    "parts = run.value('many').parts(3)": "not-so-many",
    "module = run.value('many').parameters()": "not-a-module",
    "absent = call('absent')": "function-missing",
    "number = call('many')": "not-a-function",
    "raised = call('broken')": "call-raised",
}


def test_a_value_that_does_not_fit_fails_in_plain_words(graded: Grade, tmp_path: Path) -> None:
    checks = [f"def test_{line.split()[0]}(run, call):\n    {line}" for line in VALUES]
    submission = "many = [1.0, 2.0]\nword = 'four'\nmixed = [1.0, 'a']\ndef broken():\n    return 1 / 0\n"
    report = graded("\n\n".join(checks), submission, names=("many", "word", "mixed", "broken"))
    assert [check.reason and check.reason.id for check in report.checks] == list(VALUES.values())
    said = [check.message for check in word(report, exercise_of(tmp_path), "en").checks]
    assert "`word` is of type str, from which no numbers can be read." in said
    assert "Called with other arguments, `broken` stopped with ZeroDivisionError (cell 1, line 5)." in said


def test_a_check_reads_values_calls_and_reruns(graded: Grade) -> None:
    report = graded(
        """
        def test_values(run):
            assert run.has("w") and not run.has("v") and run.complete
            assert run.numbers("w").tolist() == [1.0, 2.0]
            assert [part.number() for part in run.value("w").parts(2)] == [1.0, 2.0]

        def test_calls(call, rng):
            number = float(rng.uniform(1, 2))
            seen = call("twice", number)
            assert seen.number() == 2 * number
            assert seen.gradient_calls == 0

        def test_reruns(rerun): assert rerun().numbers("w").tolist() == [1.0, 2.0]
        """,
        "w = (1.0, 2.0)\ndef twice(x): return 2 * x",
        names=("w", "v", "twice"),
    )
    assert [check.status for check in report.checks] == ["passed"] * 3
    assert report.reruns == 1


# ---- what a report never tells ------------------------------------------------------------------

# Each tries to carry the hidden number 8641.5 into the report.
LEAKS = """
def in_message(x):
    raise ValueError(f"got {x}")

def in_type(x):
    raise type(f"Error{x}".replace(".", "_"), (Exception,), {})()

def in_module(x):
    raise ModuleNotFoundError("no", name=f"m{x}")

def in_print(x):
    print(x)
    return "text"

def in_result(x):
    return type(f"Result{x}".replace(".", "_"), (), {})()

def in_part(x):
    return (1.0, type(f"Part{x}".replace(".", "_"), (), {})())
"""
LEAKING = ("in_message", "in_type", "in_module", "in_print", "in_result")


def test_a_hidden_argument_is_nowhere_in_the_report(graded: Grade, tmp_path: Path) -> None:
    checks = [f"def test_{name}(call): call('{name}', 8641.5).number()" for name in LEAKING]
    checks.append("def test_in_part(call): call('in_part', 8641.5).parts(2)[1].number()")
    report = graded("\n\n".join(checks), LEAKS, names=(*LEAKING, "in_part"))
    assert {check.status for check in report.checks} == {"failed"}
    said = texts(report, tmp_path)
    assert "8641" not in said
    found = by_id(report)
    told = {name: found[f"test_{name}"].reason for name in (*LEAKING, "in_part")}
    assert [reason and reason.params.get("error") for reason in told.values()][:3] == [
        "ValueError",
        "Exception",
        "Exception",
    ]
    assert [reason and reason.params.get("type") for reason in told.values()][3:] == [
        "str",
        "object",
        "object",
    ]


def test_hidden_numbers_are_the_same_in_every_grading(tmp_path: Path, kernels: Kernels) -> None:
    write_course(tmp_path, 'def test_draw(rng): fail("look-again", name=str(rng.uniform()))')
    first, again, other = (grade_module(tmp_path, kernels, f"w = {value}") for value in (1, 1, 2))
    assert first.checks == again.checks
    assert first.checks != other.checks
