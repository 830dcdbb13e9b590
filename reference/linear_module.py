"""The same line once more, with what torch.nn and torch.optim bring along."""

import torch
from torch import Tensor, nn

LEARNING_RATE = 0.1
EPOCHS = 40

x_data = torch.tensor([[1.0], [2.0], [3.0]])
y_data = torch.tensor([[2.0], [4.0], [6.0]])


class LinearModel(nn.Module):
    """ŷ = weight·x + bias for x of shape (n, 1)."""

    def __init__(self) -> None:
        """Weight and bias start at random, as nn.Linear draws them."""
        super().__init__()
        self.linear = nn.Linear(1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The predictions, of shape (n, 1)."""
        return self.linear(x)


model = LinearModel()
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)

for epoch in range(EPOCHS):
    loss = criterion(model(x_data), y_data)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
