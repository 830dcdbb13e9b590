"""The zip for Gradescope: what is in it, and what its scripts make of a submission."""

import base64
import csv
import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from grader.exercise import course_folder, load_exercise, slugs
from grader.settings import Settings, load_settings
from tests.command import grader
from tests.conftest import CORPUS, SAMPLE
from tests.containers import SLUG, Container, Run, packed
from tests.valid_formats import valid_gradescope

WRONG = CORPUS / SLUG / "s012.py"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packed(tmp_path_factory.mktemp("zip"), "--language", "en")


@pytest.fixture
def container(archive: Path, tmp_path: Path) -> Container:
    made = Container(tmp_path / "autograder")
    made.unpack(archive)
    return made


def texts(results: Run) -> str:
    return str(results.results)


# ---- what is in the zip -------------------------------------------------------------------------


def test_holds_what_gradescope_asks_for_and_one_exercise(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in opened.infolist()}
        pins = opened.read("constraints.txt").decode()
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755
    course = course_folder(None)
    own = [path for path in (course / "exercises" / SLUG).iterdir() if path.is_file()]
    wanted = {f"course/exercises/{SLUG}/{path.name}" for path in own} | {f"course/reference/{SLUG}.py"}
    assert {name for name in modes if name.startswith("course/")} == wanted
    assert all(modes[name] == 0o600 for name in (*wanted, "grader.toml"))
    assert "\ntorch==" in pins
    assert "+" not in pins
    assert "\nmsgspec==" in pins


def test_the_wheel_is_whole_and_knows_no_reference(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        (name,) = (name for name in opened.namelist() if name.endswith(".whl"))
        inside = zipfile.ZipFile(io.BytesIO(opened.read(name)))
    names = set(inside.namelist())
    (record,) = (name for name in names if name.endswith(".dist-info/RECORD"))
    for path, digest, size in csv.reader(inside.read(record).decode().splitlines()):
        if path != record:
            content = inside.read(path)
            hashed = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            assert (digest, int(size)) == (f"sha256={hashed}", len(content))
    assert {path for path, *_ in csv.reader(inside.read(record).decode().splitlines())} == names
    assert {"grader/cli.py", "grader/text/zh.toml", "grader/gradescope/run.py"} <= names
    solutions = [
        load_exercise(course_folder(None), slug).reference.read_bytes() for slug in slugs(course_folder(None))
    ]
    assert not any(inside.read(name) in solutions for name in names)


def test_the_settings_are_the_teachers_with_limits_for_such_a_container(tmp_path: Path) -> None:
    (tmp_path / "grader.toml").write_text('secret = "quoted \\" 秘密"\ncell_seconds = 20\nmemory_mb = 4000\n')
    container = Container(tmp_path / "autograder")
    container.unpack(packed(tmp_path, "--seed", "7"))
    found = load_settings(container.source, {})
    assert (found.secret, found.seed, found.language) == ('quoted " 秘密', 7, "en")
    assert (found.sandbox, found.course) == ("container", "course")
    assert (found.cell_seconds, found.run_seconds, found.memory_mb) == (40, 120, 448)
    assert set(Settings.__struct_fields__) == {
        line.split(" = ")[0] for line in (container.source / "grader.toml").read_text().splitlines()
    }


@pytest.mark.slow
def test_the_same_command_makes_the_same_zip(archive: Path, tmp_path: Path) -> None:
    assert packed(tmp_path, "--language", "en").read_bytes() == archive.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("knitting",), "knitting"),
        ((SLUG, "--output", "no/such.zip"), "no/such.zip cannot be written"),
        ((SLUG, "--torch-index", 'https://x.org/"; rm'), "is no address of a package index"),
        ((SLUG, "--torch-index", "http://x.org"), "is no address of a package index"),
        ((SLUG, "--course", "none"), "none is not a course"),
    ],
    ids=range(5),
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = grader("gradescope", *arguments, folder=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err


# ---- what its scripts do ------------------------------------------------------------------------


@pytest.mark.slow
def test_a_wrong_submission_gets_its_points_and_reasons(container: Container) -> None:
    found = container.run(WRONG)
    valid_gradescope(container.results.read_text("utf-8"))
    assert found.results["score"] == 3
    assert found.results["extra_data"]["status"] == "graded"
    assert container.root.stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_a_right_submission_has_full_marks_whatever_it_is_called(
    container: Container, tmp_path: Path
) -> None:
    odd = tmp_path / "-- 我的 $(x).ipynb"
    odd.write_bytes(SAMPLE.read_bytes())
    assert container.run(odd).results["score"] == 10


@pytest.mark.slow
def test_an_unreadable_file_is_told_of(container: Container, tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text("{")
    found = container.run(tmp_path / "a.ipynb")
    valid_gradescope(container.results.read_text("utf-8"))
    assert "is not a notebook" in texts(found)
    assert found.results["extra_data"]["status"] == "ungradable"


def test_of_nothing_and_of_two_files_none_is_graded(container: Container, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    found = container.run(tmp_path / "notes.txt")
    valid_gradescope(container.results.read_text("utf-8"))
    assert "No notebook (.ipynb)" in texts(found)
    (tmp_path / "b.ipynb").write_bytes(SAMPLE.read_bytes())
    found = container.run(SAMPLE, tmp_path / "b.ipynb", WRONG)
    valid_gradescope(container.results.read_text("utf-8"))
    assert "(b.ipynb, s077.ipynb)" in texts(found)


def test_what_is_not_the_submissions_doing_gets_no_score(container: Container) -> None:
    container.settings(
        sandbox="user", language="zh"
    )  # this package is everybody's to read, so that tier does not hold
    found = container.run(SAMPLE)
    assert "score" not in found.results
    assert "没有分数" in found.results["output"]
    assert "user: " in found.err


def test_without_its_python_it_still_leaves_results(container: Container) -> None:
    container.venv = container.root / "nowhere"
    found = Container(container.root, container.venv).run(SAMPLE)
    assert "score" not in found.results
    assert "This was not graded" in found.results["output"]
