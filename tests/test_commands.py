"""The smaller commands, and what every command owes: help, a language, a light process."""

import shutil
from pathlib import Path
from typing import get_args

import nbformat
import pytest
import typer

from grader import __version__
from grader.cli import app
from grader.exercise import course_folder, load_exercise, slugs
from grader.model import Language
from grader.starter import starter_notebook
from tests.command import grader, python
from tests.conftest import SAMPLE

SLUG = "linear_regression"
COURSE = course_folder(None)
GROUP = typer.main.get_group(app)
CONTEXT = typer.Context(GROUP, info_name="grader")
COMMANDS = sorted(GROUP.list_commands(CONTEXT))

# ---- languages ----------------------------------------------------------------------------------

LOCALES: list[tuple[dict[str, str], str]] = [
    ({}, "en"),
    ({"LANG": "C.UTF-8"}, "en"),
    ({"LANG": "zh_CN.UTF-8"}, "zh"),
    ({"LC_ALL": "zh_TW.UTF-8", "LANG": "en_US.UTF-8"}, "zh"),
    ({"LC_ALL": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
    ({"LANGUAGE": "zh:en", "LC_ALL": "en_US.UTF-8"}, "zh"),
    ({"LANG": "zh_CN.UTF-8", "GRADER_LANGUAGE": "en"}, "en"),
]


@pytest.mark.parametrize(("variables", "language"), LOCALES, ids=range(len(LOCALES)))
def test_the_language_is_the_locales(tmp_path: Path, variables: dict[str, str], language: str) -> None:
    done = grader("exercises", folder=tmp_path, **variables)
    title = {"en": "Linear regression by gradient descent", "zh": "线性回归：PyTorch 梯度计算与梯度下降"}[
        language
    ]
    assert done.code == 0
    assert f"{SLUG}      {title}\n" in done.out


def test_lists_every_exercise_of_the_course(tmp_path: Path) -> None:
    shutil.copytree(COURSE / "exercises", tmp_path / "exercises")
    done = grader("exercises", "--course", ".", folder=tmp_path)
    names = [line.split()[0] for line in done.out.splitlines()]
    assert names == sorted(path.parent.name for path in COURSE.glob("exercises/*/checks.py"))
    assert len(names) >= 7


# ---- start --------------------------------------------------------------------------------------


def test_start_writes_the_notebook_and_says_what_is_next(tmp_path: Path) -> None:
    done = grader("start", SLUG, folder=tmp_path)
    assert done.code == 0
    assert done.out.startswith(f"Wrote {SLUG}.ipynb.")
    assert f"grader check {SLUG}.ipynb" in done.out
    written = (tmp_path / f"{SLUG}.ipynb").read_text("utf-8")
    assert written == starter_notebook(load_exercise(COURSE, SLUG), "en")


def test_start_writes_where_it_is_told_in_chinese(tmp_path: Path) -> None:
    done = grader("start", SLUG, "--output", "我的.ipynb", "--language", "zh", folder=tmp_path)
    assert done.code == 0
    assert done.out.startswith("已写入 我的.ipynb。")
    assert (tmp_path / "我的.ipynb").read_text("utf-8") == starter_notebook(load_exercise(COURSE, SLUG), "zh")


def test_start_writes_over_nothing(tmp_path: Path) -> None:
    (tmp_path / f"{SLUG}.ipynb").write_text("my work")
    done = grader("start", SLUG, folder=tmp_path)
    assert done.code == 2
    assert done.err.startswith(f"{SLUG}.ipynb is there already and is left as it is.")
    assert (tmp_path / f"{SLUG}.ipynb").read_text() == "my work"


def test_start_says_where_it_cannot_write(tmp_path: Path) -> None:
    done = grader("start", SLUG, "--output", "no/such/folder.ipynb", folder=tmp_path)
    assert done.code == 2
    assert done.err.startswith("no/such/folder.ipynb cannot be written (No such file or directory).")


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("slug", slugs(COURSE))
def test_a_starter_is_a_valid_notebook_that_names_its_exercise(slug: str, language: Language) -> None:
    exercise = load_exercise(COURSE, slug)
    notebook = nbformat.reads(starter_notebook(exercise, language), as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata["grader"] == {"exercise": slug}
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source == exercise.task(language)
    assert any(cell.cell_type == "code" for cell in notebook.cells)
    assert not any(cell.get("outputs") for cell in notebook.cells)


# ---- what every command owes --------------------------------------------------------------------


def test_prints_its_version(tmp_path: Path) -> None:
    assert grader("--version", folder=tmp_path) == (0, f"{__version__}\n", "")


def test_prints_the_schema_that_is_published(tmp_path: Path) -> None:
    done = grader("schema", folder=tmp_path)
    assert done == (0, (COURSE / "docs" / "report.schema.json").read_text("utf-8"), "")


def test_prints_help_without_a_command(tmp_path: Path) -> None:
    done = grader(folder=tmp_path)
    assert all(name in done.out + done.err for name in COMMANDS)


def test_the_commands_are_those_of_the_design() -> None:
    assert set(COMMANDS) >= {"check", "exercises", "start", "schema"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(tmp_path: Path, name: str) -> None:
    command = GROUP.get_command(CONTEXT, name)
    assert command is not None
    assert command.help
    shown = grader(name, "--help", folder=tmp_path)
    assert (shown.code, shown.err) == (0, "")
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{name}: {parameter.name} has no help"
        assert all(option in shown.out for option in parameter.opts if option.startswith("-"))
    assert command.help.splitlines()[0] in shown.out


IMPORTS = """
import sys
from grader.cli import main
sys.argv = ["grader", "check", sys.argv[1], "--exercise", "linear_regression"]
try:
    main()
except SystemExit as end:
    print(end.code, "torch" in sys.modules, file=sys.stderr)
"""


def test_the_command_itself_does_without_torch(tmp_path: Path) -> None:
    assert python("-c", IMPORTS, SAMPLE, folder=tmp_path).err == "0 False\n"
