"""Where nothing isolates submissions: what reports say, and whose files are graded all the same."""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
from rich.console import Console
from typer.testing import CliRunner

from grader.cli import app
from grader.kernel.pool import Kernels
from grader.model import Language, Report, Sandbox, Tier
from grader.report import terminal
from grader.report.document import json_schema, word
from grader.report.formats import json as as_json
from grader.text import catalogue
from tests.command import grader

LANGUAGES: tuple[Language, ...] = get_args(Language)
TIERS: tuple[Tier, ...] = get_args(Tier)
OPEN = {"GRADER_SANDBOX": "none"}
UNSAFE = "--unsafe-no-sandbox"
PLAIN = ("check", "a.ipynb", "--exercise", "minimise_parabola")


def report(sandbox: Sandbox | None) -> Report:
    """A report on a run that was confined like this; None where nothing was run."""
    return Report(exercise="x", submission="a.py", sha256="", status="graded", score=0.0, max_score=0.0,
                  sandbox=sandbox)  # fmt: skip


# ---- reports ------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", TIERS)
def test_json_says_how_the_run_was_confined(tier: Tier) -> None:
    sandbox = Sandbox(tier=tier, layers=("limits", "guardian"), missing=("cgroup",))
    found = json.loads(as_json.render(word(report(sandbox), None, "en")))
    assert found["run"]["sandbox"] == {"tier": tier, "layers": ["limits", "guardian"], "missing": ["cgroup"]}
    jsonschema.validate(found, json_schema())


def test_what_was_graded_says_how_it_was_confined_and_what_was_not_run_does_not(
    grade_cells: Callable[..., Report], kernels: Kernels
) -> None:
    assert grade_cells(["w = 1.0"]).sandbox == kernels.sandbox
    assert word(report(None), None, "en").run.sandbox is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_terminal_tells_in_one_line_that_nothing_isolated_a_run(language: Language) -> None:
    line = catalogue(language)["label-not-isolated"]
    shown = []
    for sandbox in (None, *(Sandbox(tier=tier) for tier in TIERS)):
        console = Console(file=(file := io.StringIO()), width=240)
        terminal.show(word(report(sandbox), None, language), console)
        shown.append(file.getvalue().count(line))
    assert shown == [0, *(int(tier == "none") for tier in TIERS)]
    assert "grader doctor" in line


# ---- the command line ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "language", "word"),
    [
        (("a.ipynb", "b.ipynb"), "en", "isolates"),
        (("a.ipynb", "a.ipynb"), "zh", "隔离"),
        (("a.zip",), "en", "isolates"),
    ],
)
def test_what_may_be_of_others_is_refused(
    files: tuple[str, ...], language: str, word: str, tmp_path: Path
) -> None:
    for name in files:
        (tmp_path / name).write_text("")
    before = sorted(tmp_path.iterdir())
    done = grader("check", *files, "--output", "report.txt", "--language", language, folder=tmp_path, **OPEN)
    assert (done.code, done.out) == (2, "")
    assert all(said in done.err for said in (word, UNSAFE, "grader doctor"))
    assert done.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.slow
def test_several_files_can_be_graded_all_the_same(
    write_notebook: Callable[..., Path], tmp_path: Path
) -> None:
    write_notebook("x = 1", name="a.ipynb")
    done = grader(*PLAIN, "a.ipynb", UNSAFE, folder=tmp_path, **OPEN)
    assert (done.code, done.err) == (1, "")
    assert done.out.count(catalogue("en")["label-not-isolated"]) == 2


@pytest.mark.slow
def test_a_file_of_ones_own_goes_on_and_its_report_says_how(
    write_notebook: Callable[..., Path], tmp_path: Path
) -> None:
    write_notebook("x = 1", name="a.ipynb")
    done = grader(*PLAIN, "--format", "json", folder=tmp_path, **OPEN)
    assert (done.code, done.err) == (1, "")
    assert json.loads(done.out)["run"]["sandbox"]["tier"] == "none"


def test_a_file_of_another_user_is_refused(
    write_notebook: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_notebook("x = 1", name="a.ipynb")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    refused = CliRunner().invoke(app, PLAIN, env=OPEN)
    assert refused.exit_code == 2
    assert UNSAFE in refused.stderr
    assert CliRunner().invoke(app, [*PLAIN, UNSAFE], env=OPEN).exit_code == 1
