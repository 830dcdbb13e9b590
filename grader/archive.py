"""A zip of submissions → the notebooks and modules in it, one after the other.

Nothing is written to disk, so no name in an archive can lead anywhere. What an archive claims about
itself (sizes, names, sums) is believed only after it was counted or compared. An entry that cannot be
used costs its own line; the others are read all the same. Of an archive only the directory and one entry
are in memory at a time, however large it is.
"""

import io
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from grader.errors import UnreadableSubmission
from grader.files import ordinary_file

ARCHIVE_SUFFIX = ".zip"
OTHER_ARCHIVES = {".7z", ".bz2", ".gz", ".rar", ".tar", ".tbz", ".tgz", ".txz", ".xz", ".zst"}
MEGABYTE = 1_000_000
MAX_PART = 255
MAX_NAME = 1_000
# Bytes that an entry takes up in the directory, on average: 46, a name, and what systems add.
DIRECTORY_BYTES = 1_500


class Bounds(NamedTuple):
    """The most that an archive may have: bytes as it lies there, bytes of all that is read of it, entries."""

    packed: int
    unpacked: int
    entries: int


# What one person packs, and what a learning platform gives out for a course of many thousands.
BY_HAND = Bounds(100 * MEGABYTE, 500 * MEGABYTE, 2_000)
OF_A_CLASS = Bounds(4_000 * MEGABYTE, 20_000 * MEGABYTE, 100_000)

# The record before each entry's bytes: flags and method, then the lengths of its name and its extra field.
LOCAL_RECORD = "<4s2xHH16xHH"
LOCAL_SIZE = 30
LOCAL_MARK = b"PK\x03\x04"
ENTRY_MARK = b"PK\x01\x02"
ENCRYPTED = 0x1 | 0x40 | 0x2000
UTF_8 = 0x800
STORED, DEFLATED = 0, 8

# Copies that systems and Jupyter leave in archives by themselves.
IGNORED = re.compile(r"(^|/)(__MACOSX/|\.ipynb_checkpoints/|__pycache__/|\._[^/]*$)")
RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
DRIVE = re.compile(".:")  # Windows takes any character for one
# Categories of characters that control a screen, reorder what is read, or are not seen at all.
CONTROLLING = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}

# The content of an entry, or why it has none.
Content = bytes | UnreadableSubmission


class Member(NamedTuple):
    """An entry of an archive.

    modified: year, month, day, hour, minute, second, as whoever packed it says. `read` gives its content, or what is wrong with it,
    or None if nobody asked for its kind.
    """

    name: str
    modified: tuple[int, int, int, int, int, int]
    read: Callable[[], Content | None]


def members(path: Path, wanted: Sequence[str], largest: int) -> Iterator[tuple[str, Content]]:
    """The name and content of each entry with a wanted suffix, in the archive's order.

    Raises UnreadableSubmission if the archive as a whole cannot be read.
    """
    empty = True
    for member in listed(path, wanted, largest, BY_HAND):
        if (content := member.read()) is not None:
            empty = False
            yield member.name, content
    if empty:
        raise UnreadableSubmission("archive-without-submissions", path=str(path))


def listed(path: Path, wanted: Sequence[str], largest: int, bounds: Bounds) -> list[Member]:
    """All entries, in the archive's order; nothing is unpacked before it is read.

    `largest` is the most bytes that an entry may unpack to. Raises UnreadableSubmission if the archive as a whole cannot be read.
    """
    archive = _Archive(path, wanted, largest, bounds)
    return [
        Member(archive.name(entry), entry.date_time, partial(archive.content, entry))
        for entry in archive.entries
    ]


def _entries(path: Path, bounds: Bounds) -> list[zipfile.ZipInfo]:
    """What the directory at the end of an archive lists."""
    with ordinary_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise UnreadableSubmission("file-empty", path=str(path))
        if size > bounds.packed:
            raise UnreadableSubmission(
                "archive-too-large", path=str(path), limit_mb=bounds.packed // MEGABYTE
            )
        try:
            with zipfile.ZipFile(_Counting(file, size, path, bounds.entries)) as archive:
                return archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error):
            raise UnreadableSubmission("archive-damaged", path=str(path)) from None


class _Counting:
    """A file whose entries are counted in the bytes that are read of it, before a record is made of any."""

    def __init__(self, file: io.BufferedReader, size: int, path: Path, most: int) -> None:
        self._size = size
        self.seek, self.tell = file.seek, file.tell
        self._file, self._most = file, most
        self._error = UnreadableSubmission("archive-too-many", path=str(path), limit=most)

    def read(self, size: int = -1, /) -> bytes:
        """At most as many bytes as a directory within the bound has."""
        left = self._size - self._file.tell()  # a buffer is made for as much as is asked for
        asked, longest = left if size < 0 else min(size, left), self._most * DIRECTORY_BYTES
        if asked > longest:
            raise self._error
        content = self._file.read(max(asked, 0))
        if content.count(ENTRY_MARK) > self._most:
            raise self._error
        return content


