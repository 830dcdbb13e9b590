"""An autograder for PyTorch gradient descent that says why a submission fails."""

__version__ = "0.1.0"
