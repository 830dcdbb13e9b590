"""Names what a learner's exception is: an error of theirs, a limit, or something that the grader lacks or refuses.

The third kind (a missing module, `input()`, a file that was not handed in, the network) needs a person to
look and is never simply wrong. Nothing here decides marks; the names choose the sentence that explains.
"""

import errno
import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from grader.model import Limits, RunError
from grader.source import looks_like_python_2

# Kinds that a person should look at, since they say nothing about the learner's solution.
NEEDS_REVIEW = frozenset(
    {
        "module-missing",
        "input-asked",
        "file-not-there",
        "network-needed",
        "gpu-needed",
        "outside-not-allowed",
        "not-allowed",
        "sandbox-lacks-shared-memory",
    }
)
# The limit that each kind of end names.
LIMIT_OF = {
    "time-limit": "cell_seconds",
    "run-time-limit": "run_seconds",
    "cpu-limit": "cpu_seconds",
    "memory-limit": "memory_mb",
    "process-limit": "processes",
    "disk-limit": "scratch_mb",
    "file-limit": "open_files",
    "output-limit": "output_bytes",
    "message-limit": "output_messages",
}

NETWORK_ERRORS = {
    "URLError",
    "gaierror",
    "ConnectionError",
    "ConnectionRefusedError",
    "ConnectTimeout",
    "ConnectError",
    "ClientConnectorError",
    "NewConnectionError",
    "NameResolutionError",
    "MaxRetryError",
    "ProxyError",
}
NETWORK_ERRNOS = {
    *(errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL),
    *(errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.ECONNREFUSED),
}
NETWORK_TEXT = re.compile(
    r"<urlopen error|Max retries exceeded with url|Network is unreachable|Name or service not known"
    r"|name resolution|We couldn't connect to"
)
# A refusal without a path is one of a socket if it comes from here, or if the learner's line speaks of it.
NETWORK_FILES = {"socket.py", "selector_events.py", "base_events.py"}
NETWORK_CODE = re.compile(r"socket|connect|\bbind\b|sendto")

OUT_OF_MEMORY = re.compile(
    r"can't allocate memory|not enough memory|Cannot allocate memory|Unable to allocate|bad_alloc",
    re.IGNORECASE,
)
NO_GPU = re.compile(r"not compiled with CUDA|No CUDA GPUs|NVIDIA driver|CUDA.* unavailable", re.IGNORECASE)
# numpy and torch write files in C, and say in words of their own that not all of it went in.
DISK_FULL = re.compile(
    r"No space left on device|File too large|Disk quota exceeded|^\d+ requested and \d+ written"
    r"|inline_container\.cc.*unexpected pos|PytorchStreamWriter failed writing"
)
SHARED_MEMORY = re.compile(
    r"shared memory|/dev/shm|torch_shm_manager|</torch_\d+|DataLoader worker \(pid.*(exited|killed)",
    re.IGNORECASE,
)
SHARED_MEMORY_FILES = {"synchronize.py", "shared_memory.py", "heap.py"}
PROCESS_STARTERS = {"_execute_child", "_fork_exec", "_launch", "_posix_spawn", "spawnv_passfds", "fork_exec"}
NOT_SAVED_OUTSIDE = re.compile(
    r"(?:Parent directory|File) (?:/|~|\.\.).* (?:does not exist|cannot be opened)\.$"
)


class Seen(NamedTuple):
    """An exception as the probe describes it; whatever is not of its type is empty or None.

    `path` is the file that the system refused; `file` and `function` say where the exception was raised,
    `code` is the learner's line that led there, `source` their cell.
    """

    name: str
    message: str
    module: str
    number: int | None
    path: str
    file: str
    function: str
    code: str
    source: str


def _lacks_shared_memory(seen: Seen) -> bool:
    if seen.number is not None and PurePosixPath(seen.file).name in SHARED_MEMORY_FILES:
        return True
    return seen.name in ("RuntimeError", "OSError") and SHARED_MEMORY.search(seen.message) is not None


def _starts_too_many(seen: Seen) -> bool:
    if seen.number == errno.EAGAIN:  # also what a socket answers that would have to wait
        return seen.function in PROCESS_STARTERS or "fork" in seen.code
    return seen.name == "RuntimeError" and (
        "can't start new thread" in seen.message or "Resource temporarily unavailable" in seen.message
    )


