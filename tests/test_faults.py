"""What an exception is called: the learner's error, a limit with its figure, or something that is not given."""

import builtins
import errno
import io
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from multiprocessing import synchronize
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from grader.kernel.faults import KINDS, LIMIT_OF, NEEDS_REVIEW, passed, run_error
from grader.kernel.pool import Kernels
from grader.model import Language, Limits, Report, RunError
from grader.probe.errors_seen import describe
from grader.report.document import word
from grader.text import catalogue
from tests.sessions import ran

LANGUAGES: tuple[Language, ...] = get_args(Language)
LIMITS = Limits(memory_mb=1234, processes=21, open_files=77, scratch_mb=31, cell_seconds=2.5)


def raised(error: BaseException) -> dict[str, Any]:
    """What the probe says of an exception that the learner's cell 3 raised."""
    try:
        raise error
    except type(error) as caught:
        return describe(caught, 3)


def refused(number: int, path: str | None = None) -> dict[str, Any]:
    """What the probe says of a refusal by the system, of a file if one is named."""
    return raised(OSError(number, os.strerror(number), path))


def from_within(action: Callable[[], object]) -> dict[str, Any]:
    """What the probe says of an exception that a library raised."""
    with pytest.raises(BaseException) as caught:
        action()
    return describe(caught.value, 3)


def called(seen: dict[str, Any], code: str = "", limits: Limits = LIMITS) -> RunError:
    """The name of an exception, as one of the only line of cell 3."""
    return run_error(seen | {"cell": 3, "line": 1}, {3: code}, limits)


# ---- each kind ----------------------------------------------------------------------------------

