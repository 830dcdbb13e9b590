"""Imports every module of grader as another system would, and prints as JSON what this would come to there.

    python -m tests.elsewhere darwin|win32

What POSIX alone has is taken away first; third parties, which know their systems, are imported before that.
"""

import importlib
import json
import os
import pkgutil
import platform
import signal
import socket
import sys
from typing import Any

SYSTEMS = {"darwin": "Darwin", "win32": "Windows"}
# Modules that neither has in full, or Windows has not at all; what Linux alone has; what Windows lacks besides.
NO_MODULES = {"darwin": (), "win32": ("fcntl", "resource", "pwd", "grp", "termios", "pty", "tty")}
LINUX_ONLY: list[tuple[Any, tuple[str, ...]]] = [
    (os, ("pidfd_open", "memfd_create", "setresuid", "setresgid", "O_PATH", "pipe2", "sched_getaffinity",
          "getxattr", "listxattr", "setxattr", "unshare")),
    (signal, ("pidfd_send_signal",)),
]  # fmt: skip
POSIX_ONLY: list[tuple[Any, tuple[str, ...]]] = [
    (os, ("fork", "geteuid", "getegid", "getuid", "setsid", "chown", "mkfifo", "killpg", "WNOHANG",
          "statvfs", "sysconf", "setgroups", "uname")),
    (signal, ("SIGKILL", "SIGSTOP", "SIGCHLD", "SIGURG", "SIGWINCH", "SIGALRM", "SIGUSR1", "pthread_sigmask",
              "sigpending")),
    (socket, ("AF_UNIX", "send_fds", "recv_fds")),
]  # fmt: skip


def modules() -> list[str]:
    """Every module of grader but the one that runs when it is imported."""
    import grader

    found = [module.name for module in pkgutil.walk_packages(grader.__path__, "grader.")]
    return [name for name in found if name != "grader.__main__"]


def become(system: str) -> None:
    """Make this process look like one of another system."""
    sys.platform = system
    platform.system = lambda: SYSTEMS[system]
    for name in NO_MODULES[system]:
        sys.modules[name] = None  # type: ignore[assignment]
    for module, names in LINUX_ONLY + (POSIX_ONLY if system == "win32" else []):
        for name in names:
            if hasattr(module, name):
                delattr(module, name)


def main() -> None:
    """Import, forget, become, import again; then ask."""
    names = modules()
    for name in names:
        importlib.import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] == "grader"]:
        del sys.modules[name]
    family = socket.AF_UNIX
    become(sys.argv[1])
    for name in names:
        importlib.import_module(name)
    vars(socket)["AF_UNIX"] = family  # asyncio, which is Linux's here, wakes itself through one
    print(json.dumps(findings()))


def findings() -> dict[str, Any]:
    """What grading, and a diagnosis, would be."""
    from grader import doctor
    from grader.kernel.pool import Kernels
    from grader.kernel.warm import can_fork, warm_parent
    from grader.settings import Settings

    with warm_parent(Settings()) as zygote, Kernels(Settings(), zygote) as kernels:
        sandbox = kernels.sandbox
    found = doctor.examine(Settings())
    return {
        "can_fork": can_fork(),
        "zygote": zygote is not None,
        "tier": sandbox.tier,
        "missing": sandbox.missing,
        "layers": sandbox.layers,
        "reasons": sorted({attempt.reason for attempt in found.attempts}),
        "remedies": sorted({remedy for layer in found.layers for remedy in layer.remedies}),
        "sound": found.is_sound,
    }


if __name__ == "__main__":
    main()
