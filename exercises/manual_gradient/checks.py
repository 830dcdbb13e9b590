"""Checks of `manual_gradient`: gradients filled in by autograd, and the same gradients derived by hand."""

import math
from types import ModuleType

import numpy as np
import pytest

from grader.arrays import to_numpy
from grader.checks import CallView, Numbers, RunView, fail
from grader.paths import check_path, hidden_walks

MANUAL, DESCEND = "manual_gradient", "descend"
# The sums have at most a dozen float32 terms, each rounded to 6e-8 of its size.
RELATIVE = 2e-5
SIZES = ((4, 3), (7, 2), (5, 1), (2, 4))


def reference_gradients(reference: ModuleType) -> dict[str, Numbers]:
    """w.grad and b.grad as the reference's autograd finds them, flat."""
    return {name: getattr(reference, name).grad.numpy().astype(float).reshape(-1) for name in ("w", "b")}


@pytest.mark.points(1)
def test_gradient_comes_from_autograd(run: RunView) -> None:
    """w and b are leaves whose gradients backward() has filled in."""
    if not run.trace.trainings:
        fail("no-backward")


@pytest.mark.points(1)
@pytest.mark.needs("test_gradient_comes_from_autograd")
def test_w_grad(run: RunView, reference: ModuleType) -> None:
    """w.grad is the gradient of the given loss at w = 0 and b = 4.2."""
    check_grad(run, "w", reference_gradients(reference)["w"])


@pytest.mark.points(1)
@pytest.mark.needs("test_gradient_comes_from_autograd")
def test_b_grad(run: RunView, reference: ModuleType) -> None:
    """b.grad is the gradient of the given loss at w = 0 and b = 4.2."""
    check_grad(run, "b", reference_gradients(reference)["b"])


def check_grad(run: RunView, name: str, wanted: Numbers) -> None:
    """Fail unless autograd found the wanted gradient for the leaf, and it is still there or was cleared since."""
    found = run.has(f"{name}.grad")
    seen = run.numbers(f"{name}.grad").reshape(-1) if found else np.zeros(0)
    recorded = any(same(gradient, wanted) for gradient in recorded_gradients(run, name))
    if recorded and (not seen.any() or same(seen, wanted)):
        return
    if not found:
        fail("grad-missing", name=name)
    shown = ", ".join(f"{value:.5g}" for value in seen[:6])
    if seen.size == wanted.size:
        times = float((seen * wanted).sum() / (wanted**2).sum())
        if math.isfinite(times) and same(seen, times * wanted) and times not in (0.0, 1.0):
            whole = abs(times - round(times)) < 1e-3 and times > 1
            fail("grad-doubled" if whole else "grad-scaled", name=name, seen=shown, times=round(times, 3))
    fail("grad-differs", name=name, seen=shown)


def recorded_gradients(run: RunView, name: str) -> list[Numbers]:
    """What autograd left in, or returned for, the leaf of that name (any leaf, where the name was not in sight).

    A name that belongs to a result of operations in the end is no leaf's that went without one.
    """
    result = any(
        name in tensor.names and not tensor.leaf
        for event in run.trace.events
        if event.kind == "end"
        for tensor in event.tensors
    )
    return [
        to_numpy(leaf.after).astype(float).reshape(-1)
        for training in run.trace.trainings
        for call in training.seen
        for leaf in call.leaves
        if leaf.after is not None and (name in leaf.names or not (leaf.names or result))
    ]


@pytest.mark.points(1)
def test_manual_gradient_on_the_data(call, reference: ModuleType) -> None:
    """manual_gradient finds the same gradients for the given data."""
    given = [getattr(reference, name).detach().numpy() for name in ("X", "w", "b", "target")]
    wanted = reference_gradients(reference)
    for name, seen in returned_gradients(call(MANUAL, *given)).items():
        if not same(seen, wanted[name]):
            fail("manual-differs", name=name, seen=", ".join(f"{value:.5g}" for value in seen[:6]))


@pytest.mark.points(3)
def test_manual_gradient_elsewhere(call, rng: np.random.Generator) -> None:
    """manual_gradient is right for other X, w, b and target, of other sizes and with w other than zero."""
    for rows, columns in SIZES:
        arguments = hidden_arguments(rng, rows, columns)
        X, w, b, target = (array.astype(float) for array in arguments)  # noqa: N806 - the exercise's name
        residual = X @ w + b - target
        wanted = {"w": (X.T @ residual).reshape(-1), "b": residual.sum().reshape(-1)}
        size = (np.abs(X) @ np.abs(w) + np.abs(b) + np.abs(target)).sum() * max(1.0, float(np.abs(X).max()))
        for name, seen in returned_gradients(call(MANUAL, *arguments)).items():
            if not same(seen, wanted[name], float(size)):
                fail("manual-differs-elsewhere", name=name)


@pytest.mark.points(1)
def test_manual_gradient_without_autograd(call, rng: np.random.Generator) -> None:
    """manual_gradient uses a derivation of your own, without autograd."""
    seen = call(MANUAL, *hidden_arguments(rng, 3, 2))
    if seen.gradient_calls:
        fail("autograd-called", name=MANUAL)
    returned_gradients(seen)  # a function that returns nothing has derived nothing


@pytest.mark.points(1)
def test_descend_from_5(call, reference: ModuleType) -> None:
    """descend(5, 0.1, 10) returns 4.7, 4.43, 4.187 …, ten values."""
    check_path(call, DESCEND, (5.0, 0.1, 10), reference.descend(5.0, 0.1, 10), shown=True)


@pytest.mark.points(1)
def test_descend_elsewhere(call, reference: ModuleType, rng: np.random.Generator) -> None:
    """descend is right for other starts, rates and numbers of steps."""
    for walk in hidden_walks(rng, 3):
        check_path(call, DESCEND, walk, reference.descend(*walk), shown=False)


def hidden_arguments(rng: np.random.Generator, rows: int, columns: int) -> list[np.ndarray]:
    """X, w, b and target as float32, shaped as the given ones are: (n, d), (d, 1), (1,), (n, 1)."""
    shapes = ((rows, columns), (columns, 1), (1,), (rows, 1))
    return [rng.uniform(-3, 3, size=shape).astype(np.float32) for shape in shapes]


def returned_gradients(returned: CallView) -> dict[str, Numbers]:
    """grad_w and grad_b of what manual_gradient returned, flat: their shapes are the learner's choice."""
    grad_w, grad_b = returned.parts(2)
    return {"w": grad_w.numbers().reshape(-1), "b": grad_b.numbers().reshape(-1)}


def same(seen: Numbers, wanted: Numbers, size: float | None = None) -> bool:
    """Whether two flat gradients agree to float32 rounding of terms of the given size."""
    scale = max(1.0, float(np.abs(wanted).max())) if size is None else size
    return seen.size == wanted.size and bool((np.abs(seen - wanted) <= RELATIVE * scale).all())
