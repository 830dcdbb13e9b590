"""Layer `file-system`: a job has a root of its own, built of nothing and of what is shown to it read-only.

Guarantee: a path that is not in the job's `View` does not exist inside, and what the view hides is covered by
an empty folder, so no reference, check, submission, home or key can be opened under any name; nothing that
is shown can be changed; what is written goes to one small memory file system, a true quota of bytes and of
files, and is gone with the job.

Not its part: memory of other processes (`namespaces`), open descriptors (closed by the guardian's child).
"""

import os
from collections.abc import Sequence
from pathlib import Path

from grader.kernel.sandbox import mounts
from grader.kernel.sandbox.namespaces import CLONE_NEWNS, unshare
from grader.kernel.sandbox.view import HOME, MOST_FILES, View

ROOT_OPTIONS = "size=1m,nr_inodes=8192,mode=755"
DEVICES = ("null", "zero", "full", "random", "urandom")
WRITABLE = ("/box", "/tmp", "/dev/shm")  # noqa: S108 - inside
NEW, OLD = "/new", "/old"


def build(view: View, scratch_mb: int, uid: int, gid: int) -> None:
    """Give this process a private root, as `view` describes it, and leave it in the job's home.

    Called where mounting is allowed: as root, or first in a user namespace. Raises OSError.
    """
    unshare(CLONE_NEWNS)
    mounts.mount(None, "/", flags=mounts.MS_REC | mounts.MS_PRIVATE)
    os.umask(0o022)  # another user enters what is made here, whatever umask grader was started with
    _enter_workshop()
    _make_scratch(scratch_mb, uid, gid)
    for path in view.shown:
        _show(path)
    for path in view.hidden:
        _cover(path)
    _make_devices()
    _make_proc()
    _make_etc(uid, gid)
    os.chdir(NEW)
    mounts.pivot_root(".", ".")  # puts the old root over the new one …
    mounts.detach(".")  # … and takes it away, with everything of the host
    mounts.set_attributes("/", mounts.READ_ONLY, recursive=False)
    os.chdir(HOME)


def _enter_workshop() -> None:
    """Stand in an empty root with the host's under /old and the job's to be under /new."""
    base = "/tmp"  # noqa: S108 - any folder does: it is covered in this namespace alone
    mounts.mount("tmpfs", base, "tmpfs", mounts.MS_NOSUID | mounts.MS_NODEV, ROOT_OPTIONS)
    for name in (OLD, NEW):
        Path(base + name).mkdir()
    mounts.mount(base + NEW, base + NEW, flags=mounts.MS_BIND)  # a mount point for the second pivot
    mounts.pivot_root(base, base + OLD)
    os.chdir("/")


def _make_scratch(scratch_mb: int, uid: int, gid: int) -> None:
    """One memory file system with one quota for home, /tmp and /dev/shm.

    It comes first: what is shown may lie below /tmp, and a later mount there would cover it.
    """
    box = _folder("/box")
    options = f"size={scratch_mb}m,nr_inodes={MOST_FILES},mode=700"
    mounts.mount("tmpfs", box, "tmpfs", mounts.MS_NOSUID | mounts.MS_NODEV, options)
    for inside, shown_as in (("home", None), ("tmp", "/tmp"), ("shm", "/dev/shm")):  # noqa: S108 - inside
        part = f"{box}/{inside}"
        Path(part).mkdir(mode=0o700)
        os.chown(part, uid, gid)
        if shown_as is not None:
            mounts.mount(part, _folder(shown_as), flags=mounts.MS_BIND)
    os.chown(box, uid, gid)


def _show(path: str) -> None:
    """Show a path of the host read-only under the same name; one that is not there is left out."""
    source = OLD + path
    if Path(source).is_symlink():  # /lib → usr/lib
        link = Path(NEW + path)
        if not os.path.lexists(link):
            _folder(str(Path(path).parent))
            link.symlink_to(Path(source).readlink())
    elif Path(source).is_dir():
        mounts.bind(source, _folder(path), mounts.READ_ONLY)
    elif Path(source).exists():
        mounts.bind(source, _file(path), mounts.READ_ONLY)


def _cover(path: str) -> None:
    """Put something empty over a path, if it would be seen."""
    seen = Path(NEW + path)
    if seen.is_symlink() or not seen.exists():
        return  # what a link leads to is hidden under its own name
    if seen.is_dir():
        flags = mounts.MS_RDONLY | mounts.MS_NOSUID | mounts.MS_NODEV | mounts.MS_NOEXEC
        mounts.mount("tmpfs", str(seen), "tmpfs", flags, "size=4k,nr_inodes=2,mode=555")
    else:
        mounts.bind(_file("/.empty"), str(seen), mounts.READ_ONLY)


def _make_devices() -> None:
    for name in DEVICES:
        mounts.bind(f"{OLD}/dev/{name}", _file(f"/dev/{name}"), mounts.ATTR_NOSUID | mounts.ATTR_NOEXEC)
    Path(NEW + "/dev/fd").symlink_to("/proc/self/fd")


def _make_proc() -> None:
    """The processes of this job; where a container forbids that, what torch reads of the machine."""
    flags = mounts.MS_NOSUID | mounts.MS_NODEV | mounts.MS_NOEXEC | mounts.MS_RDONLY
    try:
        mounts.mount("proc", _folder("/proc"), "proc", flags)
    except PermissionError:
        for name in ("cpuinfo", "meminfo", "stat"):
            mounts.bind(f"{OLD}/proc/{name}", _file(f"/proc/{name}"), mounts.READ_ONLY | mounts.ATTR_NOEXEC)


def _make_etc(uid: int, gid: int) -> None:
    """As much of /etc as programs want to see; nothing of the host's users."""
    texts = {
        "passwd": f"root:x:0:0::/:/bin/false\nlearner:x:{uid}:{gid}::{HOME}:/bin/sh\n",
        "group": f"learner:x:{gid}:\n",
        "hosts": "127.0.0.1 localhost\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    }
    folder = Path(_folder("/etc"))
    for name, text in texts.items():
        (folder / name).write_text(text, "ascii")


def _folder(path: str) -> str:
    """The place of a folder in the new root, made if it is not there."""
    place = Path(NEW + path)
    place.mkdir(parents=True, exist_ok=True)
    return str(place)


def _file(path: str) -> str:
    """The place of a file in the new root, made if it is not there."""
    place = Path(NEW + path)
    _folder(str(Path(path).parent))
    place.touch()
    return str(place)


def devices() -> Sequence[str]:
    """The device files that a job may read and write."""
    return tuple(f"/dev/{name}" for name in DEVICES)
