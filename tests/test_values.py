"""Which values come out of a kernel, and as what: honest ones here, and those that lie in test_values_forged.py."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from grader.arrays import from_numpy, numbers, to_numpy
from grader.kernel.pool import Kernels
from grader.values import Array, Function, Items, Module, Unusable, Value
from tests.sessions import ran

SETUP = """
import functools, math
import numpy as np, pandas as pd, torch
from torch import nn
leaf = torch.tensor([1.0, 2.0], requires_grad=True)
inner = leaf * 3
kept = inner * 2
kept.retain_grad()
kept.sum().backward()
without = torch.tensor([1.0], requires_grad=True)
endless = [1]
endless.append(endless)
wide = []
wide.extend([wide] * 5000)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(1, 1)
        self.linear.weight.data.fill_(2.0)
        self.linear.bias.data.fill_(0.5)
        self.inside = nn.Sequential(nn.ReLU(), self.linear)
        self.scale = nn.Parameter(torch.tensor([3.0], dtype=torch.float64))
        self.absent = nn.Parameter(torch.ones(1), requires_grad=False)
        self.register_parameter("absent", None)

class Hidden(Net):
    def named_parameters(self, *args, **kwargs):
        return iter([("forged", nn.Parameter(torch.zeros(1)))])
    def parameters(self, recurse=True):
        raise RuntimeError

hidden = Hidden()
Hidden.__getattr__ = lambda self, name: math.nan

class Callable:
    def __call__(self, x):
        return x
