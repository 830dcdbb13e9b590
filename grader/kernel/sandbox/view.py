"""What a job may see of this machine's files, and what it must not see even there."""

import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import msgspec

# How many files a job may make, folders among them.
MOST_FILES = 20_000
# The parts of the folder that a job writes to: its home and its temporary files.
PARTS = ("home", "tmp")
HOME = "/box/home"
SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/timezone"),
    *("/etc/alternatives", "/etc/fonts", "/etc/mime.types", "/etc/ssl/certs"),
)
# Where other Pythons of the machine may have grader installed.
OTHERS = (Path("/usr"), Path("/usr/local"))
PACKAGES = (
    *("lib*/python*/*-packages", "local/lib/python*/*-packages"),
    *("envs/*/lib/python*/*-packages", "pkgs/*/lib/python*/*-packages"),  # below the prefix of conda
)
# What programs read of a Python's folder. A virtual environment may lie in one that holds other things too.
OF_A_PREFIX = (
    *("bin", "lib", "lib32", "lib64", "libexec", "share", "include", "etc", "ssl"),
    "pyvenv.cfg",
)
# What of a course is no learner's business.
OF_A_COURSE = ("exercises", "reference")
PACKAGE = Path(__file__).parents[2]


class View(msgspec.Struct, frozen=True):
    """shown: folders and files of the host, readable inside. hidden: paths below them that are not.

    All are absolute; each hidden path is there with its links resolved.
    """

    shown: tuple[str, ...]
    hidden: tuple[str, ...]


def view_of_machine(course: Path) -> View:
    """Show the system and the Python that runs here; hide grader, wherever it is installed, and the course."""
    prefixes = _prefixes()
    of_python = {
        str(prefix / name) for prefix in prefixes for name in OF_A_PREFIX if (prefix / name).exists()
    }
    roots = _outermost({*SYSTEM, *of_python, *map(str, _packages())})
    hidden = {PACKAGE, *_installed({*prefixes, *OTHERS}), *(course / name for name in OF_A_COURSE)}
    return View(shown=roots, hidden=tuple(sorted({str(path.resolve()) for path in hidden})))


def _prefixes() -> set[Path]:
    """The folders of this Python and of the one that its virtual environment was made from, by both their names."""
    named = {Path(prefix) for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)}
    named |= {path.resolve() for path in named} | {Path(sys.executable).resolve().parents[1]}
    return named - {Path("/")}  # of a Python in /bin: that would show all there is


def _packages() -> set[Path]:
    """The folders of installed packages that this Python uses: its own, a user's, those that a `.pth` file names."""
    return {Path(folder) for folder in sys.path if folder.endswith("-packages")}


def _installed(prefixes: Iterable[Path]) -> set[Path]:
    """Where any Python among the prefixes has grader installed, with its references and the record of them."""
    folders = {Path(path) for path in sysconfig.get_paths().values()}
    folders |= {found for prefix in prefixes for pattern in PACKAGES for found in prefix.glob(pattern)}
    folders |= _packages()
    return {
        found for folder in folders for pattern in ("grader", "grader-*") for found in folder.glob(pattern)
    }


def _outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """The paths without those that lie below another of them, links aside."""
    chosen: list[str] = []
    for path in sorted(paths, key=lambda path: (len(Path(path).parts), path)):
        if not any(Path(path).is_relative_to(outer) for outer in chosen):
            chosen.append(path)
    return tuple(chosen)
