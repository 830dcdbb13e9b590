"""Where reports are written: which combinations of formats and places there are, and what the real command makes of them."""

import json
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.report.discovery import format_of
from grader.report.document import Document
from grader.report.outlets import Folder, outlet
from grader.report.places import places
from grader.report.writer import screen
from tests.attacks.test_display import document
from tests.command import Outcome, grader
from tests.files import code, notebook
from tests.valid_formats import VALID

UNSAFE = "--unsafe-no-sandbox"
SCREEN = "screen"
# formats, output (a name that ends in / is a folder that is there), several → each format's place.
PLACED: list[tuple[str, str | None, bool, dict[str, str]]] = [
    ("terminal", None, True, {"terminal": SCREEN}),
    ("json", None, True, {"json": SCREEN}),
    ("gradescope", None, False, {"gradescope": SCREEN}),
    ("json", "r.txt", True, {"json": "r.txt"}),
    ("gradescope", "results.json", False, {"gradescope": "results.json"}),
    ("gradescope", "new", True, {"gradescope": "new/*"}),
    ("json", "out/", False, {"json": "out/report.json"}),
    ("json", "out/", True, {"json": "out/report.jsonl"}),
    ("terminal", "out/", False, {"terminal": "out/report.txt"}),
    ("terminal junit", "r.xml", False, {"terminal": SCREEN, "junit": "r.xml"}),
    ("junit junit", "r.xml", False, {"junit": "r.xml"}),
    ("junit markdown", "new", False, {"junit": "new/report.xml", "markdown": "new/report.md"}),
    (
        "terminal junit autolab",
        "new",
        True,
        {"terminal": SCREEN, "junit": "new/report.xml", "autolab": "new/*"},
    ),
]
REFUSED = [
    ("json junit", None, False, "formats-need-output"),
    ("terminal json", None, False, "formats-need-output"),
    ("gradescope", None, True, "format-needs-folder"),
    ("gradescope", "kept.txt", True, "output-not-folder"),
    ("json junit", "kept.txt", False, "output-not-folder"),
    ("yaml", None, False, "format-unknown"),
]


@pytest.mark.parametrize(("formats", "output", "several", "where"), PLACED)
def test_each_format_has_its_place(
    formats: str, output: str | None, several: bool, where: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    found = places(formats.split(), None if output is None else tmp_path / output, several=several)
    assert {place.format.name: shown(place.file, place.folder, tmp_path) for place in found} == where


def shown(file: Path | None, folder: Path | None, root: Path) -> str:
    if file is not None:
        return file.relative_to(root).as_posix()
    return SCREEN if folder is None else f"{folder.relative_to(root).as_posix()}/*"


@pytest.mark.parametrize(("formats", "output", "several", "why"), REFUSED)
def test_what_does_not_fit_together_is_refused(
    formats: str, output: str | None, several: bool, why: str, tmp_path: Path
) -> None:
    (tmp_path / "kept.txt").write_text("kept")
    with pytest.raises(UsageError) as refused:
        places(formats.split(), None if output is None else tmp_path / output, several=several)
    assert refused.value.text == why


# ---- a file for each ----------------------------------------------------------------------------


def named(name: str) -> Document:
    report = document()
    return document(submission=type(report.submission)(name, ""))


def test_every_submission_has_a_name_of_its_own_that_leads_nowhere_else(tmp_path: Path) -> None:
    folder = Folder(format_of("gradescope"), tmp_path, ())
    names = [
        "a.ipynb",
        "A.py",
        "z.zip/ada/a.ipynb",
        "../../etc/passwd",
        ".ipynb",
        "/",
        "长 名\n\x1b.py",
        "x" * 900,
        "CON.py",
    ]
    for name in names:
        folder.put(named(name))
    written = sorted(path.name for path in tmp_path.rglob("*"))
    assert len(written) == len(names)
    assert {"a.gradescope.json", "A-2.gradescope.json", "z.zip_ada_a.gradescope.json"} <= set(written)
    assert "长_名.gradescope.json" in written
    assert all(len(name.encode()) < 200 and not name.startswith(".") for name in written)


def test_a_submission_is_never_written_over(tmp_path: Path) -> None:
    handed_in = tmp_path / "mine.py"
    handed_in.write_text("w = 1")
    (tmp_path / "report.json").symlink_to(handed_in)
    (tmp_path / "a.gradescope.json").hardlink_to(handed_in)
    [place] = places(["json"], tmp_path, several=False)
    with pytest.raises(UsageError, match="file-exists"):
        outlet(place, screen(), [handed_in], several=False)
    with pytest.raises(UsageError, match="file-exists"):
        Folder(format_of("gradescope"), tmp_path, [handed_in]).put(named("a.ipynb"))
    assert handed_in.read_text() == "w = 1"


# ---- the real command ---------------------------------------------------------------------------


def write(path: Path, source: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        json.dumps(notebook(code(source), metadata={"grader": {"exercise": "minimise_parabola"}}))
    )
    return path


FORMATS = ("terminal", "json", "markdown", "junit", "gradescope", "classroom50", "prairielearn", "autolab")
OPTIONS = [part for name in FORMATS for part in ("--format", name)]


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Path]:
    """Two submissions of one name and a file that is none, in all formats."""
    folder = tmp_path_factory.mktemp("batch")
    write(folder / "ada" / "work.ipynb", "x = 1.0")
    write(folder / "bob" / "work.ipynb", "raise ValueError('<b>&')")
    (folder / "bad.ipynb").write_text("{")
    files = ("ada/work.ipynb", "bob/work.ipynb", "bad.ipynb")
    return grader("check", *files, *OPTIONS, "--output", "out", UNSAFE, folder=folder), folder / "out"


