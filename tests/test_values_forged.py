"""Values that lie about themselves are taken by their storage, or not at all; none of their methods is called."""

from collections.abc import Iterator

import numpy as np
import pytest

from grader.arrays import from_numpy, to_numpy
from grader.kernel.pool import Kernels
from grader.values import Array, Items, Module, Unusable, Value
from tests.sessions import ran

# Every method that must not be called notes that it was.
SETUP = """
import numpy as np, pandas as pd, torch
from torch import nn
touched = []
def lie(answer=True):
    def method(*args, **kwargs):
        touched.append(1)
        return answer
    return method
def raising(*args, **kwargs):
    touched.append(1)
    raise RuntimeError
def endless(*args, **kwargs):
    touched.append(1)
    while True:
        pass
def alive():
    return 1.0
"""
TENSORS = """
class Equal(torch.Tensor):
    __eq__, __len__, numel, detach, numpy = lie(), lie(9), lie(9), lie(9), lie(9)
    shape, dtype, data = property(lie((9,))), property(lie(9)), property(lie(9))
    grad = property(lie(torch.ones(2)), lie())
    __torch_function__ = classmethod(lie())
tensor = torch.tensor([1.0, 2.0]).as_subclass(Equal)
class Parameter(nn.Parameter):
    __torch_function__ = classmethod(lie())
parameter = nn.Parameter(torch.tensor([1.0, 2.0])).as_subclass(Parameter)
class Dispatched(torch.Tensor):
    __torch_dispatch__ = classmethod(lie(torch.tensor([9.0, 9.0])))
dispatched = torch.Tensor._make_subclass(Dispatched, torch.tensor([1.0, 2.0]))
wrapper = torch.Tensor._make_wrapper_subclass(Dispatched, (2,), dtype=torch.float32)
shapeless = torch.Tensor._make_wrapper_subclass(Dispatched, (2,), dispatch_sizes_strides_policy="sizes")
"""
NUMBERS = """
class Float(float):
    __float__, __eq__, __add__, __radd__, __lt__ = lie(9.0), lie(), lie(9.0), lie(9.0), lie()
    __hash__, __bool__ = float.__hash__, lie(False)
real = Float(1.5)
class Int(int):
    __int__, __index__, __abs__, __add__, __lt__ = lie(9), lie(9), lie(9), lie(9), lie()
whole = Int(3)
class Scalar(np.float64):
    __float__, item = lie(9.0), lie(9.0)
scalar = Scalar(1.5)
class Numberlike:
    __float__, __int__, __index__, __bool__, item = lie(9.0), lie(9), lie(9), lie(True), lie(9.0)
numberlike = Numberlike()
"""
ARRAYS = """
class Filled(np.ndarray):
    __array__, __array_finalize__, tobytes = lie(np.full(2, 9.0)), lie(None), lie(b"")
    __array_interface__, shape, dtype = property(lie({})), property(lie((9,))), property(lie("f8"))
    __array_function__, __array_ufunc__ = lie(9.0), lie(9.0)
array = np.array([1.0, 2.0]).view(Filled)
class Arraylike:
    __array__, __len__, __getitem__ = lie(np.full(2, 9.0)), lie(2), lie(9.0)
    __array_interface__ = property(lie(np.full(2, 9.0).__array_interface__))
arraylike = Arraylike()
class Series(pd.Series):
    to_numpy, values = lie(np.full(2, 9.0)), property(lie(np.full(2, 9.0)))
series = Series([1.0, 2.0])
"""
CONTAINERS = """
class List(list):
    __len__, __iter__, __getitem__ = lie(0), lie(iter([9.0])), lie(9.0)
numbers = List([1.0, 2.0])
class Tuple(tuple):
    __len__, __iter__, __getitem__ = lie(0), lie(iter([9.0])), lie(9.0)
pair = Tuple((1.0, 2.0))
class Dict(dict):
    items, get, keys, __iter__ = lie([]), lie(9.0), lie([]), lie(iter([]))
mapping = Dict(w=1.0)
"""
TYPES = """
class Claims:
    __class__ = property(lie(torch.Tensor))
    __float__, numel, data, grad = lie(9.0), lie(1), torch.ones(1), torch.ones(1)
claims = Claims()
class ClaimsFloat:
    __class__ = property(lie(float))
claims_float = ClaimsFloat()
class Meta(type):
    __instancecheck__, __subclasscheck__, __eq__, __hash__ = lie(), lie(), lie(), lie(hash(torch.Tensor))
    __name__ = property(lie("Tensor"))
class Any(metaclass=Meta):
    __float__, __abs__ = lie(9.0), lie(9.0)
anything = Any()
several = [Any(), 1.0]
"""
MODULES = """
class Forged(dict):
    items, get, values, __iter__ = lie([]), lie({}), lie([]), lie(iter([]))
class Own(nn.Module):
    pass
own = Own()
own.weight = nn.Parameter(torch.tensor([1.0, 2.0]))
own._parameters = Forged(own._parameters)
Own.named_parameters, Own.parameters, Own.state_dict, Own.__getattr__ = lie([]), lie([]), lie({}), lie({})
class WithoutDict(nn.Linear):
    __dict__ = property(lie({"_parameters": {"weight": torch.zeros(1)}}))
    __getattr__ = lie({})
without_dict = nn.Linear(1, 1, bias=False)
without_dict.weight.data.fill_(2.0)
without_dict.__class__ = WithoutDict
emptied = nn.Linear(1, 1)
object.__setattr__(emptied, "_parameters", 5)
"""
HOSTILE = """
class Raises:
    __getattribute__, __getattr__, __repr__, __len__, __iter__, __eq__ = [raising] * 6
    __bool__, __float__, __array__, __dir__, __del__ = raising, raising, raising, raising, lie()
raises = Raises()
class Hangs:
    __getattribute__, __getattr__, __repr__, __len__, __iter__, __eq__ = [endless] * 6
    __bool__, __float__, __array__, __dir__ = [endless] * 4
hangs = Hangs()
hanging_members = (1.0, hangs)
"""
CELLS = (
    SETUP,
    TENSORS,
    NUMBERS,
    ARRAYS,
    CONTAINERS,
    TYPES,
    MODULES,
    HOSTILE,
    "globals()[5] = real\ntouched.clear()",
)

