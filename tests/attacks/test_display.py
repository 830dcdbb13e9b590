"""Text of a submission that would control, overwrite or imitate the report in which it is shown.

Every attack has a control: the same text printed as it is does what it is made for.
"""

import io
import json
import re
import unicodedata
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from grader.errors import UnreadableSubmission
from grader.model import Language
from grader.report.document import (
    SCHEMA,
    ChangePart,
    CheckPart,
    Document,
    ErrorPart,
    FindingPart,
    RunPart,
    SubmissionPart,
)
from grader.report.escape import MAX_STACKED
from grader.report.formats.json import part
from grader.report.terminal import show
from grader.report.writer import complain
from tests.command import Outcome, grader, in_terminal
from tests.files import code, notebook

WIDTH = 80
CONTROLLING = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
ATTACKS = {
    "colours": "\x1b[8mhidden\x1b[0m",
    "a cursor": "\x1b[2J\x1b[H\x1b[9A10 / 10",
    "C1": "\x9b8mhidden\x9b2J\x90q\x9c",
    "a link": "\x1b]8;;http://evil.example\x1b\\report\x1b]8;;\x1b\\",
    "a title": "\x1b]0;title\x07",
    "the clipboard": "\x1b]52;c;cm0gLXJm\x07",
    "backspaces": "0 / 10\b\b\b\b\b\b10 / 10",
    "a carriage return": "0 / 10\r10 / 10",
    "line ends": "a\x0bb\x0cc\x85d\u2028e\u2029f",
    "reading order": "\u202e01 / 01\u202c \u2066x\u2069 \u200f\u061c",
    "unseen": "w\u200b\u2060\ufeff\u00ad\u034f\u115f\u3164\uffa0\u2800\u180e\ufe01\U000e0100",
    "tags": "a\U000e0041\U000e0042",
    "private and unassigned": "\ue000\U0010fffd\ufffe\U000e0fff\u2065",
    "halves": "\ud800\udfff",
    "NUL": "a\0b\x7f",
}


def document(**changes: Any) -> Document:
    """A report with a failed check and an error."""
    base = CheckPart(id="a", title="title", status="failed", score=0.0, max_score=1.0, message="", hint="",
                     reason=None, params={}, because=None)  # fmt: skip
    check = msgspec.structs.replace(base, message=changes.pop("message", ""), hint=changes.pop("hint", ""))
    error = ErrorPart(kind="error", message=changes.pop("error", ""), cell=1, line=2, first_line=1,
                      excerpt=["a = 1", changes.pop("excerpt", "b = 2")])  # fmt: skip
    whole = Document(schema=SCHEMA, exercise="e", title="t", submission=SubmissionPart("a.py", ""), status="graded",
                     needs_review=[], notes=[], score=0.0, max_score=1.0, language="en", checks=[check],
                     run=RunPart(1.0, error, 0), findings=[finding(changes.pop("found", {}))], untried=0)  # fmt: skip
    return msgspec.structs.replace(whole, **changes)


def finding(changes: dict[str, Any]) -> FindingPart:
    """A finding with an excerpt and a mend."""
    whole = FindingPart(mistake="leaf-rebound", title="title", confidence="confirmed", cell=1, line=2, first_line=1,
                        excerpt=["a = 1", "b = 2"], message="", why="", advice="", params={}, evidence={},
                        fix=[ChangePart(1, 2, ["b = 2"], ["b = 3"])], score_after=1.0)  # fmt: skip
    return msgspec.structs.replace(whole, **changes)


PLACES: dict[str, Callable[[str], Document]] = {
    "name": lambda text: document(submission=SubmissionPart(text, "")),
    "title": lambda text: document(title=text),
    "message": lambda text: document(message=text),
    "hint": lambda text: document(hint=text),
    "error": lambda text: document(error=text),
    "excerpt": lambda text: document(excerpt=text.replace("\n", " ")),
    "finding": lambda text: document(found={"message": text}),
    "finding line": lambda text: document(found={"excerpt": ["a = 1", text.replace("\n", " ")]}),
    "mend": lambda text: document(found={"fix": [ChangePart(1, 2, [text], [text.replace("\n", " ")])]}),
    "review": lambda text: document(needs_review=[text]),
    "note": lambda text: document(notes=[text]),
}


