"""Values → plain JSON, taken by their storage and never by their methods.

A learner's class may override `__eq__`, `__float__`, `__array__`, `__torch_function__` or `__class__`;
so types are read with `type()`, and contents with the base classes' own functions, looked up once here
before any learner's code runs.
"""

import base64
import math
import sys
import types
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack

Encoded = dict[str, Any]

MAX_ARRAY_BYTES = 2_000_000
MAX_ITEMS = 10_000
MAX_DEPTH = 4

NUMPY_DTYPES = frozenset(
    {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"}
)
NUMPY_SCALARS = frozenset(np.dtype(name).type for name in NUMPY_DTYPES)
TORCH_DTYPES = frozenset(getattr(torch, name) for name in NUMPY_DTYPES) | {torch.bfloat16}
FUNCTION_TYPES = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, type)

_detach = torch.Tensor.detach
_to = torch.Tensor.to
_contiguous = torch.Tensor.contiguous
_numpy = torch.Tensor.numpy
_tensor_shape = torch.Tensor.shape.__get__
_tensor_dtype = torch.Tensor.dtype.__get__
_tensor_layout = torch.Tensor.layout.__get__
_tensor_grad = torch.Tensor.grad.__get__
_as_subclass = torch.Tensor.as_subclass
_view = np.ndarray.view
_get = object.__getattribute__


def encode(value: object, depth: int = 0) -> Encoded:
    """Encode a value, or say why it cannot leave the kernel; raises nothing for any object."""
    for kind in type.mro(type(value)):
        if (encoder := ENCODERS.get(kind)) is not None:
            return encoder(value, depth)
    return _unusable("unsupported", value)


def _unusable(why: str, value: object) -> Encoded:
    return {"type": "unusable", "why": why, "type_name": type.__getattribute__(type(value), "__name__")[:80]}


