"""Small programs, each around one thing that Python binds names with, and programs made up at random."""

from hypothesis import strategies as st

PROGRAMS = {
    "global": "def f():\n    global y\n    y = 1\n    y += 1\nf()",
    "nonlocal": "def f():\n    y = 1\n    def g():\n        nonlocal y\n        y += 1\n    g()\n    return y\nz = f()",
    "a list of the module filled in a function": "y = []\ndef f():\n    for k in range(3):\n        y.append(k)\nf()",
    "a cell filled in a function": "def f():\n    y = [0]\n    def g():\n        y[0] = 2\n    g()\n    return y\nz = f()",
    "a loop without a round": "for y in []:\n    z[y] = 1\nwhile False:\n    v.append(1)",
    "for, else, break": "for y in range(5):\n    if y == 3:\n        break\nelse:\n    z = 1\nfor k in []: pass\nelse: v = 1",
    "class": "class C:\n    y = 1\n    z = y + 1\n    def f(self, y=y):\n        self.y = y\n        return self\nz = C().f().y",
    "private names": "class C:\n    __y = 1\n    def f(self, __z):\n        self.__y = __z\n        return self.__y\nz = C().f(2)",
    "super": "class A:\n    def f(self): return 1\nclass B(A):\n    def f(self):\n        y = super().f()\n        return y\nz = B().f()",
    "enum": "from enum import Enum, auto\nclass C(Enum):\n    y = auto()\n    z = 2\nv = [C.y.value, C.z.value, len(C)]",
    "dataclass": "from dataclasses import dataclass, field\n@dataclass\nclass D:\n    x: int\n    y: list = field(default_factory=list)\nz = D(1)",
    "slots": "class C:\n    __slots__ = ('y',)\n    def __init__(self): self.y = 1\nz = C().y",
    "an attribute that cannot be read": "class C:\n    def _set(self, value): C.z = value\n    y = property(None, _set)\nC().y = 1\nz = C.z",
    "an attribute that is read": "class C:\n    n = 0\n    @property\n    def y(self):\n        C.n += 1\n    @y.setter\n    def y(self, value): pass\nC().y = 1\nz = C.n",
    "metaclass": "class M(type):\n    def __new__(m, name, bases, space):\n        return super().__new__(m, name, bases, space)\nclass C(metaclass=M):\n    y = 1\nz = C.y",
    "async": "import asyncio\nasync def f(y):\n    z = await asyncio.sleep(0, y)\n    return z\nv = asyncio.run(f(1))",
    "async for and with": """
import asyncio
class C:
    async def __aenter__(self): return 1
    async def __aexit__(self, *_): return False
async def numbers():
    for k in range(3):
        y = yield k
async def f():
    z = [k async for k in numbers()]
    async for y in numbers():
        z.append(y)
    async with C() as v:
        z[0] = v
    return z
z = asyncio.run(f())
""",
    "match": """
def f(value):
    match value:
        case {"y": y, **rest}:
            z = y, rest
        case [y, *rest] if (n := len(rest)) > 1:
            z = y, n
        case int() as y:
            z = y
        case _:
            z = None
    return z
z = [f({"y": 1, "x": 2}), f([1, 2, 3]), f([1]), f(4)]
""",
    "try": """
z = []
def f(bad):
    try:
        y = 1 / bad
    except ZeroDivisionError as error:
        y = str(error)
        return y
    else:
        y = "fine"
    finally:
        z.append(y)
    return y
v = f(0), f(1)
""",
    "exception group": "try:\n    raise ExceptionGroup('g', [ValueError(1)])\nexcept* ValueError as y:\n    z = len(y.exceptions)",
    "with": "from contextlib import contextmanager\n@contextmanager\ndef c():\n    y = [1]\n    yield y\n    y[0] = 2\nwith c() as y, c() as (z,):\n    v = list(y)",
    "decorator": "def d(f):\n    def g(*a, **k):\n        y = f(*a, **k)\n        return y + 1\n    return g\n@d\ndef f(y, *, z=1): return y + z\nv = f(1), f(1, z=4)",
    "lambda": "f = lambda y, z=(v := 2): y * z\ny = f(3)",
    "comprehension": "x = [y for y in range(3)]\nz = {k: v for k, v in zip(x, x)}\nv = {n := k for k in x}\ng = sum(y * y for y in x)",
    "walrus": "x = [1, 2]\nwhile (y := x.pop()) > 1:\n    z = y\nv = (n := 2) + (m := n)",
    "del": "y = 1\ndel y\nx = [1, 2]\ndel x[0]\ntry:\n    y\nexcept NameError:\n    z = 1",
    "a deleted list": "for k in range(2):\n    y = []\n    y.append(k)\n    del y\nfor k in range(2):\n    v = [k]\nfor k in v:\n    v.append(3)\n    del v\n    break",
    "generator": "def g():\n    y = 0\n    while y is not None:\n        y = yield y\nh = g()\nz = [next(h), h.send(3)]\nv = list(k for k in range(2))",
    "yield from": "def g():\n    y = yield from (1, 2)\n    return y\ndef h():\n    z = yield from g()\nv = list(h())",
    "starred": "x, *y = 1, 2, 3\n[*z, v] = y\nn = *x_, 1 if (x_ := y) else 2,\nm = *y, 4",
    "swap": "x, y = 1, 2\nx, y = y, x\nz = [1, 2]\nz[0], z[1] = z[1], z[0]",
    "chained": "x = y = z = [1]\nx[0] = v = 2\nn = x is y is z",
    "annotated": "x: int\ny: int = 1\nz: list[int] = [1]\nz[0]: int = 2\nclass C:\n    y: int = 3\nC.y: int = 4\nv = C.y, list(C.__annotations__)",
    "augmented": "y = [1]\nz = y\ny += [2]\ny[0] += 1\nclass C: n = 1\nC.n -= 3\nv = C.n",
    "defaults": "y = [1]\ndef f(a, /, x=y, *, z=len(y)):\n    x.append(a + z)\n    return x\nv = f(1), f(2)",
    "recursion": "def f(y):\n    if y < 2:\n        return y\n    z = f(y - 1)\n    return z + f(y - 2)\nv = f(10)",
    "names of the hook's errors": "NameError = 1\nfor k in range(2):\n    y = []\n    y.append(k)\nz = []\nfor k in range(2):\n    z.append(k)",
    "locals": "def f(x):\n    y = 1\n    return sorted(locals())\nz = f(0)",
    "an error in a function": "def f(x):\n    y = x\n    z = (\n        y\n        / 0\n    )\n    return z\nv = 1\nf(v)",
    "an error in a loop": "y = []\nfor k in range(3):\n    y.append(k)\n    y[k + 1] = k\nz = 1",
    "an error in a target": "y = [1]\ny[3], z = 1, 2",
    "an error in an argument": "def f(x):\n    '''Text.'''\n    y = int(\n        'a')\nf(1)",
    "an error of a name": "y = 1\nz = y + missing",
    "an unbound local": "y = 1\ndef f():\n    print(y)\n    y = 2\nf()",
    "a wrong number of values": "x, y = 1, 2\nz = 3\nx, y = 1, 2, 3",
}

