"""What `grader.probe.bindings` tells its hooks, and that it changes nothing else about a program."""

import ast
import builtins
import textwrap
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.probe.bindings import BETWEEN, BOUND, Bindings, install_hooks
from tests.made_programs import made_programs
from tests.programs import PROGRAMS

Namespace = dict[str, Any]
Hook = Callable[[object, str], object]
FILE = "<cell 1>"


def transformed(
    source: str, names: frozenset[str] | None = None, returned: frozenset[str] = frozenset()
) -> ast.Module:
    """Parse and transform."""
    return Bindings(names, returned).visit_Module(ast.parse(textwrap.dedent(source)))


def execute(
    tree: ast.Module, hook: Hook, between: Callable[[], None] = lambda: None
) -> tuple[Namespace, list[Any]]:
    """Run a program; return its namespace, and the error it ended with as (type, message, lines)."""
    namespace: Namespace = {"__name__": "__main__", BOUND: hook, BETWEEN: between}
    try:
        exec(compile(tree, FILE, "exec"), namespace)
    except Exception as error:  # noqa: BLE001 - compared with the one of the untransformed program
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == FILE
        ]
        return namespace, [type(error).__name__, str(error), lines]
    return namespace, []


def told(
    source: str, names: frozenset[str] | None = None, returned: frozenset[str] = frozenset()
) -> list[Any]:
    """List the (name, value) pairs of which the hook is told, lists as they are at that moment."""
    seen: list[Any] = []

    def hook(value: object, name: str) -> object:
        seen.append((name, list(value) if isinstance(value, list) else value))
        return value

    _, error = execute(transformed(source, names, returned), hook)
    assert error == []
    return seen


def values(namespace: Namespace) -> dict[str, str]:
    """Write out the plain values of a namespace; functions and the like have addresses in their text."""
    return {
        name: repr(value)
        for name, value in namespace.items()
        if " at 0x" not in repr(value) and name[:2] != "__"
    }


# ---- what is told -------------------------------------------------------------------------------

TOLD = {
    "y = 1": [("y", 1)],
    "y = z = 1": [("y", 1), ("z", 1)],
    "y: int = 1": [("y", 1)],
    "y: int": [],
    "y = 1\ny += 2": [("y", 1), ("y", 3)],
    "x, (y, *z) = 1, (2, 3)": [("x", 1), ("y", 2), ("z", [3])],
    "[x, y] = 1, 2": [("x", 1), ("y", 2)],
    "print(end='', *[(y := 1)])": [("y", 1)],
    "if (y := 1):\n    z = y": [("y", 1), ("z", 1)],
    "while (y := 0):\n    pass": [("y", 0)],
    "z = [y := k for k in (1, 2)]": [("y", 1), ("y", 2), ("z", [1, 2])],
    "for x, y in [(1, 2), (3, 4)]:\n    pass": [("x", 1), ("y", 2), ("x", 3), ("y", 4)],
    "from contextlib import nullcontext\nwith nullcontext(1) as x, nullcontext((2,)) as (y,):\n    pass": [
        ("x", 1),
        ("y", 2),
    ],
    "def f(a, /, b, *c, d=4, **e): pass\nf(1, 2, 3)": [("a", 1), ("b", 2), ("d", 4)],
    "def f():\n    y = 1\nf()": [("y", 1)],
    "class C:\n    y = 1": [("y", 1)],
    "class C: pass\nC.y = 1": [("y", 1)],
    "y = [1, 2]\ny[0] = 3": [("y", [1, 2]), ("y", [3, 2])],
    "try:\n    x = 1 / 0\nexcept ZeroDivisionError as e:\n    y = 1\nelse:\n    z = 1\nfinally:\n    v = 2": [
        ("y", 1),
        ("v", 2),
    ],
    "match (1, 2):\n    case (x, 2) if (y := x):\n        z = 3\n    case _:\n        z = 4": [
        ("y", 1),
        ("z", 3),
    ],
    "f = None\nasync def g():\n    y = 1\n    return y\nimport asyncio\nasyncio.run(g())": [
        ("f", None),
        ("y", 1),
    ],
    "x = 1\ndel x": [("x", 1)],
    "z = [y for y in (1, 2)]": [("z", [1, 2])],
}