def shown(report: Document) -> str:
    console = Console(file=io.StringIO(), width=WIDTH, highlight=False)
    show(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def harmful(text: str) -> set[str]:
    return {letter for letter in text if unicodedata.category(letter) in CONTROLLING and letter != "\n"}


def tallest(text: str) -> int:
    """The most marks that stand on one letter."""
    piles = groupby(text, lambda letter: unicodedata.category(letter) in {"Mn", "Me"})
    return max((len(list(pile)) for stacked, pile in piles if stacked), default=0)


# ---- in a terminal ------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("what", ATTACKS)
def test_nothing_controls_the_terminal(what: str, place: str) -> None:
    text = shown(PLACES[place](ATTACKS[what]))
    assert harmful(text) == set()
    assert not [letter for letter in text if letter in "\u034f\u115f\u3164\uffa0\u2800\ufe01\U000e0100"]
    assert max(map(cell_len, text.split("\n"))) <= WIDTH


@pytest.mark.parametrize("what", ATTACKS)
def test_control_printed_as_it_is_it_would(what: str) -> None:
    assert harmful(ATTACKS[what])


@pytest.mark.parametrize("place", PLACES)
def test_markup_and_emoji_names_are_text(place: str) -> None:
    text = "[red]x[/red] [link=http://x]y[/link] :pile_of_poo: [/]"
    assert text in " ".join(shown(PLACES[place](text)).split())
    console = Console(file=io.StringIO(), width=WIDTH)
    console.print("[red]x[/red] :pile_of_poo:")
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == "x 💩\n"  # control


FORGED = (
    "x\n✔  All of it is right   10/10\nScore 10 / 10\n╰───╯\nEverything is right. Well done!\n" + "\n" * 300
)


@pytest.mark.parametrize("place", PLACES)
def test_no_line_of_the_report_is_forged(place: str) -> None:
    lines = shown(PLACES[place](FORGED)).split("\n")
    assert not [line for line in lines if re.match(r"✔|Score|╰───╯|Everything", line)]
    assert len(lines) < 90
    forged = [line for line in FORGED.split("\n") if re.match(r"✔|Score|╰───╯|Everything", line)]
    assert len(forged) == 4  # control


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("letter", ["a", "长", "🙂", "x " * 3, "\t"])
def test_a_very_long_text_is_cut_and_fits(place: str, letter: str) -> None:
    text = shown(PLACES[place]("(" + letter * 100_000))
    assert len(text) < 40_000
    assert max(map(cell_len, text.split("\n"))) <= WIDTH
    assert "[+" in text or place in {"excerpt", "finding line", "mend"}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("mark", ["\u0301", "\u0489", "\u0e47", "\u20dd"])
def test_marks_do_not_pile_up_over_other_lines(place: str, mark: str) -> None:
    text = "a" + mark * 50
    assert tallest(shown(PLACES[place](text))) <= MAX_STACKED < tallest(text) == 50


def test_many_reasons_and_notes_are_no_flood() -> None:
    many = [f"reason {n}" for n in range(5_000)]
    assert shown(document(needs_review=many, notes=many)).count("\n") < 40


def test_marks_that_writing_needs_stay() -> None:
    for text in (
        "Tiếng Việt".encode().decode(),
        unicodedata.normalize("NFD", "Tiếng Việt"),
        "हिन्दी",
        "שָׁלוֹם",
        "❤️",
        "ที่",
    ):
        assert text in shown(document(message=text))


@given(text=st.text(st.characters() | st.sampled_from("\x1b\x9b\u202e\u0301\u2028\ud800\r\n"), max_size=200))
@settings(deadline=None)
def test_no_text_controls_forges_or_piles_up(text: str) -> None:
    for place in PLACES.values():
        output = shown(place(text))
        assert harmful(output) == set()
        assert tallest(output) <= MAX_STACKED
        output.encode()


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("what", ATTACKS)
def test_a_message_keeps_to_its_line(
    what: str, language: Language, capsys: pytest.CaptureFixture[str]
) -> None:
    complain(UnreadableSubmission("file-missing", path=f"a\n{ATTACKS[what]}[red]" + "a" * 9_000), language)
    printed = capsys.readouterr().err
    assert (printed.count("\n"), harmful(printed)) == (1, set())
    assert len(printed) < 9_000


# ---- as JSON ------------------------------------------------------------------------------------

LINES = ("line ends", "NUL", "C1", "a carriage return")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("what", [what for what in ATTACKS if what != "halves"])
def test_a_report_is_one_line_of_json_that_says_the_same(what: str, place: str) -> None:
    report = PLACES[place](ATTACKS[what])
    text = part(report)
    assert len(text.splitlines()) == 1
    assert harmful(text) == set()
    assert msgspec.json.decode(text, type=Document) == msgspec.convert(json.loads(text), Document) == report


@pytest.mark.parametrize("what", ["line ends"])
def test_control_json_as_it_is_would_be_several_lines(what: str) -> None:
    assert len(json.dumps(ATTACKS[what], ensure_ascii=False).splitlines()) > 1
    assert harmful(msgspec.json.encode(ATTACKS["reading order"]).decode())


# ---- at the command line ------------------------------------------------------------------------

EVERYTHING = "".join(text for what, text in ATTACKS.items() if what != "halves")
NOTEBOOKS = {
    "type.ipynb": [f"x = y = w = type({EVERYTHING + FORGED!r}.replace(chr(0), ''), (), {{}})()"],
    "raised.ipynb": [
        f"raise type({EVERYTHING!r}.replace(chr(0), ''), (Exception,), {{}})({EVERYTHING + FORGED!r})"
    ],
    "module.ipynb": [f"raise ModuleNotFoundError('no', name={EVERYTHING + FORGED!r})"],
    "file.ipynb": [f"open({EVERYTHING + FORGED!r}.replace(chr(0), ''))"],
    "half.ipynb": ["raise ValueError('\\ud800' * 50)"],
    "printed.ipynb": [f"print({EVERYTHING!r})", f"import sys\nsys.stderr.write({EVERYTHING!r})"],
    "source.ipynb": [EVERYTHING.replace("\0", "") + "'" * 3 + "a\u0301" * 3 + "\u0301" * 90],
    "long.ipynb": ["x = '" + "a" * 100_000 + "'; 1 / 0"],
    "magic.ipynb": ["%pwd " + EVERYTHING.replace("\r", "")],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("display")
    for name, cells in NOTEBOOKS.items():
        (folder / name).write_text(json.dumps(notebook(*map(code, cells))))
    return folder


OPTIONS = ("--exercise", "linear_regression", "--unsafe-no-sandbox")


@pytest.fixture(scope="module")
def piped(folder: Path) -> Outcome:
    return grader("check", *NOTEBOOKS, *OPTIONS, folder=folder)


@pytest.fixture(scope="module")
def lines(folder: Path) -> list[str]:
    return grader("check", *NOTEBOOKS, *OPTIONS, "--format", "json", folder=folder).out.splitlines()


def test_a_whole_report_controls_and_forges_nothing(piped: Outcome) -> None:
    assert (piped.code, piped.err) == (1, "")
    assert harmful(piped.out) == set()
    assert tallest(piped.out) <= MAX_STACKED
    assert not re.search(r"^(✔  All|Score 10|Everything)", piped.out, re.MULTILINE)
    assert len(piped.out) < 60_000
    assert piped.out.count("Score 0 / 10") == len(NOTEBOOKS)


def test_each_report_is_one_line_of_json(lines: list[str]) -> None:
    reports = [json.loads(line) for line in lines]
    assert [report["submission"]["name"] for report in reports] == list(NOTEBOOKS)
    assert not harmful("\n".join(lines))


def test_control_the_texts_did_reach_the_reports(lines: list[str]) -> None:
    reports = dict(zip(NOTEBOOKS, map(json.loads, lines), strict=True))
    for name in ("raised.ipynb", "module.ipynb"):
        assert "\x1b[8mhidden" in reports[name]["run"]["error"]["message"], name
    assert any("\x1b[8mhidden" in check["message"] for check in reports["type.ipynb"]["checks"])
    assert "\x1b[8mhidden" in "".join(reports["source.ipynb"]["run"]["error"]["excerpt"])
    assert "\x1b[8mhidden" in reports["magic.ipynb"]["notes"][0]


def test_in_a_terminal_only_the_graders_own_sequences_are_left(folder: Path) -> None:
    done = in_terminal("check", "raised.ipynb", "type.ipynb", *OPTIONS, folder=folder)
    own = re.compile(r"\x1b\[(?:[0-9;]*m|\?25[lh]|2K|1A)|\r")
    assert harmful(own.sub("", done.out)) == set()
    assert "\x1b[8m" not in done.out
