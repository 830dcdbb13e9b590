"""What the probe sees of a training, and that seeing changes nothing of it."""

import pytest

from grader.evidence.case import Case
from grader.exercise import course_folder, load_exercise
from grader.kernel.pool import Kernels
from grader.load import load
from grader.model import Limits, Run
from grader.trace import Event
from tests.measure.corpus import CORPUS, read_labels
from tests.measure.corpus_records import Label
from tests.sessions import ran, submission

HAND = """
import torch
x = torch.linspace(-1, 1, 50)
y = 10 * x + 4
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(30):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
        b -= 0.1 * b.grad
    w.grad = None
    b.grad = None
"""
OPTIMIZED = """
import torch
x = torch.linspace(-1, 1, 50).reshape(-1, 1)
y = 10 * x + 4
class Trainer:
    def __init__(self):
        self.net = torch.nn.Linear(1, 1)
        self.optimizer = torch.optim.{optimizer}
    def fit(self):
        for step in range(5):
            def closure():
                self.optimizer.zero_grad()
                loss = torch.nn.functional.mse_loss(self.net(x), y)
                loss.backward()
                return loss
            self.optimizer.step(closure)
trainer = Trainer()
trainer.fit()
"""
OPTIMIZERS = [
    "SGD(self.net.parameters(), lr=0.1, momentum=0.9)",
    "Adam(self.net.parameters(), lr=0.1)",
    "LBFGS(self.net.parameters(), max_iter=3)",
]
GRAD = """
import torch
theta = torch.zeros(2, requires_grad=True)
x = torch.linspace(-1, 1, 50)
def descend(theta):
    for step in range(3):
        loss = ((theta[0] * x + theta[1] - 10 * x) ** 2).mean()
        g, = torch.autograd.grad(loss, theta)
        theta = (theta - 0.1 * g).detach().requires_grad_()
    return theta
theta = descend(theta)
"""


def run_of(kernels: Kernels, *cells: str) -> Run:
    with ran(kernels, *cells) as kernel:
        assert kernel.run.errors == ()
        return kernel.run


def events(run: Run, *kinds: str) -> list[Event]:
    return [event for event in run.trace.events if event.kind in kinds]


def test_sees_each_of_the_first_steps_with_its_leaves(kernels: Kernels) -> None:
    run = run_of(kernels, HAND)
    seen = events(run, "backward")
    assert [event.call for event in seen][:20] == list(range(20))
    assert {tensor.names for event in seen for tensor in event.tensors[: event.leaves]} == {("w",), ("b",)}
    assert {(event.cell, event.line) for event in seen} == {(1, 9)}
    assert seen[0].root is not None
    assert seen[0].root.names == ("loss",)
    assert [operation.name for operation in seen[0].operations][:2] == ["MeanBackward0", "PowBackward0"]
    assert seen[1].plain["step"] == 1


def test_moves_follow_the_gradients(kernels: Kernels) -> None:
    run = run_of(kernels, HAND)
    case = Case(submission([HAND]), run)
    moves = list(case.moves(case.gradient_events))
    assert {move.name for move in moves} == {"w", "b"}
    for move in moves:
        assert move.gradient is not None
        assert move.delta == pytest.approx(-0.1 * move.gradient, rel=1e-3, abs=1e-6)
        assert not move.replaced


def test_sees_the_operations_of_the_first_steps_with_their_lines(kernels: Kernels) -> None:
    acts = run_of(kernels, HAND).trace.acts
    of_update = [act.name for act in acts if act.line == 11]
    assert "Tensor.sub_" in of_update
    assert not any(act.recorded for act in acts if act.line == 11)
    assert {act.line for act in acts if act.name == "Tensor.grad.__set__"} == {13, 14}
    assert max(act.order for act in acts) <= 11


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_sees_optimizers_inside_classes_and_closures(kernels: Kernels, optimizer: str) -> None:
    run = run_of(kernels, OPTIMIZED.format(optimizer=optimizer))
    made, steps = events(run, "optimizer"), events(run, "step")
    assert len(made) == 1
    assert len(steps) == 5
    assert made[0].optimizer is not None
    assert made[0].optimizer.kind == optimizer.partition("(")[0]
    leaves = {tensor.number for tensor in events(run, "backward")[0].tensors[:2]}
    assert set(made[0].optimizer.tensors) == leaves
    assert all(step.after for step in steps)
    assert events(run, "zero")


def test_sees_grad_in_functions_and_leaves_made_anew(kernels: Kernels) -> None:
    seen = events(run_of(kernels, GRAD), "grad")
    assert [event.function for event in seen] == ["descend"] * 3
    assert len({event.tensors[0].number for event in seen}) == 3
    assert all("theta" in event.tensors[0].names for event in seen)
    assert seen[0].within == ((1, 11),)
    assert all(list(event.after) == [event.tensors[0].number] for event in seen)


def test_sees_what_is_in_sight_where_a_cell_fails(kernels: Kernels) -> None:
    with ran(
        kernels, "import torch\nw = torch.ones(1)\nlr = 0.5\nloss = (w * 2).sum()\nloss.backward()"
    ) as kernel:
        error = events(kernel.run, "error")[0]
        backward = events(kernel.run, "backward")[0]
    assert error.line == 5
    assert {name: tensor.requires_grad for tensor in error.tensors for name in tensor.names} == {
        "w": False,
        "loss": False,
    }
    assert error.plain == {"lr": 0.5}
    assert backward.raised == "RuntimeError"


def test_sees_lists_that_keep_graphs(kernels: Kernels) -> None:
    keeping = HAND.replace("loss.backward()", "loss.backward(); losses.append(loss)").replace(
        "for step", "losses = []\nfor step"
    )
    end = events(run_of(kernels, keeping), "end")[0]
    assert [(held.name, held.tensors, held.tracked) for held in end.holders] == [("losses", 30, 30)]


def test_sees_graphs_that_are_kept(kernels: Kernels) -> None:
    keeping = HAND.replace("backward()", "backward(retain_graph=True)")
    assert {event.retain_graph for event in events(run_of(kernels, keeping), "backward")} == {True}
    assert {event.retain_graph for event in events(run_of(kernels, HAND), "backward")} == {False}


RIGHT = [label for label in read_labels(CORPUS) if label.right]


@pytest.mark.slow
@pytest.mark.parametrize("label", RIGHT, ids=lambda label: label.file)
def test_watching_changes_no_value(label: Label, kernels: Kernels) -> None:
    exercise = load_exercise(course_folder(None), label.exercise)
    handed_in = load(CORPUS / label.file)
    values = []
    for recorded in (True, False):
        session = kernels.open(Limits())
        try:
            run = kernels.do(session.run(handed_in, seed=0, values=exercise.names, record=recorded))
            values.append(run.values)
        finally:
            kernels.close(session)
    assert values[0] == values[1]
