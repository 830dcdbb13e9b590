"""A name is not quite one that exists: a letter too many, one missing, or a neighbour's name.

## What it is

`loss.backwards()`, `w.grad.zeros_()`, `torch.optim.Sgd`: Python looks for exactly these letters, and finds nothing.

## Why it matters

The run stops there with an AttributeError or a NameError, and what follows never happens.

## Example

```python
import torch

x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backwards()  # ←
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

Write the name as it is: `loss.backward()`.
"""

import ast
import builtins
import difflib
import re
from collections.abc import Iterable, Iterator

from grader.evidence.case import Case
from grader.evidence.code import called
from grader.evidence.edits import Edit
from grader.evidence.rewrite import rename_call
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings
from grader.model import RunError

TEXT = {
    "en": Words(
        title="a name is misspelt",
        message="`{name}` does not exist. Perhaps you meant `{right}`, which is spelt almost the same.",
        why="Python stops at this line, and nothing after it runs.",
        fix="Write `{right}` in place of `{name}`.",
    ),
    "zh": Words(
        title="名字拼写有误",
        message="`{name}` 不存在。你想写的可能是 `{right}`，两者只差一点。",
        why="Python 会停在这一行，后面的都不会执行。",
        fix="把 `{name}` 改成 `{right}`。",
    ),
}

# Names that are near in meaning rather than in letters, or nearer to another one by letters.
_MEANT = {
    "zeros_": "zero_", "zero_grad_": "zero_grad", "zero_grads": "zero_grad", "zerograd": "zero_grad",
    "backwards": "backward", "back": "backward", "backprop": "backward", "steps": "step", "average": "mean",
    "set_to_zero": "zero_", "clear": "zero_", "MSE": "MSELoss", "Sgd": "SGD", "sgd": "SGD", "linear": "Linear",
    "gradient": "grad", "grads": "grad", "tensors": "tensor", "items": "item", "Tensors": "Tensor",
}  # fmt: skip
_TENSOR = (
    "abs add add_ argmax backward clone copy_ cpu data detach detach_ dim dot double dtype exp expand fill_ flatten float "
    "grad grad_fn is_leaf item long log matmul max mean min mm mul mul_ ndim norm numel numpy permute pow relu "
    "requires_grad requires_grad_ reshape retain_grad shape sigmoid size sqrt square squeeze std sub sub_ sum t T tanh "
    "tolist transpose type unsqueeze unsqueeze_ var view view_as zero_ cuda to div div_ mse_loss"
)
_TORCH = (
    "Tensor abs add arange as_tensor autograd cat dot double empty exp eye float32 float64 float from_numpy full "
    "Generator inference_mode int64 int32 linspace log long manual_seed matmul max mean min mm mul nn no_grad norm numel "
    "ones ones_like optim pow rand rand_like randint randn randn_like randperm relu reshape set_grad_enabled sigmoid sqrt "
    "square squeeze stack std sub sum tanh tensor unsqueeze utils var zeros zeros_like normal manual_seed enable_grad"
)
_NN = (
    "Module Linear MSELoss L1Loss Parameter ParameterList Sequential functional init ReLU Tanh Sigmoid utils"
)
_FUNCTIONAL = "mse_loss l1_loss smooth_l1_loss relu sigmoid tanh linear"
_OPTIM = "SGD Adam AdamW RMSprop Adagrad LBFGS lr_scheduler Optimizer"
_OPTIMIZER = "step zero_grad param_groups state state_dict add_param_group"
_MODULE = (
    "parameters named_parameters zero_grad train eval forward weight bias state_dict load_state_dict double float to apply "
    "children modules requires_grad_"
)
_NUMPY = (
    "abs absolute append arange array asarray concatenate cos cumsum dot exp float32 float64 full linspace log mean "
    "max min newaxis normal ones power random reshape seed sin sqrt square std sum zeros zeros_like rand randn uniform "
    "default_rng polyfit"
)
_OWN = {
    "torch": _TORCH,
    "torch.nn": _NN,
    "torch.nn.functional": _FUNCTIONAL,
    "torch.optim": _OPTIM,
    "torch.nn.modules": _NN,
    "numpy": _NUMPY,
    "numpy.random": _NUMPY,
    "torch.autograd": "grad backward Variable Function",
}
_NEAR, _VERY_NEAR = 0.7, 0.84
_ATTRIBUTE = re.compile(
    r"(?:'(?P<kind>[\w.]+)' object|module '(?P<module>[\w.]+)'|type object '(?P<type>\w+)') has no attribute '(?P<name>\w+)'"
)
_NAME = re.compile(r"name '(?P<name>\w+)' is not defined")
_IMPORT = re.compile(r"cannot import name '(?P<name>\w+)' from '(?P<module>[\w.]+)'")