"""


def f32(*values: float) -> np.ndarray[Any, Any]:
    return np.array(values, np.float32)


DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
GRID = np.arange(6).reshape(2, 3)

# What each expression is read as.
READ: dict[str, np.ndarray[Any, Any]] = {
    **{f"torch.arange(6).reshape(2, 3).to(torch.{kind})": GRID.astype(kind) for kind in DTYPES},
    **{f"np.arange(6).reshape(2, 3).astype('{kind}')": GRID.astype(kind) for kind in DTYPES},
    "torch.tensor([1.5, -2.0]).bfloat16()": f32(1.5, -2.0),
    "torch.tensor(2.5)": np.array(2.5, np.float32),
    "torch.empty(0)": np.zeros(0, np.float32),
    "torch.empty(2, 0, 3)": np.zeros((2, 0, 3), np.float32),
    "torch.arange(6).reshape(2, 3).t()": GRID.T,
    "torch.arange(6)[::2]": np.array([0, 2, 4]),
    "torch.tensor([7.0]).expand(3)": f32(7, 7, 7),
    "torch.ones(2, requires_grad=True)": np.ones(2, np.float32),
    "torch.ones(2, requires_grad=True) * 2": f32(2, 2),
    "nn.Parameter(torch.ones(2, 1))": np.ones((2, 1), np.float32),
    "torch.complex(torch.ones(2), torch.zeros(2)).real": np.ones(2, np.float32),
    "torch.tensor([math.nan, math.inf, -math.inf])": f32(np.nan, np.inf, -np.inf),
    "np.array([1.5, 256.0], dtype='>f8')": np.array([1.5, 256.0]),
    "np.array([1, 256], dtype='>i2')": np.array([1, 256], np.int16),
    "np.arange(12.0).reshape(3, 4)[::-1, ::2]": np.arange(12.0).reshape(3, 4)[::-1, ::2],
    "np.asfortranarray(np.arange(6.0).reshape(2, 3))": GRID.astype(float),
    "np.broadcast_to(np.float32(3), (2, 2))": np.full((2, 2), 3, np.float32),
    "np.matrix([[1.0, 2.0]])": np.array([[1.0, 2.0]]),
    "np.array(4.0)": np.array(4.0),
    "np.zeros((0, 2))": np.zeros((0, 2)),
    "np.float64(1.5)": np.array(1.5),
    "np.float32(1.5)": np.array(1.5, np.float32),
    "np.int8(-3)": np.array(-3, np.int8),
    "np.bool_(True)": np.array(True),
    "3": np.array(3),
    "-2**63 + 1": np.array(-(2**63) + 1),
    "2.5": np.array(2.5),
    "True": np.array(True),
    "math.nan": np.array(np.nan),
    "-math.inf": np.array(-np.inf),
    "1e308": np.array(1e308),
    "[1, 2.5, 3]": np.array([1, 2.5, 3]),
    "(1, 2)": np.array([1.0, 2.0]),
    "list(range(10_000))": np.arange(10_000.0),
    "torch.ones(2, 3).shape": np.array([2.0, 3.0]),
    "pd.Series([1.5, 2.5])": np.array([1.5, 2.5]),
    "pd.Series([1, 2], index=['a', 'b'])": np.array([1, 2]),
}
# Lists and tuples whose members are values; None where they do not form one array.
MEMBERS: dict[str, list[Any] | None] = {
    "[[1, 2], [3, 4]]": [[1, 2], [3, 4]],
    "([1.0], (2.0,))": [[1.0], [2.0]],
    "[torch.tensor(1.0), 2, np.float32(3)]": [1, 2, 3],
    "(torch.ones(2, requires_grad=True), [5, 6])": [[1, 1], [5, 6]],
    "[[[[1.0]]]]": [[[[1.0]]]],
    "[True, False]": [1, 0],
    "[2**53 + 2]": [2**53 + 2],
    "[]": [],
    "[[1, 2], [3]]": None,
    "[1, 'two']": None,
    "[1, None]": None,
}
UNUSABLE: dict[str, tuple[str, str]] = {
    "torch.zeros(250_001)": ("too-large", "Tensor"),
    "torch.zeros(1).expand(10**9)": ("too-large", "Tensor"),
    "np.zeros(250_001)": ("too-large", "ndarray"),
    "list(range(20_001))": ("too-large", "list"),
    "[[0.0] * 10_000] * 100": ("too-large", "list"),
    "[[[[[1.0]]]]]": ("too-large", "list"),
    "endless": ("too-large", "list"),
    "wide": ("too-large", "list"),
    "2**63": ("too-large", "int"),
    "[1, 2**70]": ("too-large", "list"),
    "(k for k in range(3))": ("unsupported", "generator"),
    "{'w': 1.0}": ("unsupported", "dict"),
    "'text'": ("unsupported", "str"),
    "None": ("unsupported", "NoneType"),
    "1j": ("unsupported", "complex"),
    "Callable()": ("unsupported", "Callable"),
    "torch.eye(2).to_sparse()": ("unsupported", "Tensor"),
    "torch.ones(2, device='meta')": ("unsupported", "Tensor"),
    "torch.ones(2, dtype=torch.complex64)": ("unsupported", "Tensor"),
    "torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)": ("unsupported", "Tensor"),
    "torch.nested.nested_tensor([torch.ones(1), torch.ones(2)])": ("unsupported", "Tensor"),
    "np.array(['a'])": ("unsupported", "ndarray"),
    "np.array([torch.ones(1), None], dtype=object)": ("unsupported", "ndarray"),
    "pd.Series(['a'])": ("unsupported", "ndarray"),
    "pd.DataFrame({'x': [1.0]})": ("unsupported", "DataFrame"),
}
FUNCTIONS = (
    "lambda x: x",
    "Net",
    "math.sqrt",
    "functools.partial(pow, 2)",
    "[].append",
    "Net.named_parameters",
)
LARGE_MODULE = "nn.Sequential(nn.Linear(450, 450), nn.Linear(450, 450), nn.Linear(450, 450))"

EXPRESSIONS = [*READ, *MEMBERS, *UNUSABLE, *FUNCTIONS, "Net()", "hidden", LARGE_MODULE]
NAMES = {expression: f"v{number}" for number, expression in enumerate(EXPRESSIONS)}
OTHERS = ("leaf.grad", "inner.grad", "kept.grad", "without.grad", "Net.grad", "nothing", "nothing.grad")


@pytest.fixture(scope="module")
def values(kernels: Kernels) -> Iterator[dict[str, Value]]:
    """Every value of this file, by its expression or name, out of one kernel."""
    assignments = "\n".join(f"{name} = {expression}" for expression, name in NAMES.items())
    with ran(kernels, SETUP, assignments, values=(*NAMES.values(), *OTHERS)) as kernel:
        assert kernel.run.errors == ()
        found = kernel.run.values
        yield {expression: found[name] for expression, name in NAMES.items()} | {
            name: found[name] for name in OTHERS
        }


def same(value: Value, wanted: np.ndarray[Any, Any]) -> bool:
    """Whether a value is an array of the wanted dtype, shape and bits."""
    return value == from_numpy(wanted)


@pytest.mark.parametrize("expression", READ)
def test_numbers_come_out_as_they_are(expression: str, values: dict[str, Value]) -> None:
    assert same(values[expression], READ[expression])


@pytest.mark.parametrize("expression", MEMBERS)
def test_members_come_out_one_by_one(expression: str, values: dict[str, Value]) -> None:
    value, wanted = values[expression], MEMBERS[expression]
    assert isinstance(value, Items)
    found = numbers(value)
    assert found is None if wanted is None else found is not None and found.tolist() == wanted


@pytest.mark.parametrize("expression", UNUSABLE)
def test_other_values_stay_inside(expression: str, values: dict[str, Value]) -> None:
    why, kind = UNUSABLE[expression]
    value = values[expression]
    assert isinstance(value, Unusable)
    assert (value.why, value.type_name) == (why, kind)


@pytest.mark.parametrize("expression", FUNCTIONS)
def test_what_can_be_called_is_a_function(expression: str, values: dict[str, Value]) -> None:
    assert values[expression] == Function()


@pytest.mark.parametrize("name", ["nothing", "nothing.grad", "inner.grad", "without.grad", "Net.grad"])
def test_what_is_not_there_is_missing(name: str, values: dict[str, Value]) -> None:
    assert values[name] == Unusable(why="missing")


def test_gradients_are_read_by_their_tensor(values: dict[str, Value]) -> None:
    assert same(values["leaf.grad"], f32(6, 6))
    assert same(values["kept.grad"], f32(1, 1))


@pytest.mark.parametrize("expression", ["Net()", "hidden"])
def test_a_module_gives_each_of_its_own_parameters_once(expression: str, values: dict[str, Value]) -> None:
    module = values[expression]
    assert isinstance(module, Module)
    found = {name: to_numpy(array).tolist() for name, array in module.parameters.items()}
    assert found == {"scale": [3.0], "linear.weight": [[2.0]], "linear.bias": [0.5]}
    assert module.parameters["scale"].dtype == "float64"


def test_a_module_may_be_larger_than_one_array(values: dict[str, Value]) -> None:
    module = values[LARGE_MODULE]
    assert isinstance(module, Module)
    assert [array.shape for array in module.parameters.values()] == [(450, 450), (450,)] * 3


@pytest.mark.parametrize("names", [["v"], ["v", "v"], []])
def test_reading_a_name_leaves_it_as_it_was(names: Sequence[str], kernels: Kernels) -> None:
    source = "import torch\nv = torch.ones(2, requires_grad=True)\nbefore = v"
    with ran(
        kernels, source, "def unchanged(): return v is before and v.grad is None", values=names
    ) as kernel:
        value = kernel.call("unchanged").value
    assert isinstance(value, Array)
    assert same(value, np.array(True))
