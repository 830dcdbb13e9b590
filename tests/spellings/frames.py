"""Right submissions with a gap, `...`, for what a learner writes after `backward()`."""

LINE = """
import torch

torch.manual_seed(7)
x = torch.arange(0, 1, 0.01)
y = 10 * x + 4 + torch.randn(100)
w = torch.randn(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
lr = 1e-2
for epoch in range(3001):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    ...
"""

# The same with other names, Chinese comments, a list of parameters.
LIST = """
import numpy as np
import torch
# %% 生成数据
X = torch.linspace(0, 0.99, 100)
x = X
y = 10 * X + 4 + torch.tensor(np.random.RandomState(3).normal(size=100), dtype=torch.float32)
# %% 初始化参数
params = [torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)]
learning_rate = 0.05
# %% 训练
for step in range(1500):
    y_pred = params[0] * X + params[1]
    l = torch.mean((y_pred - y) ** 2)
    l.backward()  # 反向传播
    ...
# %% 结果
w, b = params
print(w.item(), b.item())
"""

NAMED = LIST.replace("params = [", "params = {'w': ").replace(
    ", torch.zeros(1, requires_grad=True)]", ", 'b': torch.zeros(1, requires_grad=True)}"
).replace("params[0]", "params['w']").replace("params[1]", "params['b']").replace(
    "w, b = params\n", "w, b = params['w'], params['b']\n"
)  # fmt: skip

THETA = """
import torch
x = torch.arange(100) / 100
y = 10 * x + 4 + torch.randn(100)
A = torch.stack([x, torch.ones(100)], dim=1)
theta = torch.zeros(2, requires_grad=True)
alpha = 0.05
t = 0
while t < 1500:
    J = (A @ theta - y).pow(2).mean()
    J.backward()
    ...
    t += 1
w, b = theta[0], theta[1]
"""

OPTIMIZER = """
import torch
import torch.nn.functional as F

x = torch.linspace(0, 1, 100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([w, b], lr=0.05)
for i in range(2000):
    loss = F.mse_loss(w * x + b, y)
    loss.backward()
    ...
"""

FUNCTION = """
import torch

def make_data(n=100):
    x = torch.arange(n) / n
    return x, 10 * x + 4 + torch.randn(n)

def train(x, y, epochs=2000, lr=0.05):
    w = torch.zeros(1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    for epoch in range(epochs):
        y_hat = w * x + b
        loss = ((y_hat - y) ** 2).mean()
        loss.backward()
        ...
    return w, b

x, y = make_data()
w, b = train(x, y)
"""

SAMPLE = """
import torch

x_data = [1.0, 2.0, 3.0]
y_data = [2.0, 4.0, 6.0]
w = torch.tensor([1.0], requires_grad=True)

def forward(x):
    return x * w

def loss(x, y):
    y_pred = forward(x)
    return (y_pred - y) ** 2

print('predict (before training)', 4, forward(4).item())
for epoch in range(100):
    for x, y in zip(x_data, y_data):
        l = loss(x, y)
        l.backward()
        ...
print('predict (after training)', 4, forward(4).item())
"""

QUADRATIC = SAMPLE.replace(
    "w = torch.tensor([1.0], requires_grad=True)",
    "\n".join(f"{name} = torch.tensor([1.0], requires_grad=True)" for name in ("w", "w2", "b")),
).replace("x * w", "w * x ** 2 + w2 * x + b")

PARABOLA = """
import torch

def descend_by_hand(x0, lr, steps):
    x, xs = x0, []
    for _ in range(steps):
        x = x - lr * (2 * x + 2)
        xs.append(x)
    return xs

def descend_with_autograd(x0, lr, steps):
    x = torch.tensor(float(x0), requires_grad=True)
    xs = []
    for _ in range(steps):
        y = x ** 2 + 2 * x + 1
        y.backward()
        ...
        xs.append(float(x))
    return xs

print(descend_by_hand(0, 0.1, 10))
print(descend_with_autograd(0, 0.1, 10))
"""

MANUAL = """
import torch

X = torch.tensor([[0., 1.], [2., 3.], [4., 5.]])
w = torch.zeros(2, 1, requires_grad=True)
b = torch.tensor([4.2], requires_grad=True)
target = torch.tensor([[0.], [1.], [2.]])
loss = (0.5 * (target - (X @ w + b)) ** 2).sum()
loss.backward()

def manual_gradient(X, w, b, target):
    r = X @ w + b - target
    return X.T @ r, r.sum()

def descend(x0, lr, steps):
    x = torch.tensor(float(x0), requires_grad=True)
    path = []
    for i in range(steps):
        f = (x - 2) ** 2 / 2 + 2
        f.backward()
        ...
        path.append(x.item())
    return path

print(w.grad, b.grad)
print(descend(5, 0.1, 10))
"""

TEMPERATURE = """
import torch

t_c = torch.tensor([0.5, 14.0, 15.0, 28.0, 11.0, 8.0, 3.0, -4.0, 6.0, 13.0, 21.0])
t_u = torch.tensor([35.7, 55.9, 58.2, 81.9, 56.3, 48.9, 33.9, 21.8, 48.4, 60.4, 68.4])
t_un = 0.1 * t_u

def model(t_u, w, b):
    return w * t_u + b

def loss_fn(t_p, t_c):
    squared_diffs = (t_p - t_c) ** 2
    return squared_diffs.mean()

def training_loop(n_epochs, learning_rate, params, t_u, t_c):
    for epoch in range(1, n_epochs + 1):
        t_p = model(t_u, *params)
        loss = loss_fn(t_p, t_c)
        loss.backward()
        ...
    return params

params = training_loop(5000, 1e-2, torch.tensor([1.0, 0.0], requires_grad=True), t_un, t_c)
print(params)
"""

MODULE = """
import torch
from torch import nn

x_data = torch.tensor([[1.0], [2.0], [3.0]])
y_data = torch.tensor([[2.0], [4.0], [6.0]])

class LinearModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(1, 1)

    def forward(self, x):
        return self.linear(x)

torch.manual_seed(1)
model = LinearModel()
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(60):
    y_pred = model(x_data)
    loss = criterion(y_pred, y_data)
    loss.backward()
    ...
"""
