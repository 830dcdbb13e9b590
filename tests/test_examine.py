"""`grader diagnose`: any notebook, without an exercise."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.examine import examine
from grader.kernel.pool import Kernels
from grader.load import load
from grader.settings import Settings
from tests.command import grader
from tests.strangers import NETWORKS

WRONG = """
import torch
heights = torch.linspace(-1, 1, 60)
weights = 3 * heights - 2
def fit(steps):
    slope = torch.zeros(1, requires_grad=True)
    offset = torch.zeros(1, requires_grad=True)
    for _ in range(steps):
        error = ((slope * heights + offset - weights) ** 2).mean()
        error.backward()
        slope = slope - 0.1 * slope.grad
        offset = offset - 0.1 * offset.grad
    return slope, offset
print(fit(50))
"""
RIGHT = WRONG.replace(
    "slope = slope - 0.1 * slope.grad", "slope.data -= 0.1 * slope.grad; slope.grad = None"
).replace("offset = offset - 0.1 * offset.grad", "offset.data -= 0.1 * offset.grad; offset.grad = None")


def test_names_a_mistake_in_a_stranger_s_words(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(WRONG)
    told = grader("diagnose", "a.py", "--format", "json", folder=tmp_path)
    report = json.loads(told.out)
    assert told.code == 1
    assert report["score"] is None
    finding = report["findings"][0]
    assert (finding["mistake"], finding["confidence"], finding["line"]) == ("leaf-rebound", "confirmed", 11)
    assert "slope" in finding["message"]


def test_finds_nothing_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(RIGHT)
    told = grader("diagnose", "a.py", folder=tmp_path)
    assert (told.code, told.err) == (0, "")
    assert "Mistakes found: 0" in told.out


def test_nothing_is_run_again_where_no_rerun_could_prove_anything(
    kernels: Kernels, write_notebook: Callable[..., Path]
) -> None:
    """Without points and without an error there is nothing that a mend could better: no minute is spent on trying."""
    report = examine(load(write_notebook(POINTS, UNZEROED)), Settings(), kernels)
    assert [finding.mistake for finding in report.findings] == ["gradients-not-zeroed"]
    assert (report.reruns, report.untried) == (0, 0)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    told = grader("diagnose", "none.py", folder=tmp_path)
    assert told.code == 2
    assert "none.py" in told.err


POINTS = "import torch\nx = torch.linspace(0, 1, 50)\ny = 3 * x + 1 + 0.1 * torch.randn(50)"
LOOP = """
w = torch.zeros(1, requires_grad=True)
for i in range(60):
    loss = ((w * x - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.2 * w.grad
    w.grad = None
"""
UNZEROED = LOOP.replace("    w.grad = None\n", "")
REBOUND = "try:" + LOOP.replace("with torch.no_grad():\n        w -= ", "w = w - ").replace(
    "\n", "\n    "
) + "\nexcept TypeError as error:\n    print('错误:', error)"  # fmt: skip
THREE = """
import torch
w1 = torch.tensor([1.0], requires_grad=True)
w2 = torch.tensor([1.0], requires_grad=True)
for epoch in range(100):
    for x, y in zip([1.0, 2.0, 3.0], [2.0, 4.0, 6.0]):
        l = (w1 * x ** 2 + w2 * x - y) ** 2
        l.backward()
        w1.data = w1.data - 0.01 * w1.grad.data
        w2.data = w2.data - 0.01 * w2.grad.data
        w1.grad.data.zero_()
        w1.grad.data.zero_()
"""
CRITIC = """
import torch
critic = torch.nn.Linear(4, 1)
optimizer = torch.optim.Adam(critic.parameters())
for i in range(40):
    real, fake = torch.randn(16, 4) + 1, torch.randn(16, 4)
    loss = critic(fake).mean() - critic(real).mean() + critic.weight.square().sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
EXCITED = """
import torch
net = torch.nn.Sequential(torch.nn.Linear(6, 12), torch.nn.Tanh(), torch.nn.Linear(12, 1)).requires_grad_(False)
image = torch.zeros(1, 6, requires_grad=True)
for i in range(40):
    score = net(image).sum()
    score.backward()
    with torch.no_grad():
        image += 0.1 * image.grad
    image.grad.zero_()
"""
FOOLED = """
import torch
net, image, label = torch.nn.Linear(6, 3), torch.randn(1, 6), torch.tensor([1])
for i in range(20):
    image.requires_grad_(True)
    loss = torch.nn.functional.cross_entropy(net(image), label)
    grad, = torch.autograd.grad(loss, image)
    image = image.detach() + 0.01 * grad.sign()
"""
FOLLOWED = """
import torch
online, target = torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)
optimizer = torch.optim.SGD(online.parameters(), lr=0.05)
points = torch.randn(32, 4)
for i in range(30):
    loss = (online(points) - target(points).detach()).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for own, other in zip(target.parameters(), online.parameters()):
            own.copy_(0.9 * own + 0.1 * other)
"""
BURSTS = LOOP.replace("0.2", "20")
SWEEP = "for rate in (0.02, 20):" + LOOP.replace("0.2", "rate").replace("\n", "\n    ")
TWICE = (
    "def fit(rate):"
    + LOOP.replace("0.2", "rate").replace("\n", "\n    ")
    + "\n    return w\nfit(0.2)\nfit(20)"
)
STEEP = LOOP.replace("0.2 * w", "0.3 * w").replace(".mean()", ".sum() / 20")
STRANGERS = {
    "ends in nan": ([POINTS, BURSTS.replace("60", "200")], ["learning-rate-too-large"]),
    "ends in nan, as a comment says": ([POINTS, "# lr 太大会发散" + BURSTS.replace("60", "200")], []),
    "ends in nan, as names say": ([POINTS, BURSTS.replace("60", "200").replace("loss", "exploding")], []),
    "looks for nan": ([POINTS, BURSTS.replace("60", "200") + "print(torch.isnan(w))"], []),
    "tries several rates": ([POINTS, SWEEP.replace("60", "200")], []),
    "calls its training twice": ([POINTS, TWICE.replace("60", "200")], []),
    "has trained before": ([POINTS, LOOP, BURSTS.replace("60", "200")], []),
    "overshoots and gets there": ([POINTS, STEEP], []),
    "ends in nan by a division": ([POINTS, LOOP.replace("60", "1").replace("(w * x - y) ** 2", "(w * x - y) ** 2 / 0")], []),
    "draws other points at each step": ([CRITIC], []),
    "climbs to what excites a unit": ([EXCITED], []),
    "changes an input to raise a loss": ([FOOLED], []),
    "has a network follow another": ([FOLLOWED], []),
    "diverges to make a point": ([POINTS, LOOP.replace("0.2", "20"), LOOP], []),
    "shows what is wrong, then what is right": ([POINTS, UNZEROED, REBOUND, LOOP], []),
    "shows how gradients add up": (
        ["import torch\na = torch.tensor(2.0, requires_grad=True)", "for _ in range(3):\n    (a ** 2).backward()\n    print(a.grad)"],
        [],
    ),
    "was not run from top to bottom": ([LOOP, POINTS, "plt.plot(losses)"], []),
    "needs what is not here": (["from d2l import torch as d2l", "d2l.synthetic_data(2, 4.2, 100)"], []),
    "data that is a leaf": ([POINTS, "x.requires_grad_()", LOOP], []),
    "ends with gradients kept": ([POINTS, LOOP, UNZEROED], ["gradients-not-zeroed"]),
    "clears one of two": ([THREE], ["some-gradients-not-zeroed"]),
}  # fmt: skip


ALL = STRANGERS | NETWORKS


@pytest.mark.parametrize("name", ALL)
def test_a_stranger_s_notebook(name: str, kernels: Kernels, write_notebook: Callable[..., Path]) -> None:
    cells, mistakes = ALL[name]
    report = examine(load(write_notebook(*cells)), Settings(), kernels)
    assert [finding.mistake for finding in report.findings] == mistakes