@pytest.mark.parametrize("source", TOLD)
def test_tells_of_each_binding_once(source: str) -> None:
    assert told(source) == TOLD[source]


FILLED = {
    "y = []\nfor k in (1, 2):\n    y.append(k)": [("y", []), ("k", 1), ("k", 2), ("y", [1, 2])],
    "y = [0, 0]\nwhile 0 in y:\n    y[y.index(0)] = 1": [("y", [0, 0]), ("y", [1, 1])],
    "y = [0]\nfor k in (1, 2):\n    for j in (1,):\n        y[0] = k": [
        *(("y", [0]), ("k", 1), ("j", 1), ("k", 2), ("j", 1)),
        ("y", [2]),
    ],
    "for k in (1, 2):\n    y = []\n    for j in (3, 4):\n        y.append(k * j)": [
        *(("k", 1), ("y", []), ("j", 3), ("j", 4), ("y", [3, 4])),
        *(("k", 2), ("y", []), ("j", 3), ("j", 4), ("y", [6, 8])),
    ],
    "for k in (1, 2):\n    y = [0]\n    y[0] = k": [
        *(("k", 1), ("y", [0]), ("y", [1])),
        *(("k", 2), ("y", [0]), ("y", [2])),
    ],
    "y = []\ndef f():\n    for k in (1, 2):\n        y.append(k)\nf()": [
        ("y", []),
        ("k", 1),
        ("k", 2),
        ("y", [1, 2]),
    ],
    "for k in ():\n    y[0] = 1": [],
    "def f():\n    y = []\n    [y.append(k) for k in (1, 2)]\nf()": [("y", []), ("y", [1, 2])],
    "def f():\n    for k in (1,):\n        y = []\n        y.extend('ab')\nf()": [
        ("k", 1),
        ("y", []),
        ("y", ["a", "b"]),
    ],
    "y = []\nfor k in (1,):\n    def f():\n        y.append(1)": [("y", []), ("k", 1)],
}


@pytest.mark.parametrize("source", FILLED)
def test_tells_of_what_a_loop_fills_when_it_is_full(source: str) -> None:
    assert told(source) == FILLED[source]


def test_tells_only_of_the_names_asked_for() -> None:
    source = """
        x, y = [], 0
        for k in (1, 2):
            x.append(k)
            z = x[0] = k
            y += k
        class C: pass
        C.y = 3
    """
    assert told(source, frozenset({"x", "y"})) == [("x", []), ("y", 0), ("y", 1), ("y", 3), ("x", [2, 2])]


RETURNED = """
    def train(n):
        if n:
            def train_part():
                return "inner"
            async def later():
                return "later"
            class Part:
                def part(self):
                    return "part"
            import asyncio
            return (train_part(), asyncio.run(later()), Part().part(), (lambda: "lambda")())
        return
    def other():
        return "other"
    train(1), train(0), other()
"""


def test_tells_what_the_named_function_returns_and_no_other() -> None:
    assert told(RETURNED, frozenset(), frozenset({"train"})) == [
        ("train()", ("inner", "later", "part", "lambda"))
    ]


def test_a_returned_value_can_be_replaced() -> None:
    tree = transformed("def f(): return 1\ny = f()", frozenset(), frozenset({"f"}))
    namespace, _ = execute(tree, lambda value, name: (value, name))
    assert namespace["y"] == (1, "f()")


