"""Lets pytest say what was seen where an attack's own assertion fails."""

import pytest

pytest.register_assert_rewrite("tests.attacks.attack")
