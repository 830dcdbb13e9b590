"""Scripts that make data, put together at random from what learners do."""

from textwrap import indent

from hypothesis import strategies as st

from tests.exchanging import Script

# How a is made, and whether torch, numpy or neither computes with it.
INPUTS = {
    "torch.randn(40)": "torch",
    "torch.rand(40, 1)": "torch",
    "torch.linspace(-3, 3, 40, dtype=torch.float64)": "torch",
    "torch.randint(-9, 9, (40,))": "torch",
    "torch.arange(40).reshape(1, 40)": "torch",
    "np.random.randn(40)": "numpy",
    "np.random.rand(40, 1).astype(np.float32)": "numpy",
    "np.random.randint(-9, 9, 40)": "numpy",
    "np.arange(40).reshape(-1, 1)": "numpy",
    "np.random.randn(40).tolist()": "list",
    "tuple(np.random.randn(40))": "list",
    "list(range(40))": "list",
    "list(torch.randn(40))": "list",
}
LIST = "[10 * k + 4 + float(np.random.randn()) for k in a]"
# How b, the targets, is made from a.
TARGETS = {
    "torch": [
        "b = 10 * a + 4",
        "b = 10 * a + 4 + torch.randn(a.shape)",
        "b = 10 * a + 4\nb = b + torch.randn(a.shape)",
        "b = 10.0 * a\nb += 4\nb.add_(torch.randn(a.shape))",
        "b = torch.zeros(a.shape)\nfor k in range(len(a)):\n    b[k] = 10 * a[k] + 4",
        "b = torch.zeros(a.shape)\nb[:] = 10 * a + 4",
        "b = tuple((10 * a + 4).flatten().tolist())",
    ],
    "numpy": [
        "b = 10 * a + 4",
        "b = 10 * a + 4 + np.random.randn(*a.shape)",
        "b = 10 * a + 4\nb = b + np.random.randn(*a.shape)",
        "b = np.zeros(a.shape)\nfor k in range(40):\n    b[k] = 10 * a[k] + 4",
        "b = [10 * float(k) + 4 for k in a.flat]",
        "b = torch.tensor(10 * a + 4)",
        "b = 10 * a + 4\nb.flags.writeable = False",
    ],
    "list": [
        f"b = {LIST}",
        f"b = tuple({LIST})",
        f"b = np.array({LIST})",
        f"b = torch.tensor({LIST})",
        f"b = [[value] for value in {LIST}]",
        "b = []\nfor k in a:\n    b.append(10 * k + 4 + float(np.random.randn()))",
        "b = []\nfor k in a:\n    b = b + [10 * k + 4]",
        "b = [0.0] * 40\nfor n, k in enumerate(a):\n    b[n] = 10 * float(k) + 4",
    ],
}
# Where that happens; it leaves a and b as global names.
SCOPES = [
    lambda lines: lines,
    lambda lines: f"if __name__ == '__main__':\n{_in(lines)}",
    lambda lines: f"def make():\n{_in(lines)}\n    return a, b\na, b = make()",
    lambda lines: f"def make():\n    '''Text.'''\n    global a, b\n{_in(lines)}\nmake()",
    lambda lines: (
        f"def make():\n    def inner():\n{_in(_in(lines))}\n        return a, b\n    return inner()\na, b = make()"
    ),
    lambda lines: f"def make():\n{_in(lines)}\n    yield a, b\na, b = next(make())",
    lambda lines: f"class Data:\n{_in(lines)}\na, b = Data.a, Data.b",
    lambda lines: (
        f"""
class Data:
    def __init__(self):
{_in(_in(lines))}
        self.a = a
        self.b = b
data = Data()
a, b = data.a, data.b"""
    ),
    lambda lines: f"for _ in range(1):\n{_in(lines)}",
    lambda lines: f"try:\n{_in(lines)}\nfinally:\n    pass",
]
FLAT = "_read({})[:-1]"
ROWS = "zip(_read(a)[:-1], _read(b)[:-1])"
# How x and y come from a and b, and what else then holds the targets.
NAMES = [
    ("x, y = a, b", "b ~ a"),
    ("y = b\nx = a", "b ~ a"),
    ("data = {'x': a, 'y': b}\nx, y = data['x'], data['y']", "data['y'] ~ data['x']"),
    ("data = (a, b)\nx, y = data", "data[1] ~ data[0]"),
    (
        "data = TensorDataset(torch.tensor(_read(a)[:-1]), torch.tensor(_read(b)[:-1]))\nx, y = data.tensors",
        "b ~ a",
    ),
    (f"data = list({ROWS})\nx, y = zip(*data)", "[row[1] for row in data] ~ [row[0] for row in data]"),
    (f"data = np.array(list({ROWS}))\nx, y = data[:, 0], data[:, 1:]", "data[:, 1] ~ data[:, 0]"),
    (f"import pandas as pd\ndata = pd.DataFrame({ROWS})\nx, y = data[0], data[1]", "data[1] ~ data[0]"),
    ("def give(y, x):\n    return x, y\nx, y = give(b, a)", "b ~ a"),
    ("for x, y in [(a, b)]:\n    pass", "b ~ a"),
    ("print(len([(x := a), (y := b)]))", "b ~ a"),
]
# What a script may do with x and y later.
LATER = [
    ("z1 = y", "z1 ~ x"),
    ("z2 = torch.tensor(_read(y)[:-1])", "z2 ~ x"),
    ("z3 = np.array(y)", "z3 ~ x"),
    ("z4 = [x, y]", "z4[1] ~ z4[0]"),
    ("v5, z5 = _read(x)[20:-1], _read(y)[20:-1]", "z5 ~ v5"),
    (
        "order = torch.randperm(40)\nv6, z6 = torch.tensor(_read(x))[order], torch.tensor(_read(y))[order]",
        "z6 ~ v6",
    ),
    ("def f(t=y):\n    return t\nz7 = f()", "z7 ~ x"),
    ("y = y", "y ~ x"),
    ("z9 = np.array(_read(y)[:-1]).reshape(40, 1)", "z9 ~ x"),
]


def _in(lines: str) -> str:
    return indent(lines, "    ")


@st.composite
def made_data(draw: st.DrawFn) -> Script:
    """A script as `tests.exchanging.Script`; some make all of it twice, with the same seed."""
    source = draw(st.sampled_from(sorted(INPUTS)))
    targets = draw(st.sampled_from(TARGETS[INPUTS[source]]))
    scope = draw(st.sampled_from(SCOPES))
    names, read = draw(st.sampled_from(NAMES))
    later = draw(st.lists(st.sampled_from(LATER), max_size=3, unique=True))
    seeds = "torch.manual_seed(3)\nnp.random.seed(3)"
    making = "\n".join([seeds, scope(f"a = {source}\n{targets}\n_used.append((_read(b), _read(a)))"), names])
    again = ["x0, y0 = x, y", making] if draw(st.booleans()) else []
    lines = ["_used = []", making, *(line for line, _ in later), *again]
    reads = [
        "y ~ x",
        "_used[0][0][:-1] ~ _used[0][1][:-1]",
        read,
        *(target for _, target in later),
        *(["y0 ~ x0"] if again else []),
    ]
    return Script("", "\n".join(lines), [(y, x) for y, x in (pair.split(" ~ ") for pair in reads)])
