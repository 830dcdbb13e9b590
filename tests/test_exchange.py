"""That a run on exchanged data holds y + the line everywhere, once, and is else the run that it was."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings

from grader.arrays import from_numpy, numbers
from grader.exchange import Pair, data_pairs, shifted
from grader.kernel.pool import Kernels
from grader.model import RunError
from grader.probe.watch import Watch
from grader.trace import Version
from tests.exchanging import Numbers, Outcome, Pairs, Reads, Script, scripts
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
    """Two kernels in which nothing has run: the script is their second cell."""
    both = Pairs(kernels, tmp_path)
    yield both
    both.close()


# ---- in a kernel --------------------------------------------------------------------------------


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
    """They run without an error; whoever mends one moves it to the others."""
    outcome = pairs.run(script.source, script.reads)
    assert outcome.runs[0].errors == outcome.runs[1].errors == ()
    assert np.abs(outcome.shares(0) - 1).max() > 0.01


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(script=made_data())
def test_any_data_are_shifted_once(pairs: Pairs, script: Script) -> None:
    assert_shifted_once(pairs.run(script.source, script.reads), script.reads)


START_AT_THE_ANSWER = """
x = torch.randn(40)
y = 10 * x + 4
w, b = torch.tensor(10.0, requires_grad=True), torch.tensor(4.0, requires_grad=True)
def forward(x):
    prediction = w * x + b
    return prediction
prediction = forward(x)
predictions = [prediction]
"""


def test_what_comes_of_parameters_stays(pairs: Pairs) -> None:
    """Even where a training starts with the values of the data."""
    outcome = pairs.run(START_AT_THE_ANSWER, [("y", "x"), ("prediction", "x"), ("predictions[0]", "x")])
    np.testing.assert_allclose(outcome.shares(0), 1, atol=1e-4)
    np.testing.assert_allclose([outcome.shares(1), outcome.shares(2)], 0, atol=1e-4)


OTHER_NUMBERS = """
x = torch.randn(40)
y = 10 * x + 4 + torch.randn(40)
part = y[:39]
other = x.clone()
swapped = torch.stack([y[1], y[0], *y[2:]])
"""


@pytest.mark.parametrize("what", ["part ~ x[:39]", "swapped ~ [x[1], x[0], *x[2:]]"])
def test_what_is_derived_follows_without_an_exchange(pairs: Pairs, what: str) -> None:
    """Their numbers are others than those of y, so only their making can have shifted them."""
    y, x = what.split(" ~ ")
    outcome = pairs.run(OTHER_NUMBERS, [(y, x), ("other + 1", "x")])
    np.testing.assert_allclose(outcome.shares(0), 1, atol=1e-4)
    np.testing.assert_array_equal(outcome.read(1, "_y_1"), outcome.read(0, "_y_1"))


# What torch warns of only once in a process would stand in one of the two outputs alone.
UNREADABLE = """
import warnings
warnings.simplefilter("ignore")
x = torch.randn(40)
y = 10 * x + 4 + torch.randn(40)
z = torch.zeros(40, dtype=torch.complex64), torch.empty(40, device="meta"), torch.zeros(40).to_sparse()
complex_, meta, sparse = z
nested = torch.nested.nested_tensor([torch.zeros(20), torch.zeros(20)])
words, nothing, ragged, huge = ["a"] * 40, [None] * 40, [[1], [1, 2]] * 20, [10**400] * 40
empty = np.zeros((40, 0)), torch.zeros(0), [], ()
dates, objects = np.zeros(40, "M8[s]"), np.array([None] * 40)
def f(w, x):
    y = w * x
    return y.sum()
sums = torch.func.vmap(f, (0, None))(torch.arange(40.0), x)
print(sums.shape)
"""


def test_values_without_numbers_do_not_disturb(pairs: Pairs) -> None:
    assert_shifted_once(pairs.run(UNREADABLE, [("y", "x")]), [("y", "x")])


FAILING = """
def make(n):
    '''Text.'''
    a = torch.randn(n)
    b = (
        10 * a + 4
    )
    if n < 40:
        raise ValueError(
            "too few"
        )
    return a, b
x, y = make(40)
for k in range(2):
    z = y + k
    if k:
        make(3)
