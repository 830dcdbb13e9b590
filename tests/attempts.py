"""Trying things in processes of their own, which may confine themselves for good.

A scenario is a module-level function of a test helper, called in a fresh interpreter: that has one thread, so it may
fork, and nothing of pytest in it.
"""

import errno
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
START = "import sys; from tests import attempts; attempts.main(*sys.argv[1:])"
Attempt = Callable[[], object]


def fresh(scenario: Callable[..., Any], *arguments: Any) -> Any:
    """What a scenario returns, called with these arguments in an interpreter of its own; both as JSON."""
    command = [sys.executable, "-c", START, scenario.__module__, scenario.__name__, json.dumps(arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def main(module: str, name: str, arguments: str) -> None:
    scenario = getattr(__import__(module, fromlist=[name]), name)
    print(json.dumps(scenario(*json.loads(arguments))))


def forked(work: Callable[[], Any]) -> Any:
    """What `work` returns in a forked child, as JSON; or by which signal the child ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer(work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        written = answer.read()
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    assert status == 0, "the child failed; see its traceback"
    return json.loads(written)


def _answer(work: Callable[[], Any], writing: int) -> None:
    try:
        os.write(writing, json.dumps(work()).encode())
    except BaseException:  # noqa: BLE001 - whatever it was, this process ends here
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def outcome(attempt: Attempt) -> str:
    """`ok`, or the name of the errno with which it failed."""
    try:
        attempt()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "ok"


def each(attempts: Mapping[str, Attempt]) -> dict[str, str]:
    """The outcome of each attempt, one after the other in this process."""
    return {name: outcome(attempt) for name, attempt in attempts.items()}
