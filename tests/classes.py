"""Small classes for `grader batch`, the command in a process of its own that can be killed, and what it left behind."""

import contextlib
import csv
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.command import environment

SLUG = "minimise_parabola"
EXERCISE = ("--exercise", SLUG)
WRONG = "def f(x): return x**2 + 2*x + 1\ndef derivative(x): return 2*x\n"
SLOW = "import time\ntime.sleep(4)\n" + WRONG
SECONDS = 120


def slow_class(folder: Path, students: int) -> Path:
    """The folder, with submissions in its `class`, each a file of its own that takes some seconds."""
    (folder / "class").mkdir()
    for number in range(students):
        (folder / "class" / f"s{number}.py").write_text(f"{SLOW}own = {number}\n")
    return folder


def started(folder: Path, *options: str) -> "subprocess.Popen[str]":
    """A batch with one worker, in a process group of its own as a terminal makes it."""
    command = [sys.executable, "-m", "grader", "batch", "class", *EXERCISE, "--output", "grades"]
    return subprocess.Popen(
        [*command, "--jobs", "1", *options],
        cwd=folder,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def table(folder: Path) -> dict[str, dict[str, str]]:
    """The lines of grades.csv, by student."""
    with (folder / "grades" / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def kept(folder: Path, question: str) -> list[Any]:
    """What the gradebook's file answers; nothing where there is none yet."""
    path = folder / "grades" / "gradebook.sqlite"
    if not path.exists():
        return []
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as book:
        tables = {name for (name,) in book.execute("select name from sqlite_master")}
        return book.execute(question).fetchall() if "hand_ins" in tables else []


def wait_for_results(folder: Path, number: int, batch: int = 1) -> None:
    """Wait until so many students of a batch have a result."""
    asked = f"select 1 from hand_ins where batch = {batch} and result is not null"
    deadline = time.monotonic() + SECONDS
    while len(kept(folder, asked)) < number:
        assert time.monotonic() < deadline
        time.sleep(0.1)
