"""Every example of README.md, CONTRIBUTING.md and docs/ does what its page says, as its reader walks through it."""

import re
import shlex
from pathlib import Path

import pytest
import typer
import typer.core

from grader.cli import app
from grader.model import Limits
from tests.examples import DOCS, Example, examples, inline, pages
from tests.places_of_pages import furnish
from tests.walk import Walk

# Pages that take longer than ten seconds or so; but the one that most readers walk through is always run.
SLOW = {
    "README.md",
    "CONTRIBUTING.md",
    "docs/formats.md",
    "docs/gradescope.md",
    "docs/settings.md",
    "docs/cluster.md",
    "docs/service.md",
    "docs/tutorials/learner.md",
    "docs/tutorials/learner.zh.md",
    "docs/tutorials/teacher.md",
    "docs/tutorials/teacher.zh.md",
    "docs/tutorials/author.md",
}
# Pages whose readers grade others' files, which is refused where nothing isolates them.
OF_OTHERS = {
    "README.md",
    "docs/cluster.md",
    "docs/service.md",
    "docs/tutorials/teacher.md",
    "docs/tutorials/teacher.zh.md",
}
# What is run elsewhere, or nowhere, by its first line; each page says why.
NOT_RUN = {
    "docs/classroom50.md": [
        '"""Grades the one notebook of a submission; a status other than 0 tells the runner that it could not be graded."""'
    ],
    "docs/jupyterhub.md": ['c.JupyterHub.public_url = "https://hub.example.org/"'],
    "docs/push.md": ["pip install '.[service]'"],
    "docs/cluster.md": [
        "pip install '.[cluster]'",
        "import signal",
        "from dask_kubernetes.operator import KubeCluster",
        "kubectl port-forward service/grading-scheduler 8786:8786",
        "grader batch submissions/ --exercise linear_regression --output grades/ --gradebook postgresql://grader@db.example.org/grades",
    ],
    "docs/other-graders.md": [
        "try:",
        "c.Execute.timeout = 180",
        "from otter.test_files import test_case",
        "import subprocess",
    ],
    "docs/service.md": ["pip install '.[service]'", "grader serve --url https://grader.example.org"],
    "docs/tutorials/author.md": ["pip install ."],
    "docs/tutorials/learner.md": ["pip install ."],
    "docs/tutorials/learner.zh.md": ["pip install ."],
    "docs/tutorials/teacher.md": ["pip install ."],
    "docs/tutorials/teacher.zh.md": ["pip install ."],
}
GROUP = typer.main.get_group(app)
CONTEXT = typer.Context(GROUP, info_name="grader")


def marked(page: str) -> object:
    """A page that takes long is a slow end."""
    return pytest.param(page, marks=pytest.mark.slow) if page in SLOW else page


@pytest.mark.parametrize("page", [marked(page) for page in pages()])
def test_the_examples_of_a_page_do_as_it_says(
    page: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if page in OF_OTHERS and request.getfixturevalue("kernels").sandbox.tier == "none":
        pytest.skip("nothing isolates submissions here")
    furnish(page, tmp_path)
    with Walk(tmp_path) as walk:
        for example in examples(page):
            walk.step(example)


def test_there_are_examples() -> None:
    assert len(pages()) > 10
    assert sum(len(examples(page)) for page in pages()) > 50


def test_what_is_not_run_is_listed() -> None:
    found: dict[str, list[str]] = {}
    for page in pages():
        for example in examples(page):
            if example.said.startswith("not run"):
                assert len(example.said.removeprefix("not run: ")) > 20, f"{example.place} gives no reason"
                found.setdefault(page, []).append(example.text.splitlines()[0])
    assert found == NOT_RUN


# ---- commands inside sentences ------------------------------------------------------------------


@pytest.mark.parametrize("page", pages())
def test_a_command_in_a_sentence_exists(page: str) -> None:
    for said in inline(page):
        words = shlex.split(re.sub(r"^([A-Z_]+=\S+ )+", "", said).replace("'", ""), comments=True)
        if words[:1] != ["grader"] or words[1:2] in (["…"], ["="]):
            continue
        known = {option for each in GROUP.params for option in each.opts}
        if words[1:] and not words[1].startswith("-"):
            command = GROUP.get_command(CONTEXT, words[1])
            assert command is not None, f"{page}: {said}"
            if isinstance(
                command, typer.core.TyperGroup
            ):  # `grader batch PATH …` is short for `grader batch run PATH …`
                command = command.commands.get((words[2:] or [""])[0], command.commands.get("run", command))
            known = {option for each in command.params for option in each.opts} | {"--help"}
        options = {word.partition("=")[0] for word in words if word.startswith("-")}
        assert options <= known, f"{page}: {said}"


# ---- the machinery notices what is wrong --------------------------------------------------------

UNTRUE = [
    ("grader exercises", "", "exit 1", "exit code 0"),
    ("grader no-such-command", "", "", "exit code 2"),
    ("make nothing", "", "", "there is no make nothing"),
    ("some words", "", "", "should say what it is"),
    ("x = 1 / 0", "python", "", "exit code 1"),
    ("w = w - 1", "python", "part of LICENSE", "is not in LICENSE"),
    ("[no_such_table]\nx = 1", "toml", "in exercise.toml", "exit code 2"),
    ("anything", "", "something", "nobody knows"),
]


@pytest.mark.parametrize(("text", "language", "said", "why"), UNTRUE, ids=range(len(UNTRUE)))
def test_an_example_that_is_not_true_fails(
    text: str, language: str, said: str, why: str, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match=why):
        Walk(tmp_path).step(Example("page.md", 1, text, language, said))


def test_output_is_compared_line_by_line(tmp_path: Path) -> None:
    walk = Walk(tmp_path)
    walk.step(Example("page.md", 1, "python -c 'print(1); print(2); print(3)'", "", ""))
    walk.step(Example("page.md", 2, "1\n…\n3", "text", "output"))
    with pytest.raises(AssertionError, match="shows other output"):
        walk.step(Example("page.md", 3, "1\n3", "text", "output"))


# ---- the table of limits ------------------------------------------------------------------------


def test_the_table_of_limits_is_true() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", (DOCS / "settings.md").read_text("utf-8"), re.MULTILINE)
    told = {name: float(value) for name, value in rows if name != "seed"}
    assert told == {name: float(getattr(Limits(), name)) for name in Limits.__struct_fields__}
