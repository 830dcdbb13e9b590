"""Checks of `minimise_parabola`: x² + 2x + 1, walked down with a derivative by hand and with autograd."""

import numpy as np
import pytest

from grader.checks import fail
from grader.paths import CLOSE, check_path, hidden_walks
from grader.steps import components

BY_HAND, WITH_AUTOGRAD = "descend_by_hand", "descend_with_autograd"


@pytest.mark.points(1)
def test_by_hand_from_zero(call, reference) -> None:
    """descend_by_hand(0, 0.1, 10) returns −0.2, −0.36, −0.488 …, ten values."""
    check_path(call, BY_HAND, (0.0, 0.1, 10), reference.descend_by_hand(0.0, 0.1, 10), shown=True)


@pytest.mark.points(2)
def test_by_hand_elsewhere(call, reference, rng: np.random.Generator) -> None:
    """descend_by_hand is right for other starts, rates and numbers of steps."""
    for walk in hidden_walks(rng, 3):
        check_path(call, BY_HAND, walk, reference.descend_by_hand(*walk), shown=False)


@pytest.mark.points(1)
def test_by_hand_without_autograd(call, rng: np.random.Generator) -> None:
    """descend_by_hand uses a derivative of your own, without autograd."""
    (walk,) = hidden_walks(rng, 1)
    seen = call(BY_HAND, *walk)
    if seen.gradient_calls:
        fail("autograd-called", name=BY_HAND)
    seen.numbers()  # a function that returns nothing has derived nothing


@pytest.mark.points(1)
def test_with_autograd_from_zero(call, reference) -> None:
    """descend_with_autograd(0, 0.1, 14) returns the same walk; it ends at about −0.956."""
    check_path(call, WITH_AUTOGRAD, (0.0, 0.1, 14), reference.descend_by_hand(0.0, 0.1, 14), shown=True)


@pytest.mark.points(3)
def test_with_autograd_elsewhere(call, reference, rng: np.random.Generator) -> None:
    """descend_with_autograd is right for other starts, rates and numbers of steps."""
    for walk in hidden_walks(rng, 3):
        check_path(call, WITH_AUTOGRAD, walk, reference.descend_by_hand(*walk), shown=False)


@pytest.mark.points(2)
def test_gradient_comes_from_autograd(call, reference, rng: np.random.Generator) -> None:
    """descend_with_autograd takes a gradient from autograd in each step, and it is right."""
    (walk,) = hidden_walks(rng, 1)
    x0, _, steps = walk
    seen = call(WITH_AUTOGRAD, *walk)
    if seen.gradient_calls < steps:
        fail("autograd-too-seldom", name=WITH_AUTOGRAD, steps=steps, calls=seen.gradient_calls)
    parts = [part for training in seen.trace.trainings for call in training.seen for part in components(call)]
    for number, part in enumerate(parts, start=1):
        if part.before != 0:
            fail("autograd-gradient-kept", name=WITH_AUTOGRAD, number=number)
        # Minimising and maximising −f are the same walk.
        off = abs(abs(part.gradient) - abs(reference.derivative(part.value)))
        if not off <= 10 * CLOSE * max(1.0, abs(x0)):
            fail("autograd-gradient-differs", name=WITH_AUTOGRAD, number=number)