# Programs that bind 1 to y, with a hook that makes a tuple of it.
REPLACED = [
    "y = 1",
    "y = z = 1",
    "y: int = 1",
    "y = 0\ny += 1",
    "y, z = 1, 2",
    "z, *y = 2, 1\ny, = y",
    "(y := 1)",
    "for y in [1]: pass",
    "from contextlib import nullcontext\nwith nullcontext(1) as y: pass",
    "def f(a): return a\ny = f(1)",
    "class C: y = 1\ny = C.y",
    "class C: pass\nC.n = 1\ny = C.n",
    "def f():\n    global y\n    y = 1\nf()",
    "def f():\n    a = 0\n    def g():\n        nonlocal a\n        a = 1\n    g()\n    return a\ny = f()",
]


@pytest.mark.parametrize("source", REPLACED)
def test_what_the_hook_returns_is_bound(source: str) -> None:
    namespace, error = execute(transformed(source), lambda value, _: ("new",) if value == 1 else value)
    assert error == []
    assert namespace["y"] == ("new",)


@pytest.mark.parametrize("source", ["1", "x = 1\nx", "x = 1\ny = 2\n(z := x)", "def f(): pass", "\n# text\n"])
def test_is_called_between_statements(source: str) -> None:
    calls: list[None] = []
    execute(transformed(source), lambda value, _: value, lambda: calls.append(None))
    assert len(calls) == max(len(ast.parse(source).body) - 1, 0)


# ---- what stays ---------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [None, frozenset({"y"})])
@pytest.mark.parametrize("title", PROGRAMS)
def test_a_program_ends_as_it_would(title: str, names: frozenset[str] | None) -> None:
    plain = execute(ast.parse(PROGRAMS[title]), lambda value, _: value)
    other = execute(transformed(PROGRAMS[title], names), lambda value, _: value)
    assert values(other[0]) == values(plain[0])
    assert other[1] == plain[1]


@settings(max_examples=80, deadline=None, derandomize=True)
@given(made_programs(), st.sampled_from([None, frozenset({"a"})]))
def test_any_program_ends_as_it_would(source: str, names: frozenset[str] | None) -> None:
    plain = execute(ast.parse(source), lambda value, _: value)
    other = execute(transformed(source, names), lambda value, _: value)
    assert values(other[0]) == values(plain[0])
    assert other[1] == plain[1]


def test_docstrings_stay() -> None:
    source = '''
        def f(x):
            """Of f."""
            return x
        class C:
            """Of C."""
            y = 1
            async def g(self, x):
                """Of g."""
        docs = f.__doc__, C.__doc__, C.g.__doc__
        value = f(2)
    '''
    namespace, _ = execute(transformed(source), lambda value, _: value)
    assert namespace["docs"] == ("Of f.", "Of C.", "Of g.")
    assert namespace["value"] == 2


@pytest.mark.parametrize("source", ["y = 1\ny", "(y := 1)", "print(y := 1)", "def f(x): pass\nf(1)"])
def test_the_last_expression_stays_last(source: str) -> None:
    """IPython shows the value of a cell that ends in an expression."""
    last = transformed(source).body[-1]
    assert isinstance(last, ast.Expr)
    assert last.lineno == len(source.splitlines())


@pytest.mark.parametrize(
    "source", ["y[0] = 1", "y += 1", "y.z += 1", "y.z, x = 1, 2", "for k in x: y.append(k)"]
)
def test_no_expression_becomes_the_last(source: str) -> None:
    assert not isinstance(transformed(source).body[-1], ast.Expr)


def test_every_inserted_node_stands_on_a_line_of_the_learner() -> None:
    for source in PROGRAMS.values():
        lines = {node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)}
        assert {node.lineno for node in ast.walk(transformed(source)) if isinstance(node, ast.stmt)} == lines


def test_the_hooks_are_in_reach_of_every_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtins, BOUND, None, raising=False)
    monkeypatch.setattr(builtins, BETWEEN, None, raising=False)
    calls: list[str] = []
    install_hooks(lambda value, name: calls.append(name), lambda: calls.append("between"))
    scope: Namespace = {}
    exec(compile(transformed("x = 1\nclass C:\n    def f(self, y): pass\nC().f(1)"), FILE, "exec"), scope)
    assert calls == ["x", "between", "between", "self", "y"]