NAMES = st.sampled_from(["a", "b", "c"])
NUMBERS = st.integers(0, 3).map(str)
EXPRESSIONS = st.recursive(
    NAMES | NUMBERS | st.just("[1, 2]"),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "*", "//"]), inner).map(lambda parts: "({} {} {})".format(*parts)),
        st.tuples(NAMES, inner).map(lambda parts: "({} := {})".format(*parts)),
        inner.map("[{}, 1]".format),
        inner.map("f({})".format),
    ),
    max_leaves=4,
)
TARGETS = st.one_of(NAMES, NAMES.map("{}[0]".format), st.tuples(NAMES, NAMES).map("{0[0]}, *{0[1]}".format))
SIMPLE = st.one_of(
    st.tuples(TARGETS, EXPRESSIONS).map("{0[0]} = {0[1]}".format),
    st.tuples(NAMES, EXPRESSIONS).map("{0[0]} += {0[1]}".format),
    st.tuples(NAMES, EXPRESSIONS).map("{0[0]} = b = {0[1]}".format),
    st.tuples(NAMES, EXPRESSIONS).map("{0[0]}.append({0[1]})".format),
    EXPRESSIONS,
    NAMES.map("del {}".format),
).map(lambda line: [line])


def _indented(block: list[str]) -> list[str]:
    return ["    " + line for line in block]


def _compound(blocks: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    """Statements that hold other statements."""
    sequence = st.lists(blocks, min_size=1, max_size=3).map(lambda many: [line for block in many for line in block])
    two = st.tuples(sequence, sequence, NAMES, EXPRESSIONS)
    return st.one_of(
        two.map(lambda p: [f"if {p[3]}:", *_indented(p[0]), "else:", *_indented(p[1])]),
        two.map(lambda p: [f"for {p[2]} in (1, 2):", *_indented(p[0]), "else:", *_indented(p[1])]),
        two.map(lambda p: ["try:", *_indented(p[0]), "except TypeError:", *_indented(p[1])]),
        two.map(lambda p: [f"def f({p[2]}):", *_indented(p[0]), f"    return {p[3]}", *p[1]]),
        two.map(lambda p: [f"class C_{p[2]}:", *_indented(p[0]), *p[1]]),
    )


def random_programs() -> st.SearchStrategy[str]:
    """Programs of any of these statements; most end with an error somewhere in their middle."""
    blocks = st.recursive(SIMPLE, _compound, max_leaves=12)
    start = "def f(a):\n    a = [a, 1]\n    return a\na, b, c = 1, [1, 2], 3\n"
    return st.lists(blocks, min_size=1, max_size=6).map(
        lambda many: start + "\n".join(line for block in many for line in block)
    )
