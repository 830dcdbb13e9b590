"""A PostgreSQL server of the tests' own: in a temporary folder, on a Unix socket, as an ordinary user."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from grader.gradebook.book import open_gradebook

INSTALLED = Path("/usr/lib/postgresql")
SECONDS = 60


def programs() -> Path | None:
    """The folder of the newest installed server's programs; None where there is none."""
    found = sorted(INSTALLED.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return found[-1].parent if found else None


def ordinary() -> pwd.struct_passwd:
    """Who runs the server: oneself or, for root, whom it refuses, an account that is there for such things."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    names = {account.pw_name: account for account in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


class Server:
    """A server that can be stopped and started again; each `database()` and `copy()` is a new one, by its URL."""

    def __init__(self, folder: Path, bin: Path) -> None:
        self.folder, self._bin = folder, bin
        self._numbers = count(1)
        self._made: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        made = self._run(
            "initdb", "-D", "data", "-A", "trust", "-U", "tester", "-E", "UTF8", "--locale=C", "--no-sync"
        )
        assert made.wait(SECONDS) == 0, (folder / "log").read_text()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = ("listen_addresses=", "fsync=off", f"unix_socket_directories={self.folder}")
        self._process = self._run(
            "postgres", "-D", "data", *(part for each in settings for part in ("-c", each))
        )
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                self._connect().close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it, and with it every connection; by SIGQUIT as a crash would, with nothing tidied up."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(SECONDS)
            self._process = None

    def database(self) -> str:
        """The URL of a new, empty database."""
        return self.url(self._create())

    def copy(self) -> str:
        """The URL of a new database that has all tables, as one that was made before it has them."""
        if self._made is None:
            self._made = self._create()
            open_gradebook(self.url(self._made)).close()
        return self.url(self._create(self._made))

    def _create(self, template: str = "template1") -> str:
        name = f"grades_{next(self._numbers)}"
        with self._connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def url(self, name: str, user: str = "tester:secret") -> str:
        return f"postgresql://{user}@/{name}?host={self.folder}"

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self.folder), user="tester", dbname="postgres", autocommit=True)

    def _run(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        account, is_root = ordinary(), os.geteuid() == 0
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [self._bin / program, *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=account.pw_uid if is_root else None,
                group=account.pw_gid if is_root else None,
                extra_groups=[] if is_root else None,
            )


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """A running server; skips where none is installed."""
    if (bin := programs()) is None:
        pytest.skip("needs PostgreSQL: make postgresql")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        account = ordinary()
        os.chown(folder, account.pw_uid, account.pw_gid)
        folder.chmod(0o755)
        running = Server(folder, bin)
        try:
            running.start()
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(folder)
