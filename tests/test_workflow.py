"""The workflow and the script in docs/classroom50.md: they are what GitHub and Python can read, and their commands exist and do it."""

import ast
import itertools
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from grader.cli import app
from grader.report.discovery import names
from tests.command import environment
from tests.examples import Example, examples
from tests.files import code as code_cell
from tests.files import notebook
from tests.places_of_pages import FORGOTTEN, RIGHT
from tests.valid_formats import valid_classroom50

PAGE = "docs/classroom50.md"
GROUP = typer.main.get_group(app)


def block(language: str) -> Example:
    (found,) = (example for example in examples(PAGE) if example.language == language)
    return found


def workflow() -> dict[Any, Any]:
    parsed = yaml.safe_load(block("yaml").text)
    assert isinstance(parsed, dict)
    return parsed


def step(name: str) -> dict[str, Any]:
    (job,) = workflow()["jobs"].values()
    (found,) = (step for step in job["steps"] if step.get("name") == name)
    return dict(found)


def test_the_workflow_has_what_github_asks_for() -> None:
    parsed = workflow()
    assert set(parsed) == {"name", True, "permissions", "jobs"}  # to YAML, `on` is a truth
    (job,) = parsed["jobs"].values()
    assert {"runs-on", "steps"} <= set(job)
    for one in job["steps"]:
        assert len({"uses", "run"} & set(one)) == 1, one
        assert "${{" not in one.get("run", ""), (
            "what others chose goes into a script by the environment alone"
        )


def test_its_commands_exist() -> None:
    (job,) = workflow()["jobs"].values()
    lines = [line for one in job["steps"] for line in one.get("run", "").splitlines()]
    commands = [shlex.split(line.partition(" || ")[0]) for line in lines if line.startswith("grader ")]
    assert len(commands) == 1
    for words in commands:
        command = GROUP.commands[words[1]]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options
        assert {value for option, value in itertools.pairwise(words) if option == "--format"} <= set(names())


def test_the_script_for_the_runner_asks_for_what_there_is() -> None:
    strings = [
        node.value for node in ast.walk(ast.parse(block("python").text)) if isinstance(node, ast.Constant)
    ]
    assert {"--exercise", "--format", "--output", "classroom50", "result.json"} <= set(strings)
    options = {option for parameter in GROUP.commands["check"].params for option in parameter.opts}
    assert {
        text for text in strings if isinstance(text, str) and re.fullmatch(r"--[a-z-]+", text)
    } <= options | {"--quiet"}


@pytest.mark.slow
@pytest.mark.parametrize(("cells", "code", "score"), [(RIGHT, 0, 1000), (FORGOTTEN, 0, 300), (None, 1, 0)])
def test_the_step_that_grades_does(cells: list[str] | None, code: int, score: int, tmp_path: Path) -> None:
    """A right and a wrong solution are results; that there is none fails the step, and leaves a result that says so."""
    if cells is not None:
        document = notebook(*map(code_cell, cells))
        (tmp_path / "linear_regression.ipynb").write_text(json.dumps(document), "utf-8")
    (job,) = workflow()["jobs"].values()
    given = {name: value for name, value in job["env"].items() if "${{" not in value}
    path = f"{Path(sys.executable).parent}:{environment()['PATH']}"
    variables = environment(**given, GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md")) | {"PATH": path}
    done = subprocess.run(
        ["bash", "-e", "-c", step("Grade")["run"]],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stderr
    result = (tmp_path / "result.json").read_text("utf-8")
    valid_classroom50(result)
    found = json.loads(result)
    assert found["assignment"] == "linear_regression"
    assert found["score"] == score
    assert (tmp_path / "summary.md").stat().st_size > 100