def detect(case: Case) -> Iterator[Suspicion]:
    """Errors that name a name which is not there, and one near to it which is."""
    for error in case.errors:
        found = _misspelt(case, error)
        if found is None:
            continue
        name, right = found
        likeness = 1.0 if _MEANT.get(name) == right else difflib.SequenceMatcher(None, name, right).ratio()
        yield case.suspicion(error, 0.96 if likeness >= _VERY_NEAR else 0.8, name=name, right=right)


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Write the right name wherever the wrong one stands."""
    name, right = str(suspicion.params["name"]), str(suspicion.params["right"])
    edits = []
    for node in case.code.all(ast.Attribute, ast.Name):
        if isinstance(node, ast.Attribute) and node.attr == name:
            _, end = case.code.span(node)
            edits.append(Edit(case.code.cell_of(node), (end[0], end[1] - len(name)), end, right))
        elif isinstance(node, ast.Name) and node.id == name:
            edits.append(case.code.replace(node, right))
    for statement in case.code.all(ast.ImportFrom):
        if any(alias.name == name for alias in statement.names):
            text = re.sub(rf"\b{name}\b", right, case.code.text(statement))
            edits.append(case.code.replace(statement, text))
    yield edits


def plant(case: Case) -> Iterator[list[Edit]]:
    """Misspell the method that asks for gradients, clears them, or steps."""
    for training in trainings(case):
        for one in (training.statement, *training.clearing[-1:], *training.steps[:1]):
            if isinstance(one, ast.Expr) and isinstance(one.value, ast.Call):
                wrong = {"backward": "backwards", "zero_": "zeros_"}.get(
                    called(one.value), f"{called(one.value)}s"
                )
                yield [rename_call(case.code, one.value, wrong)]


def _misspelt(case: Case, error: RunError) -> tuple[str, str] | None:
    if match := _ATTRIBUTE.search(error.message):
        name = match["name"]
        right = _nearest(name, _attributes(case, match["kind"] or match["type"] or "", match["module"]))
    elif match := _IMPORT.search(error.message):
        name = match["name"]
        right = _nearest(name, _OWN.get(match["module"], "").split())
    elif match := _NAME.search(error.message):
        name = match["name"]
        right = _nearest(name, _defined(case) - {name})
    else:
        return None
    return (name, right) if right is not None and right != name else None


def _nearest(name: str, known: Iterable[str]) -> str | None:
    known = list(dict.fromkeys(known))
    meant = _MEANT.get(name)
    if meant in known:
        return meant
    if name == "zero_grad" and "zero_" in known:
        return "zero_"
    found = difflib.get_close_matches(name, known, n=1, cutoff=_NEAR)
    if found:
        return found[0]
    lower = {one.lower().replace("_", ""): one for one in known}
    return lower.get(name.lower().replace("_", ""))


def _attributes(case: Case, kind: str, module: str | None) -> Iterable[str]:
    if module is not None:
        return _OWN.get(module, "").split()
    if kind in ("Tensor", "Parameter"):
        return _TENSOR.split()
    if kind in _OPTIM.split():
        return _OPTIMIZER.split()
    own = {
        node.attr
        for node in case.code.all(ast.Attribute)
        if isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }
    own |= {
        node.name
        for node in case.code.all(ast.FunctionDef)
        if case.code.around(node, ast.ClassDef) is not None
    }
    if kind in {node.name for node in case.code.all(ast.ClassDef)}:
        return [*own, *_MODULE.split()]
    return _MODULE.split() if kind in _NN.split() else ()


def _defined(case: Case) -> set[str]:
    found = {node.id for node in case.code.all(ast.Name) if isinstance(node.ctx, ast.Store)}
    found |= {node.name for node in case.code.all(ast.FunctionDef)}
    found |= {node.name for node in case.code.all(ast.ClassDef)}
    found |= {node.arg for node in case.code.all(ast.arg)}
    found |= {(node.asname or node.name).split(".")[0] for node in case.code.all(ast.alias)}
    found |= {name for name in dir(builtins) if len(name) > 3 and not name.startswith("_")}  # noqa: PLR2004
    return found
