"""Puts files where they belong, each in one go."""

import os
from pathlib import Path


def put(path: Path, content: bytes) -> Path:
    """Write a file, and its folder if need be: whoever looks sees the old file or the new one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(path)
    return path


def as_bytes(text: str) -> bytes:
    """A text in UTF-8; escapes stand for lone surrogates, which it cannot hold."""
    return text.encode("utf-8", "backslashreplace")
