"""Values of the learner's as they leave the kernel: numbers and shapes, no objects with methods."""

from typing import Literal

import msgspec


class Array(msgspec.Struct, frozen=True, kw_only=True, tag="array"):
    """A tensor, array or number: little-endian bytes in C order. A number has shape ()."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


class Items(msgspec.Struct, frozen=True, kw_only=True, tag="items"):
    """A list or tuple whose members are values themselves."""

    items: tuple["Value", ...]


class Module(msgspec.Struct, frozen=True, kw_only=True, tag="module"):
    """The parameters of an `nn.Module`, by their dotted names."""

    parameters: dict[str, Array]


class Function(msgspec.Struct, frozen=True, kw_only=True, tag="function"):
    """Something that can be called; its code stays in the kernel."""


class Unusable(msgspec.Struct, frozen=True, kw_only=True, tag="unusable"):
    """A value that cannot leave the kernel: `missing`, `unsupported` or `too-large`."""

    why: Literal["missing", "unsupported", "too-large"]
    type_name: str = ""


Value = Array | Items | Module | Function | Unusable
