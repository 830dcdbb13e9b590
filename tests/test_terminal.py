"""What reaches a terminal: progress, colours, and nothing that a submission could control it with."""

import json
import re
import unicodedata
from pathlib import Path

import pytest

from tests.command import Outcome, grader, in_terminal
from tests.files import code, notebook

SLUG = "linear_regression"
# What a submission could try: conceal, a link, C1's cursor up, a title, right-to-left, backspaces.
HOSTILE = "\x1b[8m\x1b]8;;http://x\x07\x9b1A\x1b]0;title\x07\u202egrade\u2066\b\x7f\r"
HOSTILE_NAME = "my\x1b[8m\u202ework\n✔ all.ipynb"
CONTROL_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7])(?:;[0-9;]*)?m")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hostile notebooks: one whose code is, one whose metadata is."""
    folder = tmp_path_factory.mktemp("hostile")
    magic = f"%matplotlib inline # {HOSTILE}".replace("\r", "")
    error = f"import torch\nraise ValueError({HOSTILE!r} + '[bold]no markup[/bold]')"
    cells = [code(magic), code(error)]
    for name, exercise in ((HOSTILE_NAME, SLUG), ("b.ipynb", HOSTILE)):
        document = notebook(*cells, metadata={"grader": {"exercise": exercise}})
        (folder / name).write_text(json.dumps(document), "utf-8")
    return folder


@pytest.fixture(scope="module")
def coloured(folder: Path) -> Outcome:
    return in_terminal("check", HOSTILE_NAME, "b.ipynb", "--unsafe-no-sandbox", folder=folder)


@pytest.fixture(scope="module")
def piped(folder: Path) -> Outcome:
    return grader("check", HOSTILE_NAME, "b.ipynb", "--unsafe-no-sandbox", folder=folder)


def harmful(text: str) -> set[str]:
    """What is left that controls a terminal, besides line ends and the grader's own colours and cursor."""
    text = CONTROL_SEQUENCE.sub("", text)
    return {c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"} and c not in "\n\r"}


# ---- before a terminal --------------------------------------------------------------------------


def test_a_terminal_sees_progress(coloured: Outcome) -> None:
    assert "starting Python and PyTorch …" in coloured.out
    assert "running cell " in coloured.out
    assert coloured.code == 2


def test_progress_is_cleared_before_a_report(coloured: Outcome) -> None:
    before = coloured.out[: coloured.out.index("╭")]
    assert before.endswith("\x1b[2K")
    assert coloured.out.rindex("running cell") < coloured.out.index("╭")


def test_a_terminal_gets_colours(coloured: Outcome) -> None:
    assert COLOUR.search(coloured.out)


def test_the_cursor_is_given_back(coloured: Outcome) -> None:
    assert coloured.out.count("\x1b[?25l") == coloured.out.count("\x1b[?25h")


def test_nothing_of_a_submission_controls_the_terminal(coloured: Outcome) -> None:
    assert harmful(coloured.out) == set()
    assert "\x1b[8m" not in coloured.out
    assert "[bold]no" in coloured.out


@pytest.mark.slow
def test_no_color_is_heeded(folder: Path) -> None:
    plain = in_terminal("check", HOSTILE_NAME, "b.ipynb", "--unsafe-no-sandbox", folder=folder, NO_COLOR="1")
    assert not COLOUR.search(plain.out)
    assert "Score" in plain.out
    assert "There is no exercise" in plain.out


def test_json_in_a_terminal_is_harmless_and_says_the_same(folder: Path) -> None:
    shown = in_terminal(
        "check", HOSTILE_NAME, "b.ipynb", "--unsafe-no-sandbox", "--format", "json", folder=folder
    )
    assert harmful(shown.out) == set()
    lines = CONTROL_SEQUENCE.sub("", shown.out).replace("\r", "\n").splitlines()
    report = next(json.loads(line) for line in lines if line.startswith("{"))
    assert report["submission"]["name"] == HOSTILE_NAME
    assert HOSTILE in report["run"]["error"]["message"]


# ---- in a pipe ----------------------------------------------------------------------------------


def test_a_pipe_gets_no_control_sequences_and_no_progress(piped: Outcome) -> None:
    assert "\x1b" not in piped.out + piped.err
    assert "running cell" not in piped.out + piped.err
    assert "starting Python" not in piped.out + piped.err


def test_what_was_hostile_is_shown_by_name(piped: Outcome) -> None:
    assert harmful(piped.out + piped.err) == set()
    assert r"my\x1b[8m\u202ework\n✔ all.ipynb" in piped.out
    assert r"\x9b1A" in piped.out
    assert "\r" not in piped.out + piped.err
    assert "was left out; the grader runs plain Python" in " ".join(piped.out.split())


def test_a_message_keeps_to_its_line(piped: Outcome) -> None:
    assert piped.err.count("\n") == 1
    assert piped.err.startswith(r"There is no exercise `\x1b[8m\x1b]8;;http://x\x07\x9b1A")


@pytest.mark.slow
def test_letters_that_a_pipe_cannot_hold_are_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("w = 1")
    options = ("--exercise", SLUG, "--language", "zh")
    done = grader("check", "a.py", *options, folder=tmp_path, PYTHONIOENCODING="ascii")
    assert (done.code, done.err) == (1, "")
    assert done.out.isascii()
    assert r"\u5f97\u5206 0 / 10" in done.out
