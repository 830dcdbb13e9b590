"""Walks through a page as its reader would: its examples in order, in one folder, with real commands."""

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from tests.command import SECONDS, Outcome, environment
from tests.examples import ROOT, Example

PYTEST = re.compile(r"^(?:sudo )?\S*python -m pytest ")
COMMANDS = re.compile(
    r"""^(?:#|export |make |grader |python |pip |ls |openssl |(?:[A-Z_]+=(?:"[^"]*"|\S+) )+grader )"""
)
CHECK_HEAD = "import pytest\nfrom grader.checks import fail\n\n"


class Walk:
    """A reader in a folder. `outcome` is what the last command ended with, `folder` holds what the page has made.

    A context, which ends what the page has left running.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outcome = Outcome(0, "", "")
        self._running = contextlib.ExitStack()
        beside = Path(sys.executable).parent
        self._variables = environment(
            BROWSER="true %s", PATH=f"{beside}{os.pathsep}{os.environ['PATH']}", TMPDIR=str(folder)
        )

    def __enter__(self) -> Self:
        """The walk begins."""
        return self

    def __exit__(self, *_: object) -> None:
        """End what runs, the last first."""
        self._running.close()

    def step(self, example: Example) -> None:
        """Do what a block says; fails where the page promises something else."""
        word, _, rest = example.said.partition(" ")
        does: dict[str, Callable[[Example, str], None]] = {
            "": self._default,
            "exit": self._commands,
            "output": self._output,
            "file": self._file,
            "cell": self._cell,
            "change": self._change,
            "until": self._until,
            "meanwhile": self._meanwhile,
            "check": self._check,
            "in": self._manifest,
            "part": self._part,
            "drawing": _nothing,
            "not": _nothing,
        }
        assert word in does, f"{example.place}: nobody knows what `{example.said}` is"
        does[word](example, rest)

    def printed(self) -> str:
        """What the last command printed, line ends trimmed."""
        lines = (self.outcome.out + self.outcome.err).splitlines()
        return "\n".join(line.rstrip() for line in lines).strip("\n")

    def _default(self, example: Example, rest: str) -> None:
        del rest
        if example.language == "python":
            self._run(example, shlex.join(["python", "-c", example.text]), {0})
            return
        self._commands(example, "0")

    def _commands(self, example: Example, codes: str) -> None:
        lines = [line for line in example.text.splitlines() if line.strip()]
        assert all(COMMANDS.match(line) or PYTEST.match(line) for line in lines), (
            f"{example.place}: a comment before this block should say what it is"
        )
        wanted = [set(map(int, code.split("|"))) for code in codes.replace(" or ", "|").split()]
        for line, allowed in zip(lines, wanted * len(lines) if len(wanted) == 1 else wanted, strict=True):
            self._command(example, line, allowed)

    def _command(self, example: Example, line: str, codes: set[int]) -> None:
        if line.startswith("make "):
            targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
            assert line.split()[1] in targets, f"{example.place}: there is no {line}"
        elif line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            self._variables[name] = value
        elif PYTEST.match(line):  # a part of this suite; here it only has to be found
            arguments = shlex.split(PYTEST.sub("", line), comments=True)
            command = ["python", "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *arguments]
            self._run(example, f"cd {shlex.quote(str(ROOT))} && {shlex.join(command)}", codes)
        else:
            self._run(example, line, codes)

    def _run(self, example: Example, command: str, codes: set[int]) -> None:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder,
            env=self._variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=4 * SECONDS,
            check=False,
        )
        self.outcome = Outcome(done.returncode, done.stdout, done.stderr)
        told = f"{example.place}: {command}\n{self.printed()}"
        assert done.returncode in codes, f"exit code {done.returncode} of {told}"
        assert "Traceback" not in done.stderr, told

    def _output(self, example: Example, rest: str) -> None:
        del rest
        wanted = ".*".join(map(re.escape, example.text.strip("\n").split("…")))
        assert re.fullmatch(wanted, self.printed(), re.DOTALL), (
            f"{example.place} shows other output than this (`python -m tests.measure.examples` writes it):\n{self.printed()}"
        )

    def _file(self, example: Example, name: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example.text + "\n", "utf-8")

    def _cell(self, example: Example, rest: str) -> None:
        path = self.folder / rest.removeprefix("of ")
        notebook = json.loads(path.read_text("utf-8"))
        head = example.text.splitlines()[0]
        begun = [cell for cell in notebook["cells"] if "".join(cell["source"]).startswith(head)]
        assert len(begun) == 1, f"{example.place}: {len(begun)} cells of {path.name} begin with {head}"
        begun[0]["source"] = example.text
        path.write_text(json.dumps(notebook, ensure_ascii=False, indent=1), "utf-8")

    def _change(self, example: Example, rest: str) -> None:
        """Apply a diff without line numbers: its lines stand in the file once."""
        path = self.folder / rest.removeprefix("of ")
        text, lines = path.read_text("utf-8"), example.text.splitlines()
        before, after = (
            "".join(f"{line[1:]}\n" for line in lines if not line.startswith(other)) for other in "+-"
        )
        assert text.count(before) == 1, (
            f"{example.place}: this stands {text.count(before)} times in {path.name}"
        )
        path.write_text(text.replace(before, after), "utf-8")

    def _until(self, example: Example, words: str) -> None:
        """Start it, wait for its words, and interrupt it, as Ctrl-C does."""
        with self._going_on(example, words):
            pass

    def _meanwhile(self, example: Example, words: str) -> None:
        """Start it, wait for its words, and leave it running."""
        self._running.enter_context(self._going_on(example, words))

    @contextlib.contextmanager
    def _going_on(self, example: Example, words: str) -> Iterator[None]:
        """A command that has said its words; at the end it is interrupted."""
        said, asked = self.folder / f"said-{example.line}.txt", words.strip('"')
        with said.open("wb") as file:
            process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {example.text}"],
                cwd=self.folder,
                env=self._variables,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        try:
            end = time.monotonic() + SECONDS
            while asked not in said.read_text("utf-8"):
                assert process.poll() is None, said.read_text("utf-8")
                assert time.monotonic() < end, said.read_text("utf-8")
                time.sleep(0.05)
            yield
            process.send_signal(signal.SIGINT)
            process.wait(SECONDS)
        finally:
            process.kill()
            process.wait()
        assert "Traceback" not in said.read_text("utf-8"), example.place
        said.unlink()

    def _check(self, example: Example, rest: str) -> None:
        slug = rest.removeprefix("of ")
        course = self._course(slug)
        (course / "exercises" / slug / "checks.py").write_text(CHECK_HEAD + example.text + "\n", "utf-8")
        line = f"grader check course/reference/{slug}.py --course course --exercise {slug}"
        self._run(example, line, {0})
        shutil.rmtree(course)

    def _manifest(self, example: Example, rest: str) -> None:
        del rest
        course = self._course("minimise_parabola")
        with (course / "exercises" / "minimise_parabola" / "exercise.toml").open(
            "a", encoding="utf-8"
        ) as file:
            file.write("\n" + example.text + "\n")
        self._run(example, "grader exercises --course course", {0})
        shutil.rmtree(course)

    def _course(self, slug: str) -> Path:
        course = self.folder / "course"
        shutil.copytree(ROOT / "exercises" / slug, course / "exercises" / slug)
        (course / "reference").mkdir()
        shutil.copy(ROOT / "reference" / f"{slug}.py", course / "reference")
        return course

    def _part(self, example: Example, rest: str) -> None:
        path = ROOT / rest.removeprefix("of ")
        wanted = ".*".join(map(re.escape, example.text.strip().split("…")))
        assert re.search(wanted, path.read_text("utf-8"), re.DOTALL), f"{example.place} is not in {path.name}"


def _nothing(example: Example, rest: str) -> None:
    """A drawing, or what no test can run."""
    del example, rest
