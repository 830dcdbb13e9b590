"""Packs zip archives byte by byte, so that they can say of themselves what is not so."""

import struct
import zlib
from dataclasses import dataclass

STORED, DEFLATED = 0, 8
UTF_8 = 0x800
UNIX = 3 << 8
LOCAL = "<4sHHHIIIIHH"
CENTRAL = "<4sHHHHIIIIHHHHHII"
END = "<4sHHHHIIH"
DATE = 0x21 << 16


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry. What is None is filled in as it should be."""

    name: str | bytes
    content: bytes = b"w = 1"
    mode: int = 0
    flags: int = 0
    method: int = DEFLATED
    size: int | None = None
    crc: int | None = None
    body: bytes | None = None
    packed_size: int | None = None
    local_name: bytes | None = None
    extra: bytes = b""
    offset: int | None = None

    def raw_name(self) -> bytes:
        return self.name if isinstance(self.name, bytes) else self.name.encode("utf-8", "surrogatepass")

    def raw_body(self) -> bytes:
        if self.body is not None:
            return self.body
        return deflated(self.content) if self.method == DEFLATED else self.content

    def facts(self) -> tuple[int, ...]:
        """Flags, method, date, sum, and the two sizes."""
        flags = self.flags | (0 if isinstance(self.name, bytes) else UTF_8)
        crc = zlib.crc32(self.content) if self.crc is None else self.crc
        size = len(self.content) if self.size is None else self.size
        packed = len(self.raw_body()) if self.packed_size is None else self.packed_size
        return flags, self.method, DATE, crc, packed, size

    def local(self) -> bytes:
        name = self.raw_name() if self.local_name is None else self.local_name
        return struct.pack(LOCAL, b"PK\3\4", 20, *self.facts(), len(name), 0) + name + self.raw_body()

    def central(self, offset: int) -> bytes:
        name = self.raw_name()
        offset = offset if self.offset is None else self.offset
        lengths = len(name), len(self.extra), 0, 0, 0
        head = struct.pack(
            CENTRAL, b"PK\1\2", UNIX, 20, *self.facts(), *lengths, (self.mode << 16) & 0xFFFFFFFF, offset
        )
        return head + name + self.extra


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def zeros(megabytes: int) -> bytes:
    """Deflated zeros: a thousandth of what they unpack to, made without unpacking them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    one = packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    return one * megabytes + deflated(b"")


def pack(*entries: Entry, comment: bytes = b"") -> bytes:
    """Pack an archive."""
    locals_, centrals = b"", b""
    for entry in entries:
        centrals += entry.central(len(locals_))
        locals_ += entry.local()
    count = min(len(entries), 0xFFFF)
    end = struct.pack(END, b"PK\5\6", 0, 0, count, count, len(centrals), len(locals_), len(comment))
    return locals_ + centrals + end + comment
