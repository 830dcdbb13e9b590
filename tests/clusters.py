"""Schedulers and workers of Dask as a person starts them, and certificates for them; each ends with its context."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.command import environment

SECONDS = 60
OPENSSL = "openssl"


class Files(NamedTuple):
    """What TLS needs, in PEM: the authority, and a certificate that it signed, with its key."""

    authority: Path
    certificate: Path
    key: Path

    def of_dask(self) -> list[str]:
        """Options of `dask scheduler` and `dask worker`."""
        return [
            "--tls-ca-file",
            str(self.authority),
            "--tls-cert",
            str(self.certificate),
            "--tls-key",
            str(self.key),
        ]

    def of_grader(self) -> list[str]:
        """Options of `grader batch`."""
        return [
            "--tls-ca",
            str(self.authority),
            "--tls-cert",
            str(self.certificate),
            "--tls-key",
            str(self.key),
        ]


def signed(folder: Path, name: str) -> Files:
    """An authority of its own, and a certificate that it signed."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Files(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    _openssl(
        folder,
        "req",
        "-x509",
        *new,
        "-days",
        "2",
        "-subj",
        f"/CN={name}",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
    )
    _openssl(folder, "req", *new, "-subj", f"/CN=of {name}", "-keyout", "key.pem", "-out", "cert.csr")
    sign = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"]
    _openssl(folder, "x509", "-req", "-in", "cert.csr", *sign, "-out", "cert.pem")
    return made


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run([OPENSSL, *arguments], cwd=folder, check=True, capture_output=True, timeout=SECONDS)


@contextlib.contextmanager
def scheduler(folder: Path, *options: str) -> Iterator[str]:
    """A scheduler on this machine; gives its address."""
    with scheduler_process(folder, *options) as (address, _):
        yield address


@contextlib.contextmanager
def scheduler_process(folder: Path, *options: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """The same, with its process."""
    file = folder / "scheduler.json"
    file.unlink(missing_ok=True)  # of one that was here before
    here = ["--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0"]
    with _dask(folder, ["scheduler", *here, "--scheduler-file", str(file), *options]) as process:
        yield json.loads(_awaited(file))["address"], process


@contextlib.contextmanager
def worker(
    folder: Path, address: str, *options: str, **variables: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker process, which does one thing at a time; gives it before it has found the scheduler."""
    plain = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(folder)]
    with _dask(folder, ["worker", address, *plain, *options], **variables) as process:
        yield process


@contextlib.contextmanager
def _dask(folder: Path, arguments: Sequence[str], **variables: str) -> Iterator["subprocess.Popen[bytes]"]:
    with (folder / f"{arguments[0]}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            cwd=folder,
            env=environment(**variables),
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(SECONDS)
        finally:
            process.kill()
            process.wait()


def _awaited(file: Path) -> str:
    """The content of a file that somebody is about to write."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if (content := file.read_text("utf-8")).endswith("}"):
                return content
        time.sleep(0.1)
    raise AssertionError(f"{file.name} was not written")
