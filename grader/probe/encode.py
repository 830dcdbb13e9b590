"""Values → plain JSON, taken by their storage and never by their methods.

A learner's class may override `__eq__`, `__float__`, `__array__`, `__torch_function__` or `__class__`, and
its metaclass `__eq__`, `__hash__`, `mro` and `__name__`; so types are read with `type()` and compared by
identity, and contents with the base classes' own functions, looked up once here before any learner's code runs.
"""

import base64
import functools
import math
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from grader.probe.itself import torch_itself

Encoded = dict[str, Any]

MAX_ARRAY_BYTES = 2_000_000
# Of one value, with all its members at all depths.
MAX_BYTES, MAX_ITEMS, MAX_DEPTH = 4_000_000, 20_000, 4
MAX_NAME = 80

NUMPY_DTYPES = {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"}
DTYPES = [np.dtype(name) for name in sorted(NUMPY_DTYPES)]
NUMPY_SCALARS = tuple(dtype.type for dtype in DTYPES)
DTYPE_NAMES = {dtype.str: dtype.name for dtype in DTYPES}
TORCH_DTYPES = {getattr(torch, name) for name in NUMPY_DTYPES} | {torch.bfloat16}
FUNCTION_TYPES = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, functools.partial, type)

_bases = type.__dict__["__bases__"].__get__
_name = type.__dict__["__name__"].__get__
_detach = torch.Tensor.detach
_to = torch.Tensor.to
_contiguous = torch.Tensor.contiguous
_numpy = torch.Tensor.numpy
_tensor_shape, _tensor_dtype, _tensor_layout, _tensor_device, _tensor_grad, _is_nested = (
    getattr(torch.Tensor, name).__get__
    for name in ("shape", "dtype", "layout", "device", "grad", "is_nested")
)
_as_subclass = torch.Tensor.as_subclass
_view = np.ndarray.view
_module_dict = torch.nn.Module.__dict__["__dict__"].__get__


def encode(value: object) -> Encoded:
    """Encode a value, or say why it cannot leave the kernel; raises nothing for any object."""
    try:
        return _encode(value, _Room())
    except _TooLarge:
        return _unusable("too-large", value)
    except Exception:  # noqa: BLE001 - whatever reading an object leads to is about that object alone
        return _unusable("unsupported", value)


class _TooLarge(Exception):  # noqa: N818 - an outcome
    """A value, with its members, holds more than may leave the kernel."""


class _Room:
    """How much of one value may still be encoded: members may be shared, and contain each other."""

    def __init__(self) -> None:
        self._items = MAX_ITEMS
        self._bytes = MAX_BYTES
        self._depth = MAX_DEPTH

    @contextmanager
    def inside(self, count: int) -> Iterator[None]:
        """Go one level down, to `count` members."""
        self._items -= count
        if self._items < 0 or self._depth == 0:
            raise _TooLarge
        self._depth -= 1
        yield
        self._depth += 1

    def array(self, array: np.ndarray[Any, Any]) -> Encoded:
        """Encode an array, if there is room for it."""
        self._bytes -= array.nbytes
        if self._bytes < 0 or array.nbytes > MAX_ARRAY_BYTES:
            raise _TooLarge
        return encode_array(array)


def _encode(value: object, room: _Room) -> Encoded:
    for kind in _kinds(value):
        if (encoder := ENCODERS.get(id(kind))) is not None:
            return encoder(value, room)
    return _unusable("unsupported", value)


def _kinds(value: object) -> Iterator[type]:
    """The types that a value really is of. A metaclass may claim others in its `mro`; reading as one of them crashes."""
    kinds: list[type] = [type(value)]
    for kind in kinds:
        yield kind
        kinds.extend(base for base in _bases(kind) if not any(base is known for known in kinds))


def _is_a(value: object, kind: type) -> bool:
    return any(base is kind for base in _kinds(value))


def _unusable(why: str, value: object) -> Encoded:
    return {"type": "unusable", "why": why, "type_name": type_name(value)}


def type_name(value: object) -> str:
    """The name of a value's type, which a metaclass may not make up."""
    name: str = _name(type(value))
    return name[:MAX_NAME]