"""


def test_errors_keep_their_lines(fresh: Pairs) -> None:
    outcome = fresh.run(FAILING.strip("\n"), [("y", "x")])
    expected = RunError(kind="error", message="ValueError: too few", cell=2, line=8)
    assert outcome.runs[0].errors == outcome.runs[1].errors == (expected,)
    np.testing.assert_allclose(outcome.shares(0), 1, atol=1e-4)


@pytest.mark.parametrize("last", ["len(y)", "(z := len(y))", "y.shape", "x = 1; y.dtype"])
def test_the_last_expression_is_shown(pairs: Pairs, last: str) -> None:
    source = f"x = torch.randn(40)\ny = 10 * x + 4\nprint('text')\n{last}"
    outcome = pairs.run(source, [])
    assert outcome.outputs[0] == outcome.outputs[1]
    assert "text/plain" in outcome.outputs[0]


@pytest.mark.parametrize(
    "last", ["y[0] = y[1]", "y += 1", "d.y = y", "x, d.y = y, x", "for k in x: a.append(k)"]
)
def test_a_binding_at_the_end_shows_nothing(pairs: Pairs, last: str) -> None:
    start = "from types import SimpleNamespace\nd, a = SimpleNamespace(), []\nx = torch.randn(40)\ny = 10 * x + 4\n"
    assert pairs.run(start + last, []).outputs == ("", "")


# ---- versions, pairs and shifts ---------------------------------------------------------------------------


def test_a_version_is_kept_once_and_anew_when_it_changes() -> None:
    watch = Watch(("y",), 2)
    y = torch.tensor([1.0, 2.0], requires_grad=True)
    for value in (
        y,
        y,
        y.detach().numpy(),
        y.double(),
        [1.0, 2.0],
        y.view(2, 1),
        torch.empty(2, device="meta"),
    ):
        watch.bound(value, "y")
    y.data[0] = 3
    watch.bound(y, "y")
    watch.bound(y.bfloat16(), "y")
    watch.scan({"x": y, "y": y + 1})
    seen = [from_base64(version["array"]) for version in watch.versions()]
    assert seen == [[1, 2], [3, 2], [4, 3]]


def from_base64(array: dict[str, Any]) -> list[float]:
    return [float(number) for number in np.frombuffer(base64.b64decode(array["data"]), dtype=array["dtype"])]


def found(*versions: tuple[str, Numbers]) -> list[tuple[bytes, bytes]]:
    """The pairs among versions, as bytes that can be compared."""
    records = [
        Version(name=name, array=from_numpy(np.asarray(array, dtype=float))) for name, array in versions
    ]
    return [(pair.x.tobytes(), pair.y.tobytes()) for pair in data_pairs(records, "x", "y")]


def as_bytes(x: Numbers, y: Numbers) -> tuple[bytes, bytes]:
    return np.ascontiguousarray(x).tobytes(), np.ascontiguousarray(y).tobytes()


def test_pairs_stood_beside_each_other() -> None:
    assert found(("x", X), ("y", Y), ("x", X[::-1]), ("y", -Y)) == [
        as_bytes(X, Y),
        as_bytes(X[::-1], Y),
        as_bytes(X[::-1], -Y),
    ]


@pytest.mark.parametrize("shape", [(40, 1), (1, 40)])
def test_pairs_are_flat(shape: tuple[int, int]) -> None:
    assert found(("x", X.reshape(shape)), ("y", Y)) == [as_bytes(X, Y)]


def test_a_column_of_ones_is_left_out() -> None:
    assert found(("x", np.c_[X, np.ones(40)]), ("y", Y)) == [as_bytes(X, Y)]


@pytest.mark.parametrize("other", [np.zeros(40), np.full(40, np.nan), np.where(X < 1, Y, np.inf), Y[:30]])
def test_room_for_data_is_no_data(other: Numbers) -> None:
    assert found(("x", X), ("y", other)) == []
    assert found(("x", X), ("y", other), ("y", Y)) == [as_bytes(X, Y)]


def test_growing_data_are_one_version() -> None:
    versions = [(name, values[:n]) for n in range(20, 41) for name, values in (("x", X), ("y", Y))]
    assert found(*versions) == [as_bytes(X, Y)]


def test_half_filled_data_are_no_version() -> None:
    assert found(("x", X), ("y", np.where(X < 0.5, Y, 0)), ("y", Y)) == [as_bytes(X, Y)]


def test_noise_may_come_later() -> None:
    assert found(("x", X), ("y", 10 * X + 4), ("y", Y)) == [as_bytes(X, 10 * X + 4), as_bytes(X, Y)]


def test_predictions_under_the_name_of_y_are_no_data() -> None:
    prediction = (np.float32(7.1) * X.astype(np.float32) + np.float32(3)).astype(float)
    assert found(("x", X), ("y", Y), ("y", prediction), ("y", -Y)) == [as_bytes(X, Y), as_bytes(X, -Y)]


def test_data_without_noise_are_data() -> None:
    assert found(("x", X), ("y", 2 * X), ("y", 3 * X)) == [as_bytes(X, 2 * X), as_bytes(X, 3 * X)]


@pytest.mark.filterwarnings("error")
def test_diverged_numbers_are_compared_in_silence() -> None:
    assert len(found(("x", X), ("y", Y), ("y", 1e300 * Y))) == 2


def shift(x: Numbers) -> Numbers:
    """A line."""
    return -3 * x + 1


def test_each_y_is_exchanged_once() -> None:
    swaps = shifted([Pair(X, Y), Pair(X, -Y), Pair(X, Y)], shift)
    news = [(numbers(swap.old), numbers(swap.new)) for swap in swaps]
    np.testing.assert_array_equal(news, [(Y, Y + shift(X)), (-Y, -Y + shift(X))])


@pytest.mark.parametrize(
    ("first", "later", "chosen"),
    [(X, NOISE, X), (NOISE, X, X), (X, 2 * X + 1, X), (2 * X + 1, X, 2 * X + 1)],
    ids=["the first", "the one that y goes with", "the first of two lines", "the first of two other lines"],
)
def test_y_is_shifted_by_its_own_x(first: Numbers, later: Numbers, chosen: Numbers) -> None:
    swaps = shifted([Pair(first, Y), Pair(later, Y)], shift)
    assert [swap.new for swap in swaps] == [from_numpy(Y + shift(chosen))]
