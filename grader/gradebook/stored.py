"""Records as a database can hold them, and back: JSON without what JSON, SQLite or PostgreSQL cannot hold.

Reports outlive the program that wrote them: a field that is not known is passed over, one that is new has its default.
"""

import hashlib
import math
from typing import Any

import msgspec
from sqlalchemy import Dialect
from sqlalchemy import Text as AnyLength
from sqlalchemy.types import TypeDecorator

from grader.model import Report, Text

# Where a report keeps what its sentences are filled with. There "nan" is worded as the number is; JSON's null would not be.
WORDED = {"params", "evidence"}


class Storable(TypeDecorator[str]):
    """Text of any length. Lone surrogates and NUL, which file names and messages can hold, become escapes."""

    impl = AnyLength
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """What goes to the database."""
        return None if value is None else storable(value)


def storable(text: str) -> str:
    """Text in which escapes stand for lone surrogates and NUL."""
    return _encodable(text).replace("\0", "\\x00")


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def to_json(record: Report | Text) -> str:
    """A record as JSON."""
    return msgspec.json.encode(_plain(msgspec.to_builtins(record))).decode()


def report_from(text: str) -> Report:
    """A report that was stored. Raises msgspec.ValidationError where this program cannot read it."""
    return msgspec.json.decode(text, type=Report)


def text_from(text: str) -> Text:
    """A sentence that was stored."""
    return msgspec.json.decode(text, type=Text)


def with_digest(report: Report) -> tuple[str, str]:
    """A report as JSON; and a digest, equal for reports that say the same whatever the file is called and however long it took."""
    plain = _plain(msgspec.to_builtins(report))
    same = plain | {"submission": "", "seconds": 0.0}
    return msgspec.json.encode(plain).decode(), hashlib.sha256(msgspec.json.encode(same)).hexdigest()


def _plain(value: Any, *, worded: bool = False) -> Any:
    if isinstance(value, str):
        return _encodable(value)
    if isinstance(value, float) and worded and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {_plain(name): _plain(part, worded=worded or name in WORDED) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, worded=worded) for part in value]
    return value
