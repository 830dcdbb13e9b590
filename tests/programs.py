"""Small programs, each around one thing that Python binds names with."""

PROGRAMS = {
    "global": "def f():\n    global y\n    y = 1\n    y += 1\nf()",
    "nonlocal": """
def f():
    y = 1
    def g():
        nonlocal y
        y += 1
    g()
    return y
z = f()
""",
    "a list of the module filled in a function": """
y = []
def f():
    for k in range(3):
        y.append(k)
f()
""",
    "a cell filled in a function": """
def f():
    y = [0]
    def g():
        y[0] = 2
    g()
    return y
z = f()
""",
    "a loop without a round": "for y in []:\n    z[y] = 1\nwhile False:\n    v.append(1)",
    "for, else, break": """
for y in range(5):
    if y == 3:
        break
else:
    z = 1
for k in []: pass
else: v = 1
""",
    "class": """
class C:
    y = 1
    z = y + 1
    def f(self, y=y):
        self.y = y
        return self
z = C().f().y
""",
    "private names": """
class C:
    __y = 1
    def f(self, __z):
        self.__y = __z
        return self.__y
z = C().f(2)
""",
    "super": """
class A:
    def f(self): return 1
class B(A):
    def f(self):
        y = super().f()
        return y
z = B().f()
""",
    "enum": """
from enum import Enum, auto
class C(Enum):
    y = auto()
    z = 2
v = [C.y.value, C.z.value, len(C)]
""",
    "dataclass": """
from dataclasses import dataclass, field
@dataclass
class D:
    x: int
    y: list = field(default_factory=list)
z = D(1)
""",
    "slots": """
class C:
    __slots__ = ('y',)
    def __init__(self): self.y = 1
z = C().y
""",
    "an attribute that cannot be read": """
class C:
    def _set(self, value): C.z = value
    y = property(None, _set)
C().y = 1
z = C.z
""",
    "an attribute that is read": """
class C:
    n = 0
    @property
    def y(self):
        C.n += 1
    @y.setter
    def y(self, value): pass
C().y = 1
z = C.n
""",
    "metaclass": """
class M(type):
    def __new__(m, name, bases, space):
        return super().__new__(m, name, bases, space)
class C(metaclass=M):
    y = 1
z = C.y
""",
    "async": """
import asyncio
async def f(y):
    z = await asyncio.sleep(0, y)
    return z
v = asyncio.run(f(1))
""",
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
    "exception group": """
try:
    raise ExceptionGroup('g', [ValueError(1)])
except* ValueError as y:
    z = len(y.exceptions)
""",
    "with": """
from contextlib import contextmanager
@contextmanager
def c():
    y = [1]
    yield y
    y[0] = 2
with c() as y, c() as (z,):
    v = list(y)
""",
    "decorator": """
def d(f):
    def g(*a, **k):
        y = f(*a, **k)
        return y + 1
    return g
@d
def f(y, *, z=1): return y + z
v = f(1), f(1, z=4)
""",
    "lambda": "f = lambda y, z=(v := 2): y * z\ny = f(3)",
    "comprehension": """
x = [y for y in range(3)]
z = {k: v for k, v in zip(x, x)}
v = {n := k for k in x}
g = sum(y * y for y in x)
""",
    "walrus": "x = [1, 2]\nwhile (y := x.pop()) > 1:\n    z = y\nv = (n := 2) + (m := n)",
    "del": "y = 1\ndel y\nx = [1, 2]\ndel x[0]\ntry:\n    y\nexcept NameError:\n    z = 1",
    "a deleted list": """
for k in range(2):
    y = []
    y.append(k)
    del y
for k in range(2):
    v = [k]
for k in v:
    v.append(3)
    del v
    break
""",
    "generator": """
def g():
    y = 0
    while y is not None:
        y = yield y
h = g()
z = [next(h), h.send(3)]
v = list(k for k in range(2))
""",
    "yield from": """
def g():
    y = yield from (1, 2)
    return y
def h():
    z = yield from g()
v = list(h())
""",
    "starred": "x, *y = 1, 2, 3\n[*z, v] = y\nn = *z, 1 if (k := v) else 2\nm = *y, k",
    "swap": "x, y = 1, 2\nx, y = y, x\nz = [1, 2]\nz[0], z[1] = z[1], z[0]",
    "chained": "x = y = z = [1]\nx[0] = v = 2\nn = x is y is z",
    "annotated": """
x: int
y: int = 1
z: list[int] = [1]
z[0]: int = 2
class C:
    y: int = 3
C.y: int = 4
v = C.y, list(C.__annotations__)
""",
    "augmented": "y = [1]\nz = y\ny += [2]\ny[0] += 1\nclass C: n = 1\nC.n -= 3\nv = C.n",
    "defaults": "y = [1]\ndef f(a, /, x=y, *, z=len(y)):\n    x.append(a + z)\n    return x\nv = f(1), f(2)",
    "recursion": """
def f(y):
    if y < 2:
        return y
    z = f(y - 1)
    return z + f(y - 2)
v = f(10)
""",
    "names of the hook's errors": """
NameError = 1
for k in range(2):
    y = []
    y.append(k)
z = []
for k in range(2):
    z.append(k)
""",
    "locals": "def f(x):\n    y = 1\n    return sorted(locals())\nz = f(0)",
    "an error in a function": """
def f(x):
    y = x
    z = (
        y
        / 0
    )
    return z
v = 1
f(v)
""",
    "an error in a loop": "y = []\nfor k in range(3):\n    y.append(k)\n    y[k + 1] = k\nz = 1",
    "an error in a target": "y = [1]\ny[3], z = 1, 2",
    "an error in an argument": """
def f(x):
    '''Text.'''
    y = int(
        'a')
f(1)
""",
    "an error of a name": "y = 1\nz = y + missing",
    "an unbound local": "y = 1\ndef f():\n    print(y)\n    y = 2\nf()",
    "a wrong number of values": "x, y = 1, 2\nz = 3\nx, y = 1, 2, 3",
}
