"""Runs agree with each other, and with the same code run plainly: nothing that is recorded changes a bit."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from grader.exercise import course_folder, load_exercise
from grader.kernel.pool import Kernels
from grader.load import load
from grader.model import Limits
from grader.values import Array, Unusable, Value
from tests.sessions import ran

ROOT = Path(__file__).parents[1]
CORPUS = Path(__file__).parent / "corpus"

# Each draws from a generator that the submission did not seed, or seeded from the machine.
DRAWS = {
    "torch": "torch.rand(3)",
    "torch.seed": "torch.seed(), torch.rand(3)",
    "torch.random.seed": "torch.random.seed(), torch.rand(3)",
    "numpy": "np.random.rand(3)",
    "numpy seed": "np.random.seed(), np.random.rand(3)[1:]",
    "default_rng": "np.random.default_rng().random(3)",
    "two of default_rng": "np.random.default_rng().random(), np.random.default_rng().random()",
    "RandomState": "np.random.RandomState().rand(3)",
    "bit generator": "np.random.Generator(np.random.MT19937()).random(3)",
    "random": "[random.random() for _ in range(3)]",
    "random seed": "random.seed(), random.random()",
    "Random": "random.Random().random()",
    "shuffled loader": "[int(row) for batch in DataLoader(TensorDataset(torch.arange(9)), 2, True) for row in batch[0]]",
    "loader with workers": "torch.cat(list(DataLoader(torch.arange(9), 2, shuffle=True, num_workers=1)))",
    "random_split": "[list(part) for part in torch.utils.data.random_split(range(9), [5, 4])]",
    "layer": "nn.Linear(3, 2).weight",
    "dropout": "nn.Dropout(0.5)(torch.ones(50))",
}
SETUP = """
import random, numpy as np, torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
"""
NAMES = {name: f"v{number}" for number, name in enumerate(DRAWS)}
CELLS = (SETUP, "\n".join(f"{NAMES[name]} = {draw}" for name, draw in DRAWS.items()))
SET_ORDER = "order = [float(word[4:]) for word in {f'word{k}' for k in range(50)}]"


def values_of(kernels: Kernels, seed: int) -> dict[str, Value]:
    """What the draws gave in a run of this seed."""
    with ran(kernels, *CELLS, SET_ORDER, values=[*NAMES.values(), "order"], seed=seed) as kernel:
        assert kernel.run.errors == ()
        return kernel.run.values


@pytest.fixture(scope="module")
def runs(kernels: Kernels) -> list[dict[str, Value]]:
    """Two runs with one seed, and one with another."""
    return [values_of(kernels, seed) for seed in (0, 0, 1)]


@pytest.mark.parametrize("name", DRAWS)
def test_one_seed_gives_one_result_and_another_another(name: str, runs: list[dict[str, Value]]) -> None:
    first, again, other = (run[NAMES[name]] for run in runs)
    assert not isinstance(first, Unusable)
    assert first == again
    assert first != other


def test_two_generators_without_a_seed_differ(runs: list[dict[str, Value]]) -> None:
    value = runs[0][NAMES["two of default_rng"]]
    assert isinstance(value, Array)
    assert value.data[:8] != value.data[8:]


def test_sets_keep_their_order(runs: list[dict[str, Value]]) -> None:
    assert runs[0]["order"] == runs[1]["order"] == runs[2]["order"]


@pytest.mark.parametrize("seed", [-1, 2**32 + 5, 2**63 - 1])
def test_every_seed_is_one(seed: int, kernels: Kernels) -> None:
    with ran(kernels, "import torch\nw = torch.rand(1)", values=["w"], seed=seed) as kernel:
        assert isinstance(kernel.run.values["w"], Array)


# ---- the same code, run plainly ------------------------------------------------------------------

# Those that train for seconds are slow ends.
FILES = {
    "linear_regression/s006.py": ("x", "y", "w", "b"),  # torch.func.grad
    "linear_regression/s017.py": ("x", "y", "w", "b"),  # one random sample per step
    "linear_regression/s092.py": ("x", "y", "w", "b"),  # create_graph
    "backprop_per_sample/s005.py": ("w",),
    "backprop_quadratic/s005.ipynb": ("w", "w2", "b"),
    "linear_module/s006.ipynb": ("model", "x_data", "y_data"),
    "manual_gradient/s001.ipynb": ("w", "b", "w.grad", "b.grad"),
    "temperature/s003.ipynb": ("params",),
}
PLAINLY = """
import json, sys
import torch
from grader.probe.encode import encode, encode_gradient
from grader.probe.surroundings import fix_seeds

torch.set_num_threads(1)
found = {}
for file, (cells, names) in json.load(sys.stdin).items():
    fix_seeds(0)
    namespace = {"__name__": "__main__"}
    for number, source in enumerate(cells):
        exec(compile(source, f"<{number}>", "exec"), namespace)
    found[file] = {
        name: encode_gradient(namespace[name[:-5]]) if name.endswith(".grad") else encode(namespace[name])
        for name in names
    }
print("\\n" + json.dumps(found))
"""


@functools.cache
def plain(*, slow: bool) -> dict[str, dict[str, Value]]:
    """The values of each file, executed without kernel, transformer and recorder."""
    asked = {
        file: ([cell.source for cell in load(CORPUS / file).cells], names)
        for file, names in FILES.items()
        if is_slow(file) is slow
    }
    done = subprocess.run(
        [sys.executable, "-c", PLAINLY],
        input=msgspec.json.encode(asked),
        capture_output=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"},
    )
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=dict[str, dict[str, Value]])


def is_slow(file: str) -> bool:
    """Whether a file trains for seconds."""
    return file.startswith("linear_regression/")


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize(
    "file",
    [pytest.param(file, marks=pytest.mark.slow if is_slow(file) else ()) for file in FILES],
)
def test_recording_changes_no_bit(file: str, bare: bool, kernels: Kernels) -> None:
    exercise = load_exercise(course_folder(None), file.partition("/")[0])
    session = kernels.open(Limits(), bare=bare)
    try:
        work = session.run(load(CORPUS / file), seed=0, values=FILES[file], watch=exercise.watched)
        run = kernels.do(work)
    finally:
        kernels.close(session)
    assert run.errors == ()
    assert run.trace.trainings
    assert run.values == plain(slow=is_slow(file))[file]