def _needs_network(seen: Seen) -> bool:
    if seen.name in NETWORK_ERRORS or seen.number in NETWORK_ERRNOS or NETWORK_TEXT.search(seen.message):
        return True
    if not _is_refused(seen) or seen.path:
        return False
    return PurePosixPath(seen.file).name in NETWORK_FILES or NETWORK_CODE.search(seen.code) is not None


def _is_refused(seen: Seen) -> bool:
    return seen.number in (errno.EPERM, errno.EACCES)


def _is_outside(seen: Seen) -> bool:
    if NOT_SAVED_OUTSIDE.match(seen.message):
        return True
    away = seen.path.startswith(("/", "~", "..")) and seen.function not in PROCESS_STARTERS
    return away and (_is_refused(seen) or seen.number == errno.EROFS)


def _is_syntax(seen: Seen) -> bool:
    return seen.name in ("SyntaxError", "IndentationError", "TabError")


def _is_gap(seen: Seen) -> bool:
    """Whether it comes from a line that stands in a notebook until learners write theirs."""
    return seen.name == "NotImplementedError" and seen.code.strip() == "raise NotImplementedError()"


# The first that holds names the exception; if none does, it is an error of the learner's.
KINDS: tuple[tuple[str, Callable[[Seen], object]], ...] = (
    ("module-missing", lambda seen: seen.name == "ModuleNotFoundError" and seen.module),
    ("input-asked", lambda seen: seen.name == "StdinNotImplementedError"),
    ("sandbox-lacks-shared-memory", _lacks_shared_memory),
    ("file-not-there", lambda seen: seen.name == "FileNotFoundError"),
    ("file-limit", lambda seen: seen.number == errno.EMFILE or "Too many open files" in seen.message),
    ("disk-limit", lambda seen: DISK_FULL.search(seen.message)),
    ("process-limit", _starts_too_many),
    ("network-needed", _needs_network),
    ("gpu-needed", lambda seen: NO_GPU.search(seen.message)),
    ("outside-not-allowed", _is_outside),
    ("not-allowed", lambda seen: _is_refused(seen) and (not seen.path or seen.function in PROCESS_STARTERS)),
    ("memory-limit", lambda seen: "MemoryError" in seen.name or OUT_OF_MEMORY.search(seen.message)),
    ("python-2", lambda seen: _is_syntax(seen) and looks_like_python_2(seen.source)),
    ("syntax", _is_syntax),
    ("gap-left", _is_gap),
)


def run_error(seen: Mapping[str, Any], sources: Mapping[int, str], limits: Limits) -> RunError:
    """Turn what the probe described into a record; `sources` are the cells by number.

    The text of the message is the learner's process's own and is escaped where it is shown.
    """
    cell, line = _number(seen.get("cell")), _number(seen.get("line"))
    error = _seen(seen, sources.get(cell or 0, ""), line)
    kind = next((kind for kind, holds in KINDS if holds(error)), "error")
    if kind == "memory-limit" and limits.memory_mb == 0:
        kind = "out-of-memory"
    if kind in LIMIT_OF:
        return passed(kind, limits, cell, line)
    message = error.message
    if kind == "module-missing":
        message = error.module
    elif kind == "error":
        message = f"{error.name}: {error.message}" if error.message else error.name
    return RunError(kind=kind, message=message, cell=cell, line=line)


def passed(kind: str, limits: Limits, cell: int | None, line: int | None = None) -> RunError:
    """What a cell ended with that passed a limit: the message is the limit's figure."""
    figure = str(getattr(limits, LIMIT_OF[kind])).removesuffix(".0")
    return RunError(kind=kind, message=figure, cell=cell, line=line)


def _seen(seen: Mapping[str, Any], source: str, line: int | None) -> Seen:
    lines = source.split("\n")
    return Seen(
        name=_text(seen.get("name"), 200),
        message=_text(seen.get("message"), 2_000),
        module=_text(seen.get("module"), 100),
        number=_number(seen.get("errno")),
        path=_text(seen.get("path"), 500),
        file=_text(seen.get("file"), 500),
        function=_text(seen.get("function"), 200),
        code=lines[line - 1] if line is not None and 1 <= line <= len(lines) else "",
        source=source,
    )


def _text(value: object, limit: int) -> str:
    """At most `limit` characters; a surrogate without its other half, which no file can hold, as its escape."""
    return value[:limit].encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
