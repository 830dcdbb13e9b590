"""The supervisor that attacks are run against, and that tells what was seen of each from outside.

    python -m tests.attacks.arena TIER

Takes an `Order` a line as JSON and answers with what was `Seen`, one line each; the first line says which tier
this is, or why there is none. It holds the kernels of one tier, so its processes are what attacks aim at.
"""

import contextlib
import json
import os
import re
import secrets
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import nbformat

from grader.errors import KernelFault
from grader.exercise import course_folder, load_exercise
from grader.grade import grade
from grader.kernel import session as sessions
from grader.kernel.pool import Kernels
from grader.load import load
from grader.model import Limits, Run
from grader.settings import Settings
from grader.values import Array
from tests.attacks import watching
from tests.attacks.seen import Order, Seen, outputs
from tests.sessions import submission

OUTPUT_KEPT = 100_000
# How long processes of a run may take to end after it; and in a control, where some are sure to stay.
GONE_SECONDS, UNCONFINED_SECONDS = 30.0, 1.0
# Nothing that an interrupted attack has is to be kept, so that less of the grace will do that a learner's cell has.
GRACE_SECONDS = 1.0
PR_SET_CHILD_SUBREAPER = 36
# What the warm parent makes, once, when it has time: the list of fonts, and an empty folder of torch's.
OF_THE_WARM_PARENT = re.compile(
    r"/tmp/(arena-\w+/)?(home/\.cache(/grader-matplotlib(/fontlist-[\w.]+\.json(\.matplotlib-lock)?)?)?|torchinductor_\w+): None →"
)
# What the next student's run looks at, and an honest piece of work.
LATER_LIMITS = Limits(cell_seconds=20.0, run_seconds=40.0)
LATER = """
import itertools, os, pathlib, sys, sysconfig
import torch
seen = []
for place in {os.path.expanduser("~"), os.getcwd(), "/tmp", "/dev/shm", "/var/tmp", os.environ.get("TMPDIR", "/")}:
    for top, folders, files in itertools.islice(os.walk(place), 200):
        for name in folders[:500] + files[:500]:
            seen.append(os.path.join(top, name))
seen += [f"{name}={value}" for name, value in os.environ.items()]
print("\\n".join(seen))
site = pathlib.Path(sysconfig.get_path("purelib"))
site_seen = [site.stat().st_mtime, len(os.listdir(site)), os.stat(torch.__file__).st_mtime, os.stat(os.__file__).st_mtime]
w = torch.ones(1, requires_grad=True)
for _ in range(3):
    ((w - 3) ** 2).sum().backward()
    with torch.no_grad():
        w -= 0.25 * w.grad
        w.grad.zero_()
"""
HONEST = 2.75  # where three steps from 1 towards 3 end


class Stage(NamedTuple):
    """What is put up for one attack: folders outside, and a process that may be harmed. `mark` is in its names."""

    mark: str
    reference: Path
    host: Path
    victim: "subprocess.Popen[bytes]"