def test_all_formats_are_written_at_once(batch: tuple[Outcome, Path]) -> None:
    done, out = batch
    assert done.code == 2
    assert done.out.count("Score 0 / 10") == 2
    assert done.err.startswith("bad.ipynb is not a notebook")
    apart = {f"{stem}.{name}" for stem in ("work", "work-2", "bad")
             for name in ("gradescope.json", "classroom50.json", "prairielearn.json", "autolab.txt")}  # fmt: skip
    assert {path.name for path in out.iterdir()} == apart | {"report.jsonl", "report.md", "report.xml"}
    assert len((out / "report.jsonl").read_text().splitlines()) == 3
    assert (out / "report.xml").read_text().count("<testsuite ") == 3
    assert (out / "report.md").read_text().count("\n## ") + 1 == 3


@pytest.mark.parametrize("name", FORMATS[1:])
def test_what_the_command_writes_is_valid(batch: tuple[Outcome, Path], name: str) -> None:
    format = format_of(name)
    paths = [path for path in batch[1].iterdir() if path.name.endswith(format.suffix(together=True))]
    assert len(paths) == (1 if format.joins else 3)
    for path in paths:
        VALID[name](path.read_text("utf-8"))


def test_a_system_gets_its_result_where_nothing_can_be_graded(tmp_path: Path) -> None:
    write(tmp_path / "a.ipynb", "x = 1.0")
    (tmp_path / "grader.toml").write_text('sandbox = "bubblewrap"\n')
    done = grader(
        "check",
        "a.ipynb",
        "--format",
        "gradescope",
        "--output",
        "results.json",
        folder=tmp_path,
        PATH="/nowhere",
    )
    assert done.code == 3
    VALID["gradescope"]((tmp_path / "results.json").read_text("utf-8"))
    assert "The 0 is no grade" in (tmp_path / "results.json").read_text("utf-8")


REQUESTS: list[tuple[tuple[str, ...], str]] = [
    (("check", "a.py", "--format", "json", "--format", "junit"), "name a folder for them with --output"),
    (("check", "a.py", "a.py", "--format", "gradescope"), "`gradescope` is one file for each submission"),
    (
        ("check", "a.py", "a.py", "--format", "gradescope", "--output", "a.py"),
        "a.py is a file, and a folder is needed",
    ),
    (("diagnose", "a.py", "--format", "autolab"), "`autolab` reports points"),
    (("check", "a.py", "--format", "pdf", "--language", "zh"), "没有格式 `pdf`"),
]


@pytest.mark.parametrize(("arguments", "said"), REQUESTS, ids=range(len(REQUESTS)))
def test_a_request_that_does_not_fit_is_refused(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    done = grader(*arguments, folder=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["a.py"]


@pytest.mark.parametrize(("language", "said"), [("en", "Gradescope's results.json"), ("zh", "评分")])
def test_the_formats_are_listed(tmp_path: Path, language: str, said: str) -> None:
    done = grader("formats", "--language", language, folder=tmp_path)
    assert done.code == 0
    assert done.out.startswith("terminal ")
    assert said in done.out
