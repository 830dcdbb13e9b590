"""`grader check --watch`: a real process, and real saves in the ways of editors."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import environment, grader
from tests.files import code, notebook

SECONDS = 120
WRONG = "x = 1.0"


def written(source: str) -> str:
    return json.dumps(notebook(code(source), metadata={"grader": {"exercise": "minimise_parabola"}}))


class Watching:
    """`grader check --watch a.ipynb` in a folder; what it says goes into two files."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "a.ipynb"
        self._out, self._err = folder / "out.txt", folder / "err.txt"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "grader", "check", "a.ipynb", "--watch"],
                cwd=folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    @property
    def out(self) -> str:
        return self._out.read_text("utf-8")

    @property
    def err(self) -> str:
        return self._err.read_text("utf-8")

    @property
    def gradings(self) -> int:
        """How often it has waited for a save, which it does after each grading."""
        return self.err.count("waiting for a.ipynb")

    def wait_for(self, said: str, times: int = 1) -> None:
        """Wait until it has said something so often on the error channel."""
        end = time.monotonic() + SECONDS
        while self.err.count(said) < times:
            assert self.process.poll() is None, self.err
            assert time.monotonic() < end, self.err
            time.sleep(0.02)

    def wait_for_grading(self, number: int) -> None:
        self.wait_for("waiting for a.ipynb", number)

    def warm_parents(self) -> set[int]:
        """The warm parents among its children, which Linux lists."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        children = map(int, listed.read_text().split() if listed.exists() else ())
        return {pid for pid in children if "grader.kernel.zygote" in Path(f"/proc/{pid}/cmdline").read_text()}

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(SECONDS)


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Watching]:
    (tmp_path / "a.ipynb").write_text(written(WRONG))
    found = Watching(tmp_path)
    try:
        yield found
    finally:
        if found.process.poll() is None:
            found.process.kill()
            found.process.wait()


def test_grades_after_every_kind_of_save_and_ends_with_the_last_code(
    watching: Watching, tmp_path: Path
) -> None:
    watching.wait_for_grading(1)
    assert watching.out.count("Score 0 / 10") == 1
    warm = watching.warm_parents()
    watching.file.write_text(written("x = 2.0"))  # over the old one
    watching.wait_for_grading(2)
    (tmp_path / "new").write_text(written("x = 4.0"))
    (tmp_path / "new").replace(watching.file)  # a new file in the place of the old one
    watching.wait_for_grading(3)
    watching.file.rename(tmp_path / "a.ipynb~")  # away, and a new one
    watching.file.write_text(written("raise ValueError('in its place')"))
    watching.wait_for_grading(4)
    assert watching.out.count("Score 0 / 10") == 4
    assert "ValueError: in its place" in watching.out
    assert watching.warm_parents() == warm
    assert len(warm) <= 1
    assert watching.interrupt() == 1
    assert "Traceback" not in watching.err


@pytest.mark.slow
def test_what_cannot_be_read_is_said_and_watched_on(watching: Watching) -> None:
    watching.wait_for_grading(1)
    whole = written(WRONG)
    watching.file.write_text(whole[: len(whole) // 2])
    watching.wait_for("not valid JSON")
    watching.wait_for_grading(2)
    with watching.file.open("w") as file:  # empty at first, then more, then whole
        file.write(whole[:9])
        file.flush()
        time.sleep(0.02)
        file.write(whole[9:])
    end = time.monotonic() + SECONDS
    while watching.out.count("Score") < 2:
        assert time.monotonic() < end, watching.err
        time.sleep(0.02)
    watching.file.unlink()
    watching.wait_for("a.ipynb is not there")
    before = watching.gradings
    watching.file.write_text("hello")
    watching.wait_for_grading(before + 1)
    assert watching.interrupt() == 2


@pytest.mark.slow
def test_an_interrupt_while_it_grades_is_130(watching: Watching) -> None:
    watching.wait_for_grading(1)
    watching.file.write_text(written("while True: pass"))
    time.sleep(4)
    assert watching.gradings == 1
    assert watching.interrupt() == 130


@pytest.mark.slow
def test_nothing_is_graded_where_nothing_was_saved(watching: Watching, tmp_path: Path) -> None:
    watching.wait_for_grading(1)
    (tmp_path / "other.ipynb").write_text(written(WRONG))
    watching.file.chmod(0o600)
    time.sleep(2.5)
    assert watching.gradings == 1


REFUSED = [
    (("a.py", "b.py"), "--watch looks at one notebook"),
    (("a.zip",), "--watch looks at one notebook"),
    (("a.py", "--format", "json"), "--watch shows its reports in the terminal"),
    (("a.py", "--output", "report.txt"), "--watch shows its reports in the terminal"),
    (("c.py",), "c.py: there is no such file"),
    (("a.py", "b.py", "--language", "zh"), "--watch 只看一个"),
]


@pytest.mark.parametrize(("arguments", "said"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_watched_is_refused(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    for name in ("a.py", "b.py", "a.zip"):
        (tmp_path / name).write_text("x = 1")
    done = grader("check", "--watch", *arguments, folder=tmp_path)
    assert done.code == 2
    assert said in done.err
    assert done.out == ""
    assert len(list(tmp_path.iterdir())) == 3
