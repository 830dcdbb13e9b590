"""Scenarios for tests.attempts: what notebooks do, and must go on doing when they are confined by the filter."""

import asyncio
import fcntl
import multiprocessing
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import threading
import zipfile
from multiprocessing import shared_memory
from pathlib import Path
from typing import Any

import zmq

from grader.kernel.sandbox import seccomp
from tests.attempts import Attempt, each
from tests.syscall_attempts import confined, profile


def everyday() -> dict[str, dict[str, str]]:
    """By what surrounds the job, the outcome of each thing. Imports torch first, computes in the children only."""
    import torch.utils.data  # noqa: F401

    hosted = everyday_of_all()
    attempts = {"job": hosted | everyday_of_a_job(), "hosted": hosted, "old": hosted}
    return {
        kind: {name: tried(kind, name, attempt) for name, attempt in table.items()}
        for kind, table in attempts.items()
    }


def tried(kind: str, name: str, attempt: Attempt) -> str:
    return str(confined(kind, lambda: each({name: attempt})[name]))


def messages() -> dict[str, str]:
    """By what surrounds the kernel, what comes back from a socket that was bound outside and handed in."""
    return {kind: echoed(kind) for kind in ("job", "hosted", "old")}


def echoed(kind: str) -> str:
    address = f"{tempfile.mkdtemp()}/socket"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen()
    child = os.fork()
    if child == 0:
        confined_echo(kind, listening.detach(), address)
    with zmq.Context() as context, context.socket(zmq.REQ) as client:
        client.connect(f"ipc://{address}")
        client.send(b"hello")
        answer = client.recv() if client.poll(20_000) else b"nothing"
    os.waitpid(child, 0)
    return answer.decode()


def confined_echo(kind: str, descriptor: int, address: str) -> None:
    seccomp.confine(profile(kind))
    with zmq.Context() as context, context.socket(zmq.REP) as server:
        server.setsockopt(zmq.USE_FD, descriptor)
        server.bind(f"ipc://{address}")
        server.send(server.recv().upper())
    os._exit(0)


def everyday_of_all() -> dict[str, Attempt]:
    return {
        "files": files,
        "copies": copies,
        "subprocess": lambda: subprocess.run(["/bin/sh", "-c", "exit 0"], check=True, start_new_session=True),
        "threads": threads,
        "asyncio": lambda: asyncio.run(shell()),
        "socketpair": socket.socketpair,
        "torch": multiply,
        "affinity": lambda: os.sched_setaffinity(0, os.sched_getaffinity(0)),
    }


def everyday_of_a_job() -> dict[str, Attempt]:
    return {
        "pool": lambda: multiprocessing.get_context("fork").Pool(2).map(abs, [-1, -2]),
        "shared memory": lambda: shared_memory.SharedMemory(create=True, size=10).unlink(),
        "semaphore": lambda: multiprocessing.get_context("fork").Semaphore().acquire(),
        "terminal": terminal,
        "unix socket": lambda: socket.socket(socket.AF_UNIX).bind(f"{tempfile.mkdtemp()}/s"),
        "data loader": load,
        "modes": modes,
    }


def files() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a")
        path.touch()
        assert path.exists()
        path.write_text("text", encoding="utf-8")
        subprocess.run(["touch", f"{folder}/b"], check=True)
        os.mkfifo(f"{folder}/pipe")
        path.rename(f"{folder}/c")
        with Path(f"{folder}/c").open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
        sqlite3.connect(f"{folder}/d").execute("create table t (x)")
        assert sorted(path.name for path in Path(folder).iterdir()) == ["b", "c", "d", "pipe"]


def copies() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a").write_text("text", encoding="utf-8")
        shutil.copy2(f"{folder}/a", f"{folder}/b")
        shutil.copytree(folder, f"{folder}/c")
        with zipfile.ZipFile(f"{folder}/d", "w") as archive:
            archive.write(f"{folder}/a", "e")
        shutil.unpack_archive(f"{folder}/d", folder, "zip")
        assert Path(folder, "e").read_text("utf-8") == "text"


def modes() -> None:
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).chmod(0o640)
        os.utime(file.name, (1, 2))
        seen = Path(file.name).stat()
        assert (seen.st_mode & 0o777, seen.st_mtime) == (0o640, 2)


def threads() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.set)
    thread.start()
    thread.join()
    assert done.is_set()


async def shell() -> None:
    process = await asyncio.create_subprocess_exec("/bin/sh", "-c", "exit 3")
    assert await process.wait() == 3


def multiply() -> None:
    import torch

    assert (torch.ones(300, 300) @ torch.ones(300, 300)).sum() == 300**3


def load() -> None:
    from torch.utils.data import DataLoader

    numbers: Any = list(range(4))
    assert [batch.tolist() for batch in DataLoader(numbers, batch_size=2, num_workers=1)] == [[0, 1], [2, 3]]


def terminal() -> None:
    child, descriptor = os.forkpty()
    if child == 0:
        os.execv("/bin/sh", ["sh", "-c", "test -t 0"])
    assert os.waitpid(child, 0)[1] == 0
    os.close(descriptor)
