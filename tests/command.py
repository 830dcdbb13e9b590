"""Runs the real command in a process of its own: its output in pipes, or before a pseudo terminal."""

import contextlib
import os
import pty
import subprocess
import sys
import termios
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

SECONDS = 120


class Outcome(NamedTuple):
    """What a command ended with."""

    code: int
    out: str
    err: str


def environment(**variables: str) -> dict[str, str]:
    """The least that a program needs, and what a test adds: nothing of the caller's locale, colours or settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "PYTHONPATH") if name in os.environ}
    return kept | variables


def grader(*arguments: str | Path, folder: Path, **variables: str) -> Outcome:
    """Run `grader …` in a folder."""
    return python("-m", "grader", *arguments, folder=folder, **variables)


def python(*arguments: str | Path, folder: Path, **variables: str) -> Outcome:
    """Run `python …` in a folder."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def in_terminal(
    *arguments: str | Path,
    folder: Path,
    columns: int = 90,
    meanwhile: "Callable[[subprocess.Popen[bytes]], None] | None" = None,
    **variables: str,
) -> Outcome:
    """Run `grader …` before a terminal, which gets what it prints on either channel; `meanwhile` is called once it runs."""
    ours, theirs = pty.openpty()
    with contextlib.ExitStack() as ends:
        ends.callback(os.close, ours)
        try:
            termios.tcsetwinsize(theirs, (50, columns))
            process = subprocess.Popen(
                [sys.executable, "-m", "grader", *map(str, arguments)],
                cwd=folder,
                env=environment(TERM="xterm-256color", **variables),
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
            )
        finally:
            os.close(theirs)
        ends.callback(process.wait, SECONDS)
        if meanwhile is not None:
            beside = threading.Thread(target=meanwhile, args=(process,))
            beside.start()
            ends.callback(beside.join, SECONDS)
        seen = bytearray()
        with contextlib.suppress(OSError):  # what Linux answers when the other end is closed
            while part := os.read(ours, 65_536):
                seen += part
        return Outcome(process.wait(SECONDS), seen.decode(), "")