def encode_gradient(value: Any) -> Encoded:
    """Encode the `.grad` of a tensor; missing where it has none."""
    if torch.Tensor in type.mro(type(value)):
        with torch._C.DisableTorchFunctionSubclass(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # reading it of a non-leaf warns; that it is missing says enough
            gradient = _tensor_grad(value)
        if gradient is not None:
            return encode(gradient)
    return {"type": "unusable", "why": "missing", "type_name": ""}


def encode_array(array: np.ndarray[Any, Any]) -> Encoded:
    """Encode a plain array of a whitelisted dtype."""
    if array.dtype.name not in NUMPY_DTYPES:
        return _unusable("unsupported", array)
    if array.nbytes > MAX_ARRAY_BYTES:
        return _unusable("too-large", array)
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return {
        "type": "array",
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "data": base64.b64encode(little.tobytes()).decode("ascii"),
    }


def plain_tensor(value: Any) -> torch.Tensor | None:
    """The plain CPU tensor behind any tensor; None where there is no ordinary storage to read.

    Transforms of `torch.func` wrap tensors; the wrapped value is taken.
    """
    while torch._C._functorch.is_functorch_wrapped_tensor(value):
        value = torch._C._functorch.get_unwrapped(value)
    with torch._C.DisableTorchFunctionSubclass():
        if _tensor_layout(value) != torch.strided or _tensor_dtype(value) not in TORCH_DTYPES:
            return None
        try:
            plain = _detach(_as_subclass(value, torch.Tensor))
            return _to(plain, device="cpu")
        except (RuntimeError, NotImplementedError, TypeError):
            return None  # a wrapper subclass or a meta tensor: nothing is stored behind it


def tensor_to_array(value: Any) -> np.ndarray[Any, Any] | None:
    """A copy of a tensor's values; bfloat16, which numpy lacks, becomes float32."""
    with temporarily_clear_interpreter_stack():
        return _read_storage(plain_tensor(value))


def _read_storage(plain: torch.Tensor | None) -> np.ndarray[Any, Any] | None:
    if plain is None:
        return None
    with torch._C.DisableTorchFunctionSubclass():
        if _tensor_dtype(plain) is torch.bfloat16:
            plain = _to(plain, dtype=torch.float32)
        try:
            return np.array(_numpy(_contiguous(plain)), copy=True)
        except (RuntimeError, TypeError):
            return None


def _tensor(value: Any, _depth: int) -> Encoded:
    if math.prod(_tensor_shape(value)) * 8 > MAX_ARRAY_BYTES:
        return _unusable("too-large", value)
    array = tensor_to_array(value)
    return _unusable("unsupported", value) if array is None else encode_array(array)


def _ndarray(value: Any, _depth: int) -> Encoded:
    return encode_array(_view(value, np.ndarray))


def _numpy_scalar(value: Any, _depth: int) -> Encoded:
    if type(value) not in NUMPY_SCALARS:  # a learner's subclass may lie; numpy's own may not
        return _unusable("unsupported", value)
    return encode_array(np.asarray(value))


def _float(value: Any, _depth: int) -> Encoded:
    return encode_array(np.asarray(float.__add__(value, 0.0)))


def _int(value: Any, _depth: int) -> Encoded:
    number = int.__add__(value, 0)
    if abs(number) >= 2**63:
        return _unusable("too-large", value)
    return encode_array(np.asarray(number, dtype=np.int64))


def _bool(value: Any, _depth: int) -> Encoded:
    return encode_array(np.asarray(value is True))


def _items(length: Callable[[Any], int], iterate: Callable[[Any], Any]) -> Callable[[Any, int], Encoded]:
    def encode_items(value: Any, depth: int) -> Encoded:
        if length(value) > MAX_ITEMS or depth >= MAX_DEPTH:
            return _unusable("too-large", value)
        members = list(iterate(value))
        if members and all(type(member) in (int, float) for member in members):
            if all(type(member) is float or abs(member) < 2**53 for member in members):
                return encode_array(np.asarray(members, dtype=np.float64))
        return {"type": "items", "items": [encode(member, depth + 1) for member in members]}

    return encode_items


def _series(value: Any, _depth: int) -> Encoded:
    if type(value) is not sys.modules["pandas"].Series:
        return _unusable("unsupported", value)
    return encode(value.to_numpy())


def _module(value: Any, _depth: int) -> Encoded:
    parameters: dict[str, Encoded] = {}
    _collect_parameters(value, "", parameters, 0)
    return {"type": "module", "parameters": parameters}


def _collect_parameters(module: Any, prefix: str, into: dict[str, Encoded], depth: int) -> None:
    """Read `_parameters` and `_modules` themselves: `named_parameters` may be overridden."""
    members = _get(module, "__dict__")
    for name, parameter in dict.items(members.get("_parameters", {})):
        if parameter is not None and torch.Tensor in type.mro(type(parameter)) and len(into) < MAX_ITEMS:
            encoded = _tensor(parameter, 0)
            if encoded["type"] == "array":
                into[f"{prefix}{name}"] = encoded
    for name, child in dict.items(members.get("_modules", {})):
        if child is not None and torch.nn.Module in type.mro(type(child)) and depth < 20:
            _collect_parameters(child, f"{prefix}{name}.", into, depth + 1)


def _function(_value: Any, _depth: int) -> Encoded:
    return {"type": "function"}


ENCODERS: dict[type, Callable[[Any, int], Encoded]] = {
    torch.Tensor: _tensor,
    np.ndarray: _ndarray,
    np.generic: _numpy_scalar,
    bool: _bool,
    int: _int,
    float: _float,
    list: _items(list.__len__, list.__iter__),
    tuple: _items(tuple.__len__, tuple.__iter__),
    torch.nn.Module: _module,
    **dict.fromkeys(FUNCTION_TYPES, _function),
}


def know_pandas() -> None:
    """Let Series and Index be read, once pandas has been imported by the submission."""
    if (pandas := sys.modules.get("pandas")) is not None:
        ENCODERS.setdefault(pandas.Series, _series)
