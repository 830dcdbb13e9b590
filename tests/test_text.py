"""The sentences: every id that the code uses has words, in both languages, with the parameters it is given."""

import ast
import math
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import errors
from grader.doctor import CONFINING, Remedy
from grader.exercise import PACKAGE, Exercise, course_folder, load_exercise, slugs
from grader.kernel.faults import KINDS, LIMIT_OF, NEEDS_REVIEW
from grader.kernel.warm import LAYERS
from grader.model import BreachKind, Language
from grader.text import catalogue, say, shown
from tests.page_words import OF_A_PAGE

COURSE = course_folder(None)
EXERCISES = [load_exercise(COURSE, slug) for slug in slugs(COURSE)]
LANGUAGES: tuple[Language, ...] = get_args(Language)
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "course" not in path.parts)
# Calls whose first argument (or `id`, or `hint`) is the id of a text.
ERRORS = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.GraderError)
}
NO_PARAMETERS = {"hint", "free", "review", "id", "params"}


class Use(NamedTuple):
    """An id in a call, and the names of the parameters given with it (None where they cannot be read off)."""

    id: str
    given: frozenset[str] | None


def uses(path: Path) -> Iterator[Use]:
    for call in (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if name in {"fail", "skip", "say", "Text", "_labelled", "note"} | ERRORS:
            keywords = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
            places = call.args[1:2] if name == "_labelled" else call.args[:1]
            for place in [*places, *(keywords[key] for key in ("id", "hint") if key in keywords)]:
                for id in literals(place):
                    yield Use(id, parameters(name, call, keywords))


def literals(node: ast.expr) -> Iterator[str]:
    """The strings that an expression can be: itself, or the branches of a condition."""
    if isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def parameters(name: str, call: ast.Call, keywords: dict[str, ast.expr]) -> frozenset[str] | None:
    if name == "note" or any(keyword.arg is None for keyword in call.keywords):
        return None
    if name in {"Text", "say"}:
        given = keywords.get("params") or (
            call.args[2] if len(call.args) > 2 else ast.Dict(keys=[], values=[])
        )
        if not isinstance(given, ast.Dict):
            return None
        return frozenset(
            key.value for key in given.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
        )
    return frozenset(keywords) - NO_PARAMETERS


def fields(wording: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(wording) if name is not None}


def imported(path: Path) -> list[Path]:
    """The modules of grader that a check file imports from, which fail in its name."""
    found = re.findall(r"^from grader\.(\w+) import", path.read_text("utf-8"), re.MULTILINE)
    return [PACKAGE / f"{name}.py" for name in found]


def kinds() -> set[str]:
    """Every kind of error that a run can end with."""
    found = {*NEEDS_REVIEW, *LIMIT_OF, *(kind for kind, _ in KINDS), "error"}
    for path in (PACKAGE / "kernel" / "faults.py", PACKAGE / "kernel" / "session.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            values: list[ast.expr | None] = []
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "kind":
                values = [node.value]
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "RunError":
                values = [keyword.value for keyword in node.keywords if keyword.arg == "kind"]
            elif isinstance(node, ast.Call) and any(
                "_interrupt" in ast.unparse(part) for part in (node.func, *node.args)
            ):
                values = list(node.args)
            found |= {id for value in values if value is not None for id in literals(value)}
    return found


def literals_in(module: str) -> set[str]:
    """All strings of a module."""
    nodes = ast.walk(ast.parse((PACKAGE / module).read_text("utf-8")))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


# What `grader doctor` names by its kind.
OF_THE_DOCTOR = [
    *(f"doctor-tier-{tier}" for tier in CONFINING),
    *(f"doctor-layer-{layer}" for layer in LAYERS),
    *(f"breach-{kind}" for kind in get_args(BreachKind)),
    *(f"remedy-{remedy}" for remedy in get_args(Remedy)),
    *("doctor-landlock-held", "doctor-landlock-missing"),
]
USED = [use for path in MODULES for use in uses(path)]
# Sentences that exercises have of their own, for modules that several of them share.
SHARED = {id for exercise in EXERCISES for id in exercise.manifest.text}

# ---- the catalogue ------------------------------------------------------------------------------


def test_both_languages_have_the_same_ids() -> None:
    assert list(catalogue("en")) == list(catalogue("zh"))
    assert len(catalogue("en")) > 50


@pytest.mark.parametrize("id", catalogue("en"))
def test_both_languages_fill_in_the_same(id: str) -> None:
    assert fields(catalogue("en")[id]) == fields(catalogue("zh")[id])


def test_every_id_in_the_code_has_words() -> None:
    assert {use.id for use in USED} - set(catalogue("en")) - SHARED == set()
    assert len({use.id for use in USED}) > 40


def test_every_sentence_gets_the_parameters_that_it_names() -> None:
    lacking = [
        (use.id, missing)
        for use in USED
        if use.given is not None
        and use.id in catalogue("en")
        and (missing := fields(catalogue("en")[use.id]) - use.given)
    ]
    assert lacking == []


def test_no_sentence_is_unused() -> None:
    used = {use.id for use in USED} | {use.id for exercise in EXERCISES for use in uses(exercise.checks)}
    used |= {f"run-{kind}" for kind in kinds()} | {f"review-{kind}" for kind in NEEDS_REVIEW}
    used |= (
        OF_A_PAGE
        | set(OF_THE_DOCTOR)
        | {
            id
            for file in ("report/doctor.py", "report/progress.py")
            for id in literals_in(file)
            if id in catalogue("en")
        }
    )
    assert set(catalogue("en")) - used == set()


@pytest.mark.parametrize("id", OF_THE_DOCTOR)
def test_everything_that_the_doctor_finds_has_words(id: str) -> None:
    assert fields(catalogue("en")[id]) <= {"detail", "names"}


def test_every_kind_of_error_has_words() -> None:
    assert len(kinds()) >= 13
    for kind in kinds():
        assert fields(catalogue("en")[f"run-{kind}"]) <= {"cell", "line", "message"}
    for kind in NEEDS_REVIEW:
        assert fields(catalogue("en")[f"review-{kind}"]) <= {"cell", "message"}


# ---- the exercises ------------------------------------------------------------------------------


@pytest.fixture(params=EXERCISES, ids=slugs(COURSE))
def exercise(request: pytest.FixtureRequest) -> Exercise:
    found: Exercise = request.param
    return found


def checks_of(exercise: Exercise) -> list[ast.FunctionDef]:
    nodes = ast.parse(exercise.checks.read_text("utf-8")).body
    return [node for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def test_every_check_has_its_sentence_in_both_languages(exercise: Exercise) -> None:
    checks = checks_of(exercise)
    assert [check.name for check in checks] == list(exercise.manifest.checks)
    for check in checks:
        english, chinese = ast.get_docstring(check), exercise.manifest.checks[check.name].zh
        assert english
        assert english.isascii() or set(english) - set("−×·²ŷ…½") <= set(string.printable), check.name
        assert english.endswith(".")
        assert re.search("[一-鿿]", chinese)
        assert chinese.endswith("。")


def test_an_exercise_is_worth_ten_points_over_five_checks_or_more(exercise: Exercise) -> None:
    worth = [
        ast.literal_eval(mark.args[0])
        for check in checks_of(exercise)
        for mark in check.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.points"
    ]
    assert len(worth) == len(checks_of(exercise)) >= 5
    assert sum(worth) == 10
    assert min(worth) > 0


def test_the_reasons_of_an_exercise_have_words_and_get_their_parameters(exercise: Exercise) -> None:
    own = exercise.manifest.text
    used = list(uses(exercise.checks))
    assert used
    for use in used:
        wording = own[use.id]["en"] if use.id in own else catalogue("en")[use.id]
        assert use.given is None or fields(wording) <= use.given, use.id
    shared = {use for path in imported(exercise.checks) for use in uses(path)}
    for use in shared:
        if use.id in own:
            assert use.given is None or fields(own[use.id]["en"]) <= use.given, use.id


def test_an_exercise_fills_in_the_same_in_both_languages_and_has_nothing_to_spare(exercise: Exercise) -> None:
    own = exercise.manifest.text
    assert all(fields(wording["en"]) == fields(wording["zh"]) for wording in own.values())
    used = {use.id for path in [exercise.checks, *imported(exercise.checks)] for use in uses(path)}
    assert set(own) - used == set()


# ---- how the sentences read ---------------------------------------------------------------------


def sentences(language: Language) -> dict[str, str]:
    """Every sentence of a language, by where it stands."""
    found = dict(catalogue(language))
    for exercise in EXERCISES:
        found[f"{exercise.slug}: title"] = exercise.manifest.title[language]
        found |= {
            f"{exercise.slug}: {id}": wording[language] for id, wording in exercise.manifest.text.items()
        }
        if language == "zh":
            found |= {f"{exercise.slug}: {id}": text.zh for id, text in exercise.manifest.checks.items()}
            found |= {
                f"{exercise.slug}: task {n}": line for n, line in enumerate(exercise.task("zh").splitlines())
            }
    return found


# An ASCII mark beside a Chinese character, or beside what is filled in (save in a tuple, as in `({w}, {b})`).
ASCII_MARK = re.compile(r"[一-鿿] ?[,:;!?]|[,:;!?] ?[一-鿿]|\}[,:;!?](?! )")


def test_chinese_has_chinese_punctuation() -> None:
    without_code = {place: re.sub("`[^`]*`", "`…`", text) for place, text in sentences("zh").items()}
    assert [(place, text) for place, text in without_code.items() if ASCII_MARK.search(text)] == []
    assert all(
        ASCII_MARK.search(text) for text in ("直线, 见下", "直线: 见下", "Python:错误", "{path}:{reason}")
    )


def test_english_has_no_chinese_in_it() -> None:
    assert [text for text in sentences("en").values() if re.search("[一-鿿，。；：]", text)] == []


def test_a_sentence_is_worded_with_rounded_numbers() -> None:
    params = {"name": "w", "before": -16.180339887, "after": 3.0, "cell": 3, "line": 7}
    assert say("gradient-kept", "en", params).startswith(
        "w.grad was −16.18 before this backward() and 3 after it (cell 3,"
    )
    assert "（单元格 3 第 7 行）" in say("gradient-kept", "zh", params)


@given(value=st.floats(-1e300, 1e300))
@settings(deadline=None)
def test_a_number_is_shown_rounded_and_with_a_minus_sign(value: float) -> None:
    text = shown({"value": value})["value"]
    assert isinstance(text, str)
    assert "-" not in text
    assert len(text) <= 12
    assert math.isclose(float(text.replace("−", "-")), value, rel_tol=5.1e-5, abs_tol=5e-324)


@given(value=st.integers() | st.text() | st.booleans() | st.none())
def test_what_is_no_float_is_shown_as_it_is(value: object) -> None:
    assert shown({"value": value}) == {"value": value}
    assert type(shown({"value": value})["value"]) is type(value)