TORCH_SHARED = (
    "unable to open shared memory object </torch_12_345> in read-write mode: Permission denied (13)"
)
BUS = "DataLoader worker (pid 12) is killed by signal: Bus error."
SEEN: dict[str, tuple[str, dict[str, Any]]] = {
    "open files": ("file-limit", refused(errno.EMFILE, "a.txt")),
    "open files in torch": ("file-limit", raised(RuntimeError("unable to open file: Too many open files (24)"))),
    "disk": ("disk-limit", refused(errno.ENOSPC)),
    "size of a file": ("disk-limit", refused(errno.EFBIG)),
    "quota": ("disk-limit", refused(errno.EDQUOT, "/tmp/a")),
    "numpy's file": ("disk-limit", raised(OSError("100000 requested and 109 written"))),
    "torch's file": ("disk-limit", raised(RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 704 vs 598"))),
    "thread": ("process-limit", raised(RuntimeError("can't start new thread"))),
    "thread in C++": ("process-limit", raised(RuntimeError("Resource temporarily unavailable"))),
    "child": ("process-limit", refused(errno.EAGAIN) | {"function": "_execute_child"}),
    "memory": ("memory-limit", raised(MemoryError())),
    "memory of a child": ("memory-limit", refused(errno.ENOMEM)),
    "numpy's memory": ("memory-limit", from_within(lambda: np.zeros((1 << 40, 1 << 10)))),
    "torch's memory": ("memory-limit", raised(RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"))),
    "reading outside": ("outside-not-allowed", refused(errno.EACCES, "/home/me/data.csv")),
    "writing outside": ("outside-not-allowed", refused(errno.EROFS, "/usr/lib/a.txt")),
    "changing outside": ("outside-not-allowed", refused(errno.EPERM, "../a.txt")),
    "saving outside": ("outside-not-allowed", raised(RuntimeError("Parent directory /home/me does not exist."))),
    "saving into no folder": ("error", raised(RuntimeError("Parent directory models does not exist."))),
    "a file of its own": ("error", refused(errno.EACCES, "data.csv")),
    "a signal": ("not-allowed", refused(errno.EPERM)),
    "a program": ("not-allowed", refused(errno.EACCES, "/usr/bin/git") | {"function": "_execute_child"}),
    "an exception of its own": ("error", raised(PermissionError("not today"))),
    "a file that is not there": ("file-not-there", refused(errno.ENOENT, "/data/train.csv")),
    "no lock": ("sandbox-lacks-shared-memory", refused(errno.ENOENT) | {"file": synchronize.__file__}),
    "no lock allowed": ("sandbox-lacks-shared-memory", refused(errno.EACCES) | {"file": synchronize.__file__}),
    "no shared tensor": ("sandbox-lacks-shared-memory", raised(RuntimeError(TORCH_SHARED))),
    "a worker without memory": ("sandbox-lacks-shared-memory", raised(RuntimeError(BUS))),
    "no socket": ("network-needed", refused(errno.EACCES) | {"file": socket.__file__}),
    "no such network": ("network-needed", refused(errno.ENETUNREACH)),
    "no such family": ("network-needed", refused(errno.EAFNOSUPPORT)),
    "nobody there": ("network-needed", from_within(lambda: socket.create_connection(("127.0.0.1", 1), 1))),
    "no name": ("network-needed", raised(socket.gaierror(-3, "Temporary failure in name resolution"))),
    "a download": ("network-needed", raised(RuntimeError("Error downloading a.gz:\nTried x, got:\n<urlopen error [Errno 1]>"))),
    "a model hub": ("network-needed", raised(OSError("We couldn't connect to 'https://example.org' to load this file"))),
}  # fmt: skip


@pytest.mark.parametrize("name", SEEN)
def test_names_what_was_raised(name: str) -> None:
    kind, seen = SEEN[name]
    assert called(seen).kind == kind


@pytest.mark.parametrize("code", ["s.connect(('10.0.0.1', 80))", "socket.socket()", "s.bind(('', 8080))"])
def test_a_refusal_in_a_line_that_speaks_of_sockets_is_one_of_the_network(code: str) -> None:
    assert called(refused(errno.EPERM), code).kind == "network-needed"


def test_waiting_is_no_process_too_many_but_forking_is() -> None:
    assert called(refused(errno.EAGAIN), "socket.recv(1)").kind == "error"
    assert called(refused(errno.EAGAIN), "os.fork()").kind == "process-limit"


def test_the_functions_that_start_processes_are_known_by_name(tmp_path: Path) -> None:
    (tmp_path / "a").touch(0o600)
    assert called(from_within(lambda: subprocess.run([tmp_path / "a"], check=True))).kind == "not-allowed"


def test_where_memory_has_no_limit_none_is_named() -> None:
    error = called(raised(MemoryError("9 GB")), limits=Limits(memory_mb=0))
    assert (error.kind, error.message) == ("out-of-memory", "9 GB")


def test_of_what_the_kernel_says_only_what_fits_is_taken() -> None:
    forged = {"name": 3, "message": [], "errno": "13", "path": {}, "file": None, "function": True, "line": -1}
    assert run_error(forged, {}, LIMITS) == RunError(kind="error", message="", cell=None, line=None)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EMFILE, errno.ENOSPC])
def test_an_exception_that_plays_an_os_error_is_taken_for_what_it_is(number: int) -> None:
    class Plays(Exception):  # noqa: N818
        errno = number
        filename = "/etc/passwd"
        __class__ = OSError  # type: ignore[assignment]

    seen = raised(Plays("boo"))
    assert (seen["errno"], seen["path"]) == (None, "")
    assert called(seen) == RunError(kind="error", message="Plays: boo", cell=3, line=1)


def test_an_os_error_with_odd_parts_has_none() -> None:
    error = OSError("many", "words", b"/bytes")
    assert {key: raised(error)[key] for key in ("errno", "path")} == {"errno": None, "path": ""}


# ---- the words ----------------------------------------------------------------------------------


def message(error: RunError, language: Language) -> str:
    """The sentence that a report says."""
    report = Report(exercise="x", submission="a.py", sha256="", status="graded", score=0.0, max_score=0.0,
                    error=error)  # fmt: skip
    part = word(report, None, language).run.error
    assert part is not None
    return part.message


# The figure and the unit that each limit's sentence names.
FIGURES = {
    "time-limit": ("2.5 seconds", "2.5 秒"),
    "run-time-limit": ("60 seconds", "60 秒"),
    "cpu-limit": ("120 seconds", "120 秒"),
    "memory-limit": ("1,234 MB", "1,234 MB"),
    "process-limit": ("the 21 ", "21 个"),
    "disk-limit": ("31 MB", "31 MB"),
    "file-limit": ("the 77 ", "77 个"),
    "output-limit": ("20,000,000 characters", "20,000,000 个字符"),
    "message-limit": ("50,000 outputs", "50,000 个输出"),
}


def test_every_limit_has_an_end_and_every_end_a_figure() -> None:
    assert sorted(LIMIT_OF.values()) == sorted(Limits.__struct_fields__)
    assert set(FIGURES) == set(LIMIT_OF)


@pytest.mark.parametrize("kind", LIMIT_OF)
def test_every_limit_is_told_with_the_cell_its_figure_and_its_unit(kind: str) -> None:
    for language, figure, cell in zip(LANGUAGES, FIGURES[kind], ("ell 7", "单元格 7"), strict=True):
        said = message(passed(kind, LIMITS, 7), language)
        assert figure in said
        assert cell in said


def test_what_was_raised_for_a_limit_names_it() -> None:
    names = ("open files", "disk", "thread", "memory")
    assert [called(SEEN[name][1]).message for name in names] == ["77", "31", "21", "1234"]
    assert called(SEEN["disk"][1]) == passed("disk-limit", LIMITS, 3, 1)


@pytest.mark.parametrize("kind", sorted(NEEDS_REVIEW))
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_given_is_told_without_blame_and_to_a_person(kind: str, language: Language) -> None:
    said = message(RunError(kind=kind, message="[Errno 13] '/x'", cell=7, line=1), language)
    assert re.search("7", said)
    assert not re.search(r"\b(error|wrong|illegal|forbidden|must not)\b|错误|非法|禁止", said)
    assert f"review-{kind}" in catalogue(language)


def test_every_kind_that_is_decided_here_has_words() -> None:
    kinds = {kind for kind, _ in KINDS} | {"error", "out-of-memory"}
    assert {f"run-{kind}" for kind in kinds} <= set(catalogue("en"))


# ---- in a kernel --------------------------------------------------------------------------------

LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_{what}, ({value}, resource.getrlimit(resource.RLIMIT_{what})[1]))
"""
IN_KERNEL = {
    "a file too large": (LIMITED.format(what="FSIZE", value=1000), "open('a', 'wb').write(bytes(9999))", "disk-limit"),
    "an array too large": (LIMITED.format(what="FSIZE", value=1000), "import numpy\nnumpy.save('a', numpy.ones(9999))", "disk-limit"),
    "a model too large": (LIMITED.format(what="FSIZE", value=1000), "import torch\ntorch.save(torch.ones(9999), 'a')", "disk-limit"),
    "too many files": ("count = 600", "for _ in [0]: [open('/dev/null') for _ in range(count)]", "file-limit"),
    "another user": ("import os", "os.setuid(0)", "not-allowed"),
}  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="limits of other systems differ")
@pytest.mark.parametrize("name", IN_KERNEL)
def test_names_what_a_kernel_raises(name: str, kernels: Kernels) -> None:
    before, cell, kind = IN_KERNEL[name]
    with ran(kernels, before, cell, limits=LIMITS) as kernel:
        found = [(error.kind, error.cell) for error in kernel.run.errors]
    assert found == [(kind, 2)]


def test_the_parts_of_an_os_error_are_where_the_probe_looks() -> None:
    seen = from_within(lambda: io.open("/no/such/file"))  # noqa: UP020, SIM115
    assert (seen["errno"], seen["path"]) == (errno.ENOENT, "/no/such/file")
    assert builtins.open is io.open
    assert from_within(lambda: Path("/no/such/file").open())["path"] == "/no/such/file"  # noqa: SIM115
    assert from_within(lambda: Path("/no/such/file").mkdir())["path"] == "/no/such/file"
