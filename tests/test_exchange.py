"""That a run on exchanged data holds y + the line everywhere, once, and is else the run that it was."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from grader.arrays import from_numpy, numbers
from grader.exchange import Pair, data_pairs, shifted
from grader.kernel.pool import Kernels
from grader.model import Version
from tests.exchanging import Outcome, Pairs, Reads, Script, scripts
from tests.made_data import made_data

FOLLOWING = [script for name in ("bindings.txt", "holders.txt", "versions.txt") for script in scripts(name)]
X = np.linspace(0, 1, 40)
NOISE = np.random.default_rng(0).normal(size=40)
Y = 10 * X + 4 + NOISE


@pytest.fixture(scope="module")
def pairs(kernels: Kernels, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pairs]:
    """Two kernels for the whole file."""
    both = Pairs(kernels, tmp_path_factory.mktemp("scripts"))
    yield both
    both.close()


@pytest.fixture
def fresh(kernels: Kernels, tmp_path: Path) -> Iterator[Pairs]:
    """Two kernels in which nothing has run, so that cells are numbered from the first."""
    both = Pairs(kernels, tmp_path)
    yield both
    both.close()


def assert_shifted_once(outcome: Outcome, reads: Reads) -> None:
    base, other = outcome.runs
    assert base.errors == other.errors == ()
    assert any(other.trace.exchanged)
    assert outcome.outputs[0] == outcome.outputs[1]
    for index, (y, x) in enumerate(reads):
        np.testing.assert_allclose(outcome.shares(index), 1, atol=1e-4, err_msg=y)
        np.testing.assert_allclose(outcome.read(1, f"_x_{index}"), outcome.read(0, f"_x_{index}"), err_msg=x)


@pytest.mark.parametrize("script", FOLLOWING, ids=lambda script: script.title)
def test_y_is_shifted_once(pairs: Pairs, script: Script) -> None:
    assert_shifted_once(pairs.run(script.source, script.reads), script.reads)


@pytest.mark.parametrize("script", scripts("misses.txt"), ids=lambda script: script.title)
def test_known_misses(pairs: Pairs, script: Script) -> None:
    """They run as they did; whoever mends one moves it to the others."""
    outcome = pairs.run(script.source, script.reads)
    assert outcome.runs[1].errors == ()
    assert np.abs(outcome.shares(0) - 1).max() > 0.01


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(script=made_data())
def test_any_data_are_shifted_once(pairs: Pairs, script: Script) -> None:
    assert_shifted_once(pairs.run(script.source, script.reads), script.reads)