class _Archive:
    """One archive: what was seen of it, and how much was unpacked."""

    def __init__(self, path: Path, wanted: Sequence[str], largest: int, bounds: Bounds) -> None:
        self._path = path
        self._wanted = wanted
        self._largest = largest
        self._bounds = bounds
        self.entries = _entries(path, bounds)
        self._overlapping = _overlapping(self.entries)
        self._names = set[str]()
        self._unpacked = 0

    def name(self, entry: zipfile.ZipInfo) -> str:
        """The name of an entry, as far as a name may reach."""
        return _decoded(entry)[:MAX_NAME]

    def content(self, entry: zipfile.ZipInfo) -> Content | None:
        """The content of an entry, or what is wrong with it; None if nobody asked for it."""
        try:
            return self._content(entry)
        except UnreadableSubmission as error:
            return error

    def _content(self, entry: zipfile.ZipInfo) -> bytes | None:
        name, shown = _decoded(entry), f"{self._path}/{self.name(entry)}"
        if not is_safe(name.removesuffix("/")):
            raise UnreadableSubmission("entry-name-unsafe", path=shown)
        suffix = PurePosixPath(name).suffix.lower()
        if name.endswith("/") or IGNORED.search(name):
            return None
        if suffix == ARCHIVE_SUFFIX or suffix in OTHER_ARCHIVES:
            raise UnreadableSubmission("entry-is-archive", path=shown)
        if suffix not in self._wanted:
            return None
        self._demand_only_one(name, shown)
        self._demand_plain(entry, shown)
        if self._unpacked >= (most := self._bounds.unpacked):
            raise UnreadableSubmission("entry-past-limit", path=shown, limit_mb=most // MEGABYTE)
        content = self._unpack(entry, shown)
        if not content or content.isspace():
            raise UnreadableSubmission("file-empty", path=shown)
        return content

    def _demand_only_one(self, name: str, shown: str) -> None:
        """Refuse a name that some file system takes for one that was there before."""
        key = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
        if key in self._names:
            raise UnreadableSubmission("entry-name-twice", path=shown)
        self._names.add(key)

    def _demand_plain(self, entry: zipfile.ZipInfo, shown: str) -> None:
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            raise UnreadableSubmission("entry-not-regular", path=shown)
        if entry.flag_bits & ENCRYPTED:
            raise UnreadableSubmission("entry-encrypted", path=shown)
        if entry.compress_type not in (STORED, DEFLATED):  # the others cannot be unpacked within a bound
            raise UnreadableSubmission("entry-method", path=shown)
        if entry.header_offset in self._overlapping:
            raise UnreadableSubmission("entry-overlaps", path=shown)

    def _unpack(self, entry: zipfile.ZipInfo, shown: str) -> bytes:
        """The bytes of an entry, counted as they come; its sizes and its sum must then be as it said."""
        if entry.compress_size > self._largest * 1.001 + 1_000:  # the most that packing may add
            raise self._too_large(shown)
        with ordinary_file(self._path) as file:
            body = _body(file, entry)
        if body is None:
            raise UnreadableSubmission("entry-damaged", path=shown)
        content, whole = body, True
        if entry.compress_type == DEFLATED:
            content, whole = _inflated(body, self._largest + 1)
        self._unpacked += len(content)
        if len(content) > self._largest:
            raise self._too_large(shown)
        if not whole or len(content) != entry.file_size or zlib.crc32(content) != entry.CRC:
            raise UnreadableSubmission("entry-damaged", path=shown)
        return content

    def _too_large(self, shown: str) -> UnreadableSubmission:
        return UnreadableSubmission("file-too-large", path=shown, limit_mb=self._largest // MEGABYTE)


def _overlapping(entries: list[zipfile.ZipInfo]) -> set[int]:
    """Where those entries begin that share bytes with another, as in bombs that count the same bytes often."""
    shared = set[int]()
    start = end = -1
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            shared |= {start, entry.header_offset}
        least = LOCAL_SIZE + len(_raw_name(entry)) + entry.compress_size
        if entry.header_offset + least > end:
            start, end = entry.header_offset, entry.header_offset + least
    return shared


def _body(file: io.BufferedReader, entry: zipfile.ZipInfo) -> bytes | None:
    """The packed bytes of an entry; None where its two records disagree or the archive is cut off."""
    if not 0 <= entry.header_offset <= os.fstat(file.fileno()).st_size - LOCAL_SIZE:
        return None
    file.seek(entry.header_offset)
    record = file.read(LOCAL_SIZE)
    if len(record) < LOCAL_SIZE:
        return None
    mark, flags, method, name_length, extra_length = struct.unpack(LOCAL_RECORD, record)
    name = file.read(name_length)
    file.seek(extra_length, os.SEEK_CUR)
    body = file.read(entry.compress_size)
    same = (mark, method, name) == (LOCAL_MARK, entry.compress_type, _raw_name(entry))
    return body if same and not flags & ENCRYPTED and len(body) == entry.compress_size else None


def _inflated(body: bytes, limit: int) -> tuple[bytes, bool]:
    """At most `limit` bytes, and whether the packed bytes ended there, neither sooner nor later."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = stream.decompress(body, limit)
    except zlib.error:
        return b"", False
    return content, stream.eof and not stream.unused_data


# ---- names --------------------------------------------------------------------------------------


def is_safe(name: str) -> bool:
    """Whether a name is one file's, inside the archive, on every system and to every reader."""
    parts = name.split("/")
    return (
        len(name) <= MAX_NAME
        and not DRIVE.match(name)
        and not any(part in ("", ".", "..") or not _is_safe_part(part) for part in parts)
    )


def _is_safe_part(part: str) -> bool:
    return (
        len(part.encode("utf-8", "replace")) <= MAX_PART
        and "\\" not in part
        and not part.endswith((" ", "."))
        and not RESERVED.match(part)
        and not any(unicodedata.category(letter) in CONTROLLING for letter in part)
    )


def _raw_name(entry: zipfile.ZipInfo) -> bytes:
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & UTF_8 else "cp437")


def _decoded(entry: zipfile.ZipInfo) -> str:
    """An entry's name. Without the mark for UTF-8 it is in the code page of whoever packed it, often a Chinese one."""
    if entry.flag_bits & UTF_8:
        return entry.orig_filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return _raw_name(entry).decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.orig_filename
