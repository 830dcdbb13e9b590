"""Numbers of two kinds meet where PyTorch wants one: float64 or whole numbers go into a float32 layer.

## What it is

Arrays of NumPy are float64, and `torch.tensor([1, 2, 3])` holds whole numbers. A layer such as `nn.Linear` holds float32.
Plain operations (`w * x`) convert by themselves; layers, matrix products and some losses do not.

## Why it matters

The run stops ("mat1 and mat2 must have the same dtype").

## Example

```python
import numpy as np
import torch

x = torch.from_numpy(np.random.randn(100))
y = 10 * x + 4 + torch.randn(100)
model = torch.nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for step in range(1000):
    loss = ((model(x.view(-1, 1)) - y.view(-1, 1)) ** 2).mean()  # ←
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
w, b = model.weight, model.bias
```

## Fix

Make the data float32 where it is made: `x = torch.from_numpy(x_np).float()`.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.creation import with_keyword
from grader.evidence.edits import Edit
from grader.evidence.rewrite import atom
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import inputs, made_at_top
from grader.model import RunError
from grader.trace import Tensor

TEXT = {
    "en": Words(
        title="two kinds of numbers meet",
        message="At this line {name} ({dtype}) meets parameters of another kind ({wanted}).",
        why="Layers and matrix products of PyTorch do not convert between kinds of numbers; the run stops.",
        fix="Make the data of the parameters' kind where it is created, with `.{method}()`.",
        terms={"name": {"unnamed": "the data"}, "dtype": {"other": "of one kind"}},
    ),
    "zh": Words(
        title="两种数值类型混在一起",
        message="在这一行，{name}（{dtype}）与另一种类型（{wanted}）的参数放在一起计算。",
        why="PyTorch 的层和矩阵乘法不会自动转换数值类型，运行因此停下。",
        fix="在创建数据时就转换成与参数相同的类型：`.{method}()`。",
        terms={"name": {"unnamed": "数据"}, "dtype": {"other": "某一种类型"}},
    ),
}

_SAYS = (
    "must have the same dtype", "expected scalar type", "same dtype, but got", "Found dtype", "expected m1 and m2",
    "both inputs to have same dtype", "dtypes to match",
)  # fmt: skip
_METHODS = {"float32": "float", "float64": "double"}


def detect(case: Case) -> Iterator[Suspicion]:
    """The error of kinds that do not fit, and the data in sight that has the other kind."""
    error = case.says(*_SAYS)
    if error is None:
        return
    tensors = _in_sight(case, error)
    wanted = _wanted(tensors)
    odd = [one for one in tensors if _is_data(one) and one.dtype != wanted]
    yield case.suspicion(
        error,
        0.97,
        name=odd[0].names[0] if odd else "unnamed",
        dtype=odd[0].dtype if odd else "other",
        wanted=wanted,
        method=_METHODS.get(wanted, "float"),
    )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Convert the data where it is made."""
    error = case.says(*_SAYS)
    if error is None:
        return
    tensors = _in_sight(case, error)
    wanted = _wanted(tensors)
    method = _METHODS.get(wanted, "float")
    names = {name for one in tensors if _is_data(one) and one.dtype != wanted for name in one.names}
    edits = []
    for statement in case.code.all(ast.Assign):
        if case.code.loop(statement) is not None or case.code.function(statement) is not None:
            continue
        for name, value in _bindings(statement):
            if name not in names:
                continue
            if value is not None:
                edits.append(case.code.replace(value, f"{atom(case.code, value)}.{method}()"))
            else:
                edits.append(case.code.insert_after(statement, f"{name} = {name}.{method}()"))
    yield edits


def plant(case: Case) -> Iterator[list[Edit]]:
    """Make data in float64 that meets a layer, or a matrix of parameters, in float32."""
    strict = any(case.code.calls("Linear")) or any(
        isinstance(node.op, ast.MatMult) for node in case.code.all(ast.BinOp)
    )
    for statement in made_at_top(case, inputs(case)) if strict else ():
        for call in case.code.calls("tensor", inside=statement):
            if not call.keywords:
                yield [with_keyword(case, call, "dtype", "torch.float64")]


def _bindings(statement: ast.Assign) -> Iterator[tuple[str, ast.expr | None]]:
    for target in statement.targets:
        if isinstance(target, ast.Name):
            yield target.id, statement.value
        elif isinstance(target, ast.Tuple):
            values = statement.value.elts if isinstance(statement.value, ast.Tuple) else []
            for index, one in enumerate(target.elts):
                if isinstance(one, ast.Name):
                    yield one.id, values[index] if len(values) == len(target.elts) else None


def _in_sight(case: Case, error: RunError) -> list[Tensor]:
    """The tensors at the error, then those of other looks around."""
    looks = [look for look in (case.at_error(error), case.end, *case.optimizers) if look is not None]
    looks += case.gradient_events[:1]
    found: dict[int, Tensor] = {}
    for look in looks:
        for tensor in look.tensors:
            if tensor.names:
                found.setdefault(tensor.number, tensor)
    return list(found.values())


def _wanted(tensors: list[Tensor]) -> str:
    """The kind of the parameters: modules' first."""
    for one in sorted(tensors, key=lambda tensor: not tensor.parameter):
        if one.requires_grad and one.leaf and one.dtype in _METHODS:
            return one.dtype
    return "float32"


def _is_data(tensor: Tensor) -> bool:
    return not tensor.requires_grad and tensor.leaf and not tensor.parameter