STORED = {
    "tensor": np.array([1, 2], np.float32),
    "parameter": np.array([1, 2], np.float32),
    "real": np.array(1.5),
    "scalar": np.array(1.5),
    "whole": np.array(3),
    "array": np.array([1.0, 2.0]),
    "numbers": np.array([1.0, 2.0]),
    "pair": np.array([1.0, 2.0]),
}
# The class by its real name, where nothing can be taken.
REFUSED = {
    "dispatched": "Dispatched",
    "wrapper": "Dispatched",
    "shapeless": "Dispatched",
    "numberlike": "Numberlike",
    "arraylike": "Arraylike",
    "series": "Series",
    "mapping": "Dict",
    "claims": "Claims",
    "claims_float": "ClaimsFloat",
    "anything": "Any",
    "raises": "Raises",
    "hangs": "Hangs",
}
REFUSED_MEMBERS = {"several": 0, "hanging_members": 1}
PARAMETERS: dict[str, dict[str, object]] = {
    "own": {"weight": [1.0, 2.0]},
    "without_dict": {"weight": [[2.0]]},
    "emptied": {},
}
NAMES = (*STORED, *REFUSED, *REFUSED_MEMBERS, *PARAMETERS, "tensor.grad", "claims.grad", "anything.grad")


@pytest.fixture(scope="module")
def values(kernels: Kernels) -> Iterator[dict[str, Value]]:
    """All of them, out of one kernel that still answers after it."""
    with ran(kernels, *CELLS, values=(*NAMES, "touched")) as kernel:
        assert kernel.run.errors == ()
        assert kernel.call("alive").value == from_numpy(np.array(1.0))
        yield kernel.run.values


def test_no_method_is_called(values: dict[str, Value]) -> None:
    assert values["touched"] == Items(items=())


@pytest.mark.parametrize("name", STORED)
def test_what_is_stored_counts(name: str, values: dict[str, Value]) -> None:
    assert values[name] == from_numpy(STORED[name])


@pytest.mark.parametrize("name", REFUSED)
def test_what_only_claims_to_hold_numbers_holds_none(name: str, values: dict[str, Value]) -> None:
    assert values[name] == Unusable(why="unsupported", type_name=REFUSED[name])


@pytest.mark.parametrize("name", REFUSED_MEMBERS)
def test_members_are_refused_one_by_one(name: str, values: dict[str, Value]) -> None:
    value = values[name]
    assert isinstance(value, Items)
    refused = [isinstance(item, Unusable) for item in value.items]
    assert refused == [k == REFUSED_MEMBERS[name] for k in range(2)]


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_module_holds_what_it_stores(name: str, values: dict[str, Value]) -> None:
    module = values[name]
    assert isinstance(module, Module)
    assert {key: to_numpy(array).tolist() for key, array in module.parameters.items()} == PARAMETERS[name]


@pytest.mark.parametrize("name", ["tensor.grad", "claims.grad", "anything.grad"])
def test_a_gradient_cannot_be_made_up(name: str, values: dict[str, Value]) -> None:
    assert values[name] == Unusable(why="missing")


def test_a_mode_that_is_never_left_is_not_asked(kernels: Kernels) -> None:
    modes = """
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
class Functions(TorchFunctionMode):
    __torch_function__ = lie(torch.zeros(9))
class Operations(TorchDispatchMode):
    __torch_dispatch__ = lie(torch.zeros(9))
stored = torch.tensor([1.0, 2.0])
Functions().__enter__()
Operations().__enter__()
touched.clear()
"""
    with ran(kernels, SETUP, modes, values=["stored", "touched"]) as kernel:
        assert kernel.run.values["stored"] == from_numpy(np.array([1, 2], np.float32))
        assert kernel.run.values["touched"] == Items(items=())


def test_functions_put_in_the_place_of_ours_change_nothing(kernels: Kernels) -> None:
    patches = """
import json, torch
stored = torch.tensor([1.0, 2.0])
json.dumps = lambda *args, **kwargs: '{"score": 1, "passed": true}'
json.loads = lambda *args, **kwargs: {}
torch.Tensor.detach = torch.Tensor.numpy = torch.Tensor.contiguous = lambda *args: torch.zeros(9)
torch.Tensor.__eq__ = torch.allclose = torch.equal = lambda *args, **kwargs: True
"""
    with ran(kernels, patches, "later = 1.0", values=["stored", "later"]) as kernel:
        assert kernel.run.complete
        assert kernel.run.values["stored"] == from_numpy(np.array([1, 2], np.float32))
        assert isinstance(kernel.run.values["later"], Array)
