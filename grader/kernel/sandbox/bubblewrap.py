"""Tier `bubblewrap`: the warm parent itself inside bubblewrap, where only that program may make namespaces.

Guarantee: as `namespaces` and `file-system` for all jobs of one warm parent together: no host processes, no
network, and of the host's files only what is shown, read-only. Between jobs stand Landlock and seccomp, as in
the tier below. bubblewrap execs, so it cannot confine a fork; the warm parent is started again inside it.

Some Linux distributions forbid namespaces to all programs but a few, of which bubblewrap is one.
"""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import msgspec

from grader.kernel.job import Opening
from grader.kernel.sandbox.system import Unsupported
from grader.kernel.sandbox.view import PACKAGE, View

SECONDS = 20.0
NOBODY = "65534"
ISOLATED = (
    *("--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"),
    *("--uid", NOBODY, "--gid", NOBODY),
)


def attempt(view: View) -> None:
    """Start Python inside, as the warm parent will be. Raises Unsupported if that cannot be done here."""
    command = [*_command(view), sys.executable, "-P", "-c", f"import {Opening.__module__}"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)  # noqa: S603 - our own words
    except (subprocess.SubprocessError, OSError) as error:
        said = getattr(error, "stderr", b"") or str(error).encode()
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        raise Unsupported(f"bubblewrap: {last.removeprefix('bwrap: ')}") from None


def enter_bubblewrap(opening: Opening, channel: socket.socket) -> NoReturn:
    """Start this process again inside; it finds the same channel, and what it has read from it already."""
    kept = os.memfd_create("opening")
    os.write(
        kept,
        msgspec.json.encode(msgspec.structs.replace(opening, inside_bubblewrap=True, wanted="bubblewrap")),
    )
    os.lseek(kept, 0, os.SEEK_SET)
    for descriptor in (kept, channel.fileno()):
        os.set_inheritable(descriptor, True)
    program = [sys.executable, "-P", "-m", "grader.kernel.zygote", str(channel.fileno()), str(kept)]
    command = _command(opening.view)
    os.execv(command[0], [*command, *program])  # noqa: S606 - no shell is wanted


def _command(view: View) -> list[str]:
    """bubblewrap with the view; the package without its course is shown too, for the warm parent to import."""
    program = shutil.which("bwrap")
    if program is None:
        raise Unsupported("bubblewrap: there is no such program")
    shown = [word for path in view.shown for word in _show(path)]
    course = [str(PACKAGE / "course")] if (PACKAGE / "course").is_dir() else []
    covered = [*(path for path in view.hidden if path != str(PACKAGE)), *course]
    hidden = [word for path in covered if _would_be_seen(path, view) for word in ("--tmpfs", path)]
    environment = [word for name, value in os.environ.items() for word in ("--setenv", name, value)]
    return [
        *(program, *ISOLATED, *environment),
        # These come first: what is shown may lie below /tmp, and a later mount there would cover it.
        *("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/"),  # noqa: S108 - inside
        *(*shown, "--ro-bind", str(PACKAGE), str(PACKAGE), *hidden),
    ]


def _show(path: str) -> tuple[str, ...]:
    if Path(path).is_symlink():
        return ("--symlink", str(Path(path).readlink()), path)
    return ("--ro-bind-try", path, path)


def _would_be_seen(path: str, view: View) -> bool:
    """Whether a folder lies below something that is shown; bubblewrap covers folders alone."""
    below = any(Path(path).is_relative_to(os.path.realpath(shown)) for shown in (*view.shown, str(PACKAGE)))
    return below and Path(path).is_dir()
