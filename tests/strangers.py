"""Strangers' code that trains in classes, in batches and in rounds of its own, and what is to be found in it."""

DATA = """
import torch
torch.manual_seed(3)
inputs = torch.randn(120, 3)
answers = (inputs @ torch.tensor([1.0, -2.0, 0.5]) + 0.2 > 0).float().unsqueeze(1)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(inputs, answers), batch_size=30)
"""
# One step inwards for each task, and one outwards for what these have learnt.
LEARNS_TO_LEARN = """
import torch
weights = [torch.randn(1, 8, requires_grad=True), torch.zeros(1, 8).requires_grad_()]
outer = torch.optim.Adam(weights, lr=0.01)
for round_ in range(30):
    total = 0
    for task in range(3):
        x = torch.rand(10, 1)
        y = (task + 1) * x
        near = (((x @ weights[0]).tanh() @ weights[1].T - y) ** 2).mean()
        slopes = torch.autograd.grad(near, weights, create_graph=True)
        quick = [one - 0.1 * slope for one, slope in zip(weights, slopes)]
        total = total + (((x @ quick[0]).tanh() @ quick[1].T - y) ** 2).mean()
    outer.zero_grad()
    total.backward()
    outer.step()
"""
STEPPED_IN_TURN = """
import torch
x = torch.rand(40, 1)
weights = [torch.zeros(1, 1, requires_grad=True), torch.zeros(1, requires_grad=True)]
for k in range(40):
    loss = ((x @ weights[0] + weights[1] - 3 * x) ** 2).mean()
    loss.backward()
    stepped = [one - 0.1 * one.grad for one in weights]
    weights = stepped
"""
MODEL = "net = torch.nn.Sequential(torch.nn.Linear(3, {}), torch.nn.ReLU(), torch.nn.Linear({}, 1))"
OPTIMIZER = "optimizer = torch.optim.SGD(net.parameters(), lr=0.1)"
FITTED = """
for epoch in range(15):
    optimizer.zero_grad()
    loss = torch.nn.functional.binary_cross_entropy_with_logits(net(inputs), answers)
    loss.backward()
    optimizer.step()
"""
IN_BATCHES = """
net = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(10):
    for x, y in loader:
        {clear}
        torch.nn.functional.binary_cross_entropy_with_logits(net(x), y).backward()
        {keep}
    {use}
    optimizer.step()
"""
COUNTED = """
net = torch.nn.Linear(3, 1)
tensors = {tensors}
print(sum(one.numel() for one in tensors))
for epoch in range(15):
    net.zero_grad()
    torch.nn.functional.binary_cross_entropy_with_logits(net(inputs), answers).backward()
    for one in tensors:
        one.data -= 0.1 * one.grad
"""
OWN_LIST = """
class Line:
    def __init__(self):
        self.slope, self.height = torch.zeros(3, 1, requires_grad=True), torch.zeros(1, requires_grad=True)
    def parameters(self):
        return [self.slope, self.height]
line = Line()
tensors = line.parameters()
for epoch in range(15):
    torch.nn.functional.binary_cross_entropy_with_logits(inputs @ line.slope + line.height, answers).backward()
    for one in tensors:
        one.data -= 0.1 * one.grad
        one.grad = None
"""
ANEW = """
class Classifier:
    def fit(self, x, y):
        for {counted} in range(6):
            self.slope = torch.zeros(x.shape[1], 1, requires_grad=True)
            for start in range(0, len(x), 30):
                part = slice(start, start + 30)
                error = torch.nn.functional.binary_cross_entropy_with_logits(x[part] @ self.slope, y[part])
                error.backward()
                self.slope.data -= 0.5 * self.slope.grad
                self.slope.grad.zero_()
        return self
Classifier().fit(inputs, answers)
"""
SUMS = {
    "clear": "optimizer.zero_grad()",
    "keep": "sums = [s + p.grad / 4 for s, p in zip(sums, net.parameters())] if x is not None else []",
    "use": "for p, s in zip(net.parameters(), sums): p.grad = s",
}
NETWORKS = {
    "learns to learn": ([LEARNS_TO_LEARN], []),
    "gives its list to what was stepped": ([STEPPED_IN_TURN], ["leaf-rebound"]),
    "makes its model again for a larger one": (
        [DATA, MODEL.format(4, 4), OPTIMIZER, MODEL.format(16, 16), FITTED],
        ["optimizer-stale-parameters"],
    ),
    "tries two models": (
        [DATA, MODEL.format(4, 4), OPTIMIZER, FITTED, MODEL.format(16, 16), OPTIMIZER, FITTED],
        [],
    ),
    "steps once for all batches": (
        [DATA, IN_BATCHES.format(clear="optimizer.zero_grad()", keep="pass", use="pass")],
        ["update-outside-loop"],
    ),
    "adds the gradients of all batches up": (
        [DATA, IN_BATCHES.format(clear="pass", keep="pass", use="pass") + "    optimizer.zero_grad()"],
        [],
    ),
    "averages the gradients of its batches": (
        [DATA, "sums = [0.0, 0.0]" + IN_BATCHES.format(**SUMS)],
        [],
    ),
    "counts its parameters before": (
        [DATA, COUNTED.format(tensors="net.parameters()")],
        ["optimizer-parameters-exhausted"],
    ),
    "counts a list of its parameters before": ([DATA, COUNTED.format(tensors="list(net.parameters())")], []),
    "has a list of its own": ([DATA, OWN_LIST], []),
    "begins each epoch anew": ([DATA, ANEW.format(counted="epoch")], ["parameter-reinitialised"]),
    "begins anew to compare": ([DATA, ANEW.format(counted="attempt")], []),
}
