"""Names what a learner's exception is: an error of theirs, or something that the grader lacks.

The second kind (a missing module, `input()`, a file that was not handed in, a GPU) needs a person to
look and is never simply wrong.
"""

import re
from collections.abc import Mapping
from typing import Any

from grader.model import Limits, RunError
from grader.source import looks_like_python_2

# kinds that a person should look at, since they say nothing about the learner's solution
NEEDS_REVIEW = frozenset({"module-missing", "input-asked", "file-not-there", "network-needed", "gpu-needed"})

NETWORK_ERRORS = {
    "URLError",
    "gaierror",
    "ConnectionError",
    "ConnectionRefusedError",
    "ConnectTimeout",
    "NewConnectionError",
}
OUT_OF_MEMORY = re.compile(r"can't allocate memory|not enough memory|Cannot allocate memory", re.IGNORECASE)
NO_GPU = re.compile(r"not compiled with CUDA|No CUDA GPUs|NVIDIA driver|CUDA.* unavailable", re.IGNORECASE)


def run_error(seen: Mapping[str, Any], sources: Mapping[int, str], limits: Limits) -> RunError:
    """Turn what the probe described into a record; `sources` are the cells by number.

    The text of the message is the learner's process's own and is escaped where it is shown.
    """
    del limits
    name, message = _text(seen.get("name"), 200), _text(seen.get("message"), 2_000)
    cell, line = _number(seen.get("cell")), _number(seen.get("line"))
    kind = _kind(name, message, seen.get("module"), sources.get(cell or 0, ""))
    if kind == "module-missing":
        message = _text(seen.get("module"), 100)
    elif kind == "error":
        message = f"{name}: {message}" if message else name
    return RunError(kind=kind, message=message, cell=cell, line=line)


def _kind(name: str, message: str, module: object, source: str) -> str:  # noqa: PLR0911 - a table of cases
    if name == "ModuleNotFoundError" and module:
        return "module-missing"
    if name == "StdinNotImplementedError":
        return "input-asked"
    if name == "FileNotFoundError":
        return "file-not-there"
    if name in NETWORK_ERRORS:
        return "network-needed"
    if NO_GPU.search(message):
        return "gpu-needed"
    if name == "MemoryError" or OUT_OF_MEMORY.search(message):
        return "memory-limit"
    if name in ("SyntaxError", "IndentationError", "TabError"):
        return "python-2" if looks_like_python_2(source) else "syntax"
    return "error"


def _text(value: object, limit: int) -> str:
    """At most `limit` characters; a surrogate without its other half, which no file can hold, as its escape."""
    return value[:limit].encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
