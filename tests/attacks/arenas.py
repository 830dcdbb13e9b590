"""The tests' end of arenas: starts one in a world of its own, gives it orders, and starts another if it is lost."""

import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from typing import Any, Literal

import msgspec
import pytest

from tests.attacks import world
from tests.attacks.seen import Order, Seen

Identity = Literal["root", "user"]
# A run may take its time limits, the grace after them, and then what is left of it is waited for.
ANSWER_SECONDS = 150.0
# Without orders it ends; if it does not, its world is ended.
LEAVE_SECONDS = 10.0
LAUNCHERS = {"root": "tests.attacks.world", "user": "tests.attacks.unprivileged"}


class NoArena(Exception):  # noqa: N818 - a state of the machine, not a fault
    """This machine, or whoever runs the tests, cannot have such an arena. The message says why."""


class Arena:
    """A supervisor of one tier, run by one user. It is started when first asked, and again after an attack that ruined it."""

    def __init__(self, identity: Identity, tier: str) -> None:
        self._identity, self.tier = identity, tier
        self._process: subprocess.Popen[str] | None = None

    def attack(self, order: Order) -> Seen:
        """Have the order carried out, and tell what was seen; no answer means that the supervisor is gone."""
        answer = self._ask(msgspec.json.encode(order).decode())
        if answer is None:
            return Seen(alive=False, fault=self.close()[-2000:])
        seen = msgspec.convert(answer, Seen)
        if not seen.honest:
            self.close()
        return seen

    def close(self) -> str:
        """End it, if there is one; returns what it wrote to its standard error."""
        process, self._process = self._process, None
        if process is None:
            return ""
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdout, self._errors:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(LEAVE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._errors.seek(0)
            return str(self._errors.read())

    def _ask(self, line: str) -> Any:
        process = self._process or self._start()
        assert process.stdin is not None
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            return None
        return self._answer(process)

    def _answer(self, process: "subprocess.Popen[str]") -> Any:
        """One line; None where none comes."""
        timer = threading.Timer(ANSWER_SECONDS, process.kill)
        timer.start()
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
        finally:
            timer.cancel()
        return json.loads(line) if line else None

    def _start(self) -> "subprocess.Popen[str]":
        launcher = _launcher(self._identity)
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - `close` closes it
        passed = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        self._process = subprocess.Popen(
            [*launcher, sys.executable, "-m", "tests.attacks.arena", self.tier],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={
                **passed,
                "PYTHONDONTWRITEBYTECODE": "1",
                "ARENA_SECRET": "TOPSECRET-" + secrets.token_hex(8),
            },
        )
        greeting = self._answer(self._process)
        if greeting is None:
            raise RuntimeError(self.close())
        if (refused := greeting.get("refused")) is not None:
            self.close()
            raise NoArena(refused)
        return self._process


def _launcher(identity: Identity) -> list[str]:
    """What starts a command as this user, in a world of its own where that can be had. Raises NoArena."""
    if world.available():
        if identity == "root" and os.geteuid() != 0:
            raise NoArena("the tests are not run as root")
        return [sys.executable, "-m", LAUNCHERS[identity]]
    if identity == "user" and os.geteuid() != 0:
        return []
    raise NoArena("there is no world of its own here for what root's attacks could do")


def seen_of(arena: Arena, order: Order) -> Seen:
    """What the arena saw; where there can be none of its kind, the test is skipped and says why."""
    try:
        return arena.attack(order)
    except NoArena as reason:
        pytest.skip(str(reason))