class Arena:
    """One supervisor with its kernels."""

    def __init__(self, kernels: Kernels, home: Path, secret: str) -> None:
        self._kernels, self._home, self._secret = kernels, home, secret
        self._known_words = [secret.encode(), _words_of_a_reference()]
        # As large as nothing in Python's own pools, so on the heap: what reads it has read the supervisor.
        self._kept = bytearray(secret.encode() * 100)
        self._abstract = secret.replace("TOPSECRET", "listener")
        self._listeners = watching.Listeners(home, self._abstract)
        self._usual = self._later("no such mark")[1]

    def attack(self, order: Order) -> Seen:
        """Run or grade the cells, and look."""
        self._listeners.heard.clear()
        with self._stage() as stage:
            known = {*watching.descendants(os.getpid())}
            aimed_at = stage.victim.pid if order.victim else os.getpid()
            cells = tuple(self._fill(cell, stage, aimed_at) for cell in order.cells)
            before = self._look(stage)
            with watching.growth() as growth, watching.Sampler(known) as sampler:
                tale, grown = (self._grade if order.exercise else self._run)(cells, order), growth()
            left = watching.wait_until_gone(known, UNCONFINED_SECONDS if order.victim else GONE_SECONDS)
            after = self._look(stage)
            (harmed, host, written, objects) = map(watching.changes, before, after)
            written = tuple(line for line in written if not OF_THE_WARM_PARENT.match(line))
            later, usual = self._later(stage.mark)
            unusual, self._usual = watching.changes(self._usual, usual), usual
        return Seen(
            number=aimed_at,
            heard=tuple(self._listeners.heard),
            harmed=harmed,
            host=host,
            written=written,
            objects=objects,
            left=tuple(left.values()),
            processes=sampler.processes,
            memory_mb=sampler.memory_mb,
            disk_mb=sampler.disk_mb,
            status=sampler.status,
            grown_mb=grown,
            later=(*later, *unusual),
            honest=usual["honest"],
            **tale,
        )

    # ---- the run ------------------------------------------------------------------------------

    def _run(self, cells: tuple[str, ...], order: Order) -> dict[str, Any]:
        session = None
        try:
            session = self._kernels.open(order.limits)
            run = self._kernels.do(session.run(submission(cells), seed=0, values=("loot",)))
            output = outputs(session)
        except Exception as error:  # noqa: BLE001 - whatever an attack makes the supervisor raise is to be seen
            return {"fault": repr(error)}
        finally:
            if session is not None:
                self._kernels.close(session)
        return self._tale(run, output)

    def _tale(self, run: Run, output: str) -> dict[str, Any]:
        everything = output.encode("utf-8", "replace") + msgspec.json.encode(run)
        everything += b"".join(value.data for value in run.values.values() if isinstance(value, Array))
        return {
            "output": output[:OUTPUT_KEPT],
            "ends": tuple(error.kind for error in run.errors),
            "leaked": tuple(words.decode() for words in self._known_words if words in everything),
        }

    def _grade(self, cells: tuple[str, ...], order: Order) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "submission.ipynb")
            path.write_text(
                nbformat.writes(
                    nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
                )
            )
            limits = order.limits
            settings = Settings(cell_seconds=limits.cell_seconds, run_seconds=limits.run_seconds)
            exercise = load_exercise(course_folder(None), order.exercise or "")
            report = grade(load(path), exercise, settings, self._kernels)
        return {
            "score": report.score,
            "ends": () if report.error is None else (report.error.kind,),
            "fault": "" if report.status == "graded" else repr(report.needs_review),
        }

    def _later(self, mark: str) -> tuple[list[str], dict[str, Any]]:
        """What the next student's run shows of a mark; what is always to be so; and whether it went well."""
        session = None
        try:
            session = self._kernels.open(LATER_LIMITS)
            run = self._kernels.do(session.run(submission((LATER,)), seed=0, values=("site_seen", "w")))
            shown = outputs(session).splitlines()
        except Exception as error:  # noqa: BLE001 - as above
            return [repr(error)], {"honest": False}
        finally:
            if session is not None:
                self._kernels.close(session)
        worth = run.values.get("w")
        honest = isinstance(worth, Array) and abs(one_number(worth) - HONEST) < 1e-6
        return [line for line in shown if mark in line], {
            "site": repr(run.values.get("site_seen")),
            "honest": honest,
        }

    # ---- the stage ----------------------------------------------------------------------------

    @contextlib.contextmanager
    def _stage(self) -> Iterator[Stage]:
        mark = "mark-" + secrets.token_hex(8)
        with tempfile.TemporaryDirectory(
            prefix="stage-", dir=self._home, ignore_cleanup_errors=True
        ) as folder:
            reference, host = Path(folder, "reference"), Path(folder, "host")
            (host / "course").mkdir(parents=True)
            reference.mkdir()
            for path in (reference / "ref.py", host / "course" / "ref.py"):
                path.write_text(f"ANSWER = '{self._secret}'\n")
            (host / "grades.json").write_text('{"score": 0}')
            # Whom the files belong to, or their modes, must not be what keeps an attack from them.
            for path in (Path(folder), *Path(folder).rglob("*")):
                path.chmod(0o777 if path.is_dir() else 0o666)
            victim = subprocess.Popen(
                ["sleep", "1000"], cwd=reference, env={**os.environ, "KEY": self._secret}
            )
            try:
                yield Stage(mark, reference, host, victim)
            finally:
                victim.kill()
                victim.wait()
                watching.remove(mark)

    def _look(self, stage: Stage) -> list[watching.Look]:
        """At what is alive, at the instructor's folder, at the disks, and at the kernel's objects."""
        alive = watching.state_of(os.getpid(), "supervisor") | watching.state_of(stage.victim.pid, "victim")
        for number, state in watching.descendants(os.getpid()).items():
            if (
                number != stage.victim.pid
                and "grader.kernel.zygote" in watching.command(number)
                and state != "Z"
            ):
                alive |= {
                    f"warm {line}": value for line, value in watching.state_of(number, "parent").items()
                }
        disks = watching.written(but=stage.host.parent)
        return [alive, watching.folder(stage.host), disks, watching.objects()]

    def _fill(self, cell: str, stage: Stage, aimed_at: int) -> str:
        """Put the names of this stage in the places that a cell leaves for them."""
        places = {
            "TOKEN_DIR": stage.reference,
            "HOST_DIR": stage.host,
            "TCP": self._listeners.tcp,
            "UDP": self._listeners.udp,
            "USOCK": self._listeners.path,
            "ABS": self._abstract,
            "SUP": aimed_at,
            "MARK": stage.mark,
            "COURSE": course_folder(None),
            "SITE": sysconfig.get_path("purelib"),
        }
        for name, value in places.items():
            cell = cell.replace(f"{{{name}}}", str(value))
        return cell


def one_number(value: Array) -> float:
    """The one number of a float32 tensor."""
    return float(memoryview(value.data).cast("f")[0])


def _words_of_a_reference() -> bytes:
    """A sentence of a real reference solution, which no starter or task has."""
    text = (course_folder(None) / "reference" / "linear_regression.py").read_text("utf-8")
    return text.splitlines()[0].strip('"').encode()


def main() -> None:
    """Answer orders until there are no more."""
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    sessions.GRACE_SECONDS = GRACE_SECONDS
    with tempfile.TemporaryDirectory(prefix="arena-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        home.chmod(0o755)
        (home / "home").mkdir()
        os.environ |= {"HOME": str(home / "home"), "TMPDIR": folder}
        tempfile.tempdir = folder
        with Kernels(Settings(sandbox=sys.argv[1])) as kernels:  # type: ignore[arg-type]
            serve(kernels, home)


def serve(kernels: Kernels, home: Path) -> None:
    """Say which tier this is, then answer one order after the other."""
    try:
        print(json.dumps({"tier": kernels.sandbox.tier}), flush=True)
    except KernelFault as fault:
        print(json.dumps({"refused": str(fault)}), flush=True)
        return
    arena = Arena(kernels, home, os.environ["ARENA_SECRET"])
    for line in sys.stdin:
        seen = arena.attack(msgspec.json.decode(line, type=Order))
        print(msgspec.json.encode(seen).decode(), flush=True)


if __name__ == "__main__":
    main()
