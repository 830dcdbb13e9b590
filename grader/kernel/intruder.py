"""What the canary job tries from inside, as a learner's code could; sent as the text of a cell, so it stands alone.

It tells what it could read, by fingerprint. Whether that, or anything else it did, went through is judged outside.
"""

import contextlib
import hashlib
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

MOST_BYTES = 10_000_000
SECONDS = 2.0


def intrude(targets: dict[str, Any]) -> dict[str, str]:
    """Try everything; return the fingerprint of each file that could be read."""
    read = {path: found for path in targets["files"] if (found := _read(path)) is not None}
    attempts: tuple[Callable[[], object], ...] = (
        lambda: Path(targets["folder"], "intruder").write_text("was here", "ascii"),
        lambda: os.truncate(targets["changed"], 0),
        lambda: socket.create_connection(("127.0.0.1", targets["tcp"]), SECONDS),
        lambda: _to(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", targets["udp"])),
        lambda: _to(socket.AF_UNIX, socket.SOCK_STREAM, targets["unix"]),
        lambda: _to(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + targets["abstract"]),
        lambda: os.kill(targets["process"], signal.SIGURG),
    )
    for attempt in attempts:
        with contextlib.suppress(OSError):
            attempt()
    return read


def _read(path: str) -> str | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as a learner would
            return hashlib.sha256(file.read(MOST_BYTES)).hexdigest()
    except OSError:
        return None


def _to(family: int, kind: int, address: object) -> None:
    with socket.socket(family, kind) as made:
        made.settimeout(SECONDS)
        made.connect(address)  # type: ignore[arg-type]
        made.send(b"intruder")