def encode_gradient(value: Any) -> Encoded:
    """Encode the `.grad` of a tensor; missing where it has none."""
    if _is_a(value, torch.Tensor):
        with torch_itself(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # reading it of a non-leaf warns; that it is missing says enough
            gradient = _tensor_grad(value)
        if gradient is not None:
            return encode(gradient)
    return {"type": "unusable", "why": "missing", "type_name": ""}


def encode_array(array: np.ndarray[Any, Any]) -> Encoded:
    """Encode a plain array of a whitelisted dtype."""
    # By numpy's short form, since it works out `dtype.name` anew each time; the machines that are supported are little-endian.
    name = DTYPE_NAMES.get(array.dtype.str.replace(">", "<"))
    if name is None:
        return _unusable("unsupported", array)
    if array.nbytes > MAX_ARRAY_BYTES:
        return _unusable("too-large", array)
    little = array if array.dtype.str[0] != ">" else array.astype(array.dtype.newbyteorder("<"))
    return {
        "type": "array",
        "dtype": name,
        "shape": list(array.shape),
        "data": base64.b64encode(little.tobytes()).decode("ascii"),
    }


def tensor_to_array(value: Any) -> np.ndarray[Any, Any] | None:
    """A copy of a tensor's values; bfloat16, which numpy lacks, becomes float32."""
    with torch_itself():
        return array_of(value)


def array_of(value: Any) -> np.ndarray[Any, Any] | None:
    """The same, for who is in `torch_itself` already."""
    return _read_storage(_plain_tensor(value))


def _plain_tensor(value: Any) -> torch.Tensor | None:
    """The plain CPU tensor behind any tensor; None where there is no ordinary storage to read.

    Transforms of `torch.func` wrap tensors; the wrapped value is taken.
    """
    while torch._C._functorch.is_functorch_wrapped_tensor(value):
        value = torch._C._functorch.get_unwrapped(value)
    # Classes with a `__torch_dispatch__` may keep nothing in their storage, and even their shape is theirs to say.
    if torch._C._dispatch_keys(value).has(torch._C.DispatchKey.Python) or _is_nested(value):
        return None
    if _tensor_layout(value) != torch.strided or _tensor_dtype(value) not in TORCH_DTYPES:
        return None
    try:
        plain = _detach(value if type(value) is torch.Tensor else _as_subclass(value, torch.Tensor))
        return plain if _tensor_device(plain).type == "cpu" else _to(plain, device="cpu")
    except (RuntimeError, NotImplementedError, TypeError):
        return None  # a meta tensor: nothing is stored behind it


def _read_storage(plain: torch.Tensor | None) -> np.ndarray[Any, Any] | None:
    if plain is None:
        return None
    if _tensor_dtype(plain) is torch.bfloat16:
        plain = _to(plain, dtype=torch.float32)
    try:
        return np.array(_numpy(_contiguous(plain)), copy=True)
    except (RuntimeError, TypeError):
        return None


def _tensor(value: Any, room: _Room) -> Encoded:
    with torch_itself():
        plain = _plain_tensor(value)
        if plain is not None and math.prod(_tensor_shape(plain)) * 8 > MAX_ARRAY_BYTES:
            raise _TooLarge
        array = _read_storage(plain)
    return _unusable("unsupported", value) if array is None else room.array(array)


def _ndarray(value: Any, room: _Room) -> Encoded:
    return room.array(_view(value, np.ndarray))


def _numpy_scalar(value: Any, room: _Room) -> Encoded:
    if not any(type(value) is known for known in NUMPY_SCALARS):
        return _unusable("unsupported", value)  # a learner's subclass may lie; numpy's own may not
    return room.array(np.asarray(value))


def _float(value: Any, room: _Room) -> Encoded:
    return room.array(np.asarray(float.__add__(value, 0.0)))


def _int(value: Any, room: _Room) -> Encoded:
    number = int.__add__(value, 0)
    if abs(number) >= 2**63:
        raise _TooLarge
    return room.array(np.asarray(number, dtype=np.int64))


def _bool(value: Any, room: _Room) -> Encoded:
    return room.array(np.asarray(value is True))


def _items(length: Callable[[Any], int], iterate: Callable[[Any], Any]) -> Callable[[Any, _Room], Encoded]:
    def encode_items(value: Any, room: _Room) -> Encoded:
        with room.inside(length(value)):
            members = list(iterate(value))
            if members and all(_fits_float(member) for member in members):
                return room.array(np.asarray(members, dtype=np.float64))
            return {"type": "items", "items": [_encode(member, room) for member in members]}

    return encode_items


def _fits_float(member: object) -> bool:
    kind = type(member)
    return kind is float or (kind is int and abs(member) < 2**53)  # type: ignore[arg-type]


def _series(value: Any, room: _Room) -> Encoded:
    if type(value) is not sys.modules["pandas"].Series:
        return _unusable("unsupported", value)
    return _encode(value.to_numpy(), room)


def _module(value: Any, room: _Room) -> Encoded:
    parameters: dict[str, Encoded] = {}
    for name, parameter in _named_parameters(value, "", set()):
        with room.inside(1):
            encoded = _tensor(parameter, room)
        if encoded["type"] == "array":
            parameters[name] = encoded
    return {"type": "module", "parameters": parameters}


def _named_parameters(module: Any, prefix: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Read `_parameters` and `_modules` themselves: `named_parameters` may be overridden. What is shared comes once."""
    seen.add(id(module))
    for name, parameter in _members(module, "_parameters"):
        if _is_a(parameter, torch.Tensor) and id(parameter) not in seen:
            seen.add(id(parameter))
            yield f"{prefix}{name}", parameter
    for name, child in _members(module, "_modules"):
        if _is_a(child, torch.nn.Module) and id(child) not in seen:
            yield from _named_parameters(child, f"{prefix}{name}.", seen)


def _members(module: Any, kind: str) -> list[tuple[str, Any]]:
    held = dict.get(_module_dict(module), kind)
    if held is None or not _is_a(held, dict):
        return []
    return [(name, member) for name, member in dict.items(held) if type(name) is str]


def _function(_value: Any, _room: _Room) -> Encoded:
    return {"type": "function"}


ENCODERS: dict[int, Callable[[Any, _Room], Encoded]] = {
    id(kind): encoder
    for kind, encoder in (
        (torch.Tensor, _tensor),
        (np.ndarray, _ndarray),
        (np.generic, _numpy_scalar),
        (bool, _bool),
        (int, _int),
        (float, _float),
        (list, _items(list.__len__, list.__iter__)),
        (tuple, _items(tuple.__len__, tuple.__iter__)),
        (torch.nn.Module, _module),
        *((kind, _function) for kind in FUNCTION_TYPES),
    )
}


def know_pandas() -> None:
    """Let a Series be read, once pandas has been imported by the submission."""
    series = getattr(sys.modules.get("pandas"), "Series", None)
    if type(series) is type:
        ENCODERS.setdefault(id(series), _series)
