"""Records of arrays: what contradicts itself is found out before it is read."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from grader.arrays import DTYPES, from_numpy, is_sound, numbers, scalar, to_numpy
from grader.trace import Event, GradientCall, Leaf, Trace, Training, Version
from grader.values import Array, Items

ONE = from_numpy(np.array([1.0, 2.0]))
SHORT = Array(dtype="float64", shape=(3,), data=ONE.data)


def trace_of(value: Array, saved: tuple[int, ...] = ()) -> Trace:
    leaf = Leaf(names=("w",), value=value, before=None, after=ONE)
    call = GradientCall(number=0, leaves=(leaf,), saved=saved)
    return Trace(trainings=(Training(cell=1, line=1, calls=1, seen=(call,)),), arrays=(ONE,))


@given(
    st.sampled_from(sorted(DTYPES)).flatmap(
        lambda name: arrays_of.arrays(np.dtype(name), arrays_of.array_shapes(min_dims=0, min_side=0))
    )
)
def test_an_array_comes_back_as_it_was(values: np.ndarray) -> None:
    again = to_numpy(from_numpy(values))
    assert again.dtype == values.dtype
    assert np.array_equal(again, values, equal_nan=values.dtype.kind == "f")


@pytest.mark.parametrize(
    "array",
    [SHORT, Array(dtype="object", shape=(1,), data=b"12345678"), Array(dtype="int8", shape=(-1,), data=b"")],
    ids=["too few bytes", "dtype not known", "negative size"],
)
def test_an_array_that_contradicts_itself_is_refused(array: Array) -> None:
    with pytest.raises(ValueError):
        to_numpy(array)
    assert numbers(array) is None
    assert scalar(Items(items=(array,))) is None


def test_a_trace_is_sound_if_all_of_its_arrays_and_indices_are() -> None:
    assert is_sound(trace_of(ONE, saved=(0,)))
    assert not is_sound(trace_of(SHORT))
    assert not is_sound(trace_of(ONE, saved=(1,)))
    assert not is_sound(trace_of(ONE, saved=(-1,)))
    assert not is_sound(Trace(versions=(Version(name="x", array=SHORT),)))
    event = Event(kind="step", order=1, call=0, cell=1, line=1, function="f", after={1: ONE})
    assert is_sound(Trace(events=(event,)))
    assert not is_sound(Trace(events=(msgspec.structs.replace(event, after={1: SHORT}),)))
