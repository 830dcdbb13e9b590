"""How `grader.source` turns IPython's cells into plain Python, line for line."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.source import MAX_MAGICS, looks_like_python_2, neutralise

# (as written, as run)
LEFT_OUT = [
    ("!pip install torch", "pass  # !pip install torch"),
    ("!!ls", "pass  # !!ls"),
    ("!", "pass  # !"),
    ("!echo it's", "pass  # !echo it's"),
    ("!echo (", "pass  # !echo ("),
    ("%matplotlib inline", "pass  # %matplotlib inline"),
    ("% matplotlib inline", "pass  # % matplotlib inline"),
    ("%cd C:\\data\\", "pass  # %cd C:\\data"),
    ("%time", "pass  # %time"),
    ("# a comment\n%%time", "# a comment\npass  # %%time"),
    ("torch.tensor?", "pass  # torch.tensor?"),
    ("torch.tensor??", "pass  # torch.tensor??"),
    ("?torch", "pass  # ?torch"),
    ("x = !ls", "x = []  # x = !ls"),
    ("d['a'], y = !ls", "d['a'], y = []  # d['a'], y = !ls"),
    ("x = %pwd", "x = []  # x = %pwd"),
    ("if x:\n    %matplotlib inline", "if x:\n    pass  # %matplotlib inline"),
    ("if x:\n    y = !ls", "if x:\n    y = []  # y = !ls"),
    ("!pip install \\\n  torch \\\n  numpy\nx = 1", "pass  # !pip install \n#   torch \\\n#   numpy\nx = 1"),
    ("x = !ls \\\n  -l\ny = 1", "x = []  # x = !ls \n#   -l\ny = 1"),
]
STATEMENT_KEPT = [
    ("%time w = train(10)", "w = train(10)"),
    ("%time\tw = train(10)", "w = train(10)"),
    ("%timeit train(10)", "train(10)"),
    ("%timeit -n 10 train(10)", "train(10)"),
    ("%timeit -n10 -r 3 -q train(-1)", "train(-1)"),
    ("%prun -s cumulative -l 5 train(10)", "train(10)"),
    ("w = %time train(10)", "w = train(10)"),
    ("if x:\n    %time w = train(10)\n    b = 2", "if x:\n    w = train(10)\n    b = 2"),
    ("%time w = train(10, \\\n              lr=1)", "w = train(10, \\\n              lr=1)"),
]
LEFT_ALONE = [
    "",
    "\n  \n",
    "w = 1\nb = 2\n",
    "x = (10\n% 3)",
    "x = 10 \\\n% 3",
    "x = (y\n%z)",
    "s = '''\n%matplotlib inline\n!ls\n?x\n'''",
    "print('100 %')  # !ls",
    "# %%time\nx = 1",
    "x != 1",
    "s = '\\d'",
    "await train()",
    # Errors of the learner's own, which Python is to name:
    "for i in range(3)\n    print(i)",
    "x = (10\n% 3) y",
    "x = %3",
    "x = 'unclosed",
    "s = '''\n%matplotlib inline",
    "x = (1,\n%matplotlib inline",
    "print 'hello'",
    "x = 1\n  y = 2",
    "x = '\0'\n!ls",
    "(" * 500,
]


@pytest.mark.parametrize(("written", "run"), LEFT_OUT + STATEMENT_KEPT)
def test_replaces_a_magic_by_plain_python(written: str, run: str) -> None:
    source, notes = neutralise(written, 1)
    assert source == run
    assert len(source.split("\n")) == len(written.split("\n"))
    assert len(notes) == 1
    ast.parse(source)


@pytest.mark.parametrize("source", LEFT_ALONE)
def test_leaves_alone_what_is_no_magic(source: str) -> None:
    assert neutralise(source, 1) == (source, ())


@pytest.mark.parametrize("magic", ["%%time", "%%timeit -n 1", "%%capture out", "%%prun", "\n%%time"])
def test_a_timed_cell_runs_its_body(magic: str) -> None:
    source, notes = neutralise(f"{magic}\nw = 1\n%matplotlib inline", 4)
    assert source == magic.replace("%%", "# %%") + "\nw = 1\npass  # %matplotlib inline"
    assert [note.params["text"] for note in notes] == [magic.strip(), "%matplotlib inline"]


@pytest.mark.parametrize("magic", ["%%bash", "%%writefile a.py", "%%html", "%%javascript", "%%", "%%!"])
def test_a_cell_in_another_language_is_left_out(magic: str) -> None:
    source, notes = neutralise(f"{magic}\nw = 1\n\n  rm -r it's", 4)
    assert source == f"# {magic}\n# w = 1\n# \n#   rm -r it's"
    assert [note.params["line"] for note in notes] == [1]


def test_cell_magics_may_be_stacked() -> None:
    assert neutralise("%%capture\n%%time\nw = 1", 1)[0] == "# %%capture\npass  # %%time\nw = 1"


def test_a_cell_that_is_indented_as_a_whole_is_moved_left() -> None:
    """IPython runs it, so Python must be able to read it."""
    assert neutralise("  !ls\n\n  if x:\n    w = 1", 1)[0] == "pass  # !ls\n\nif x:\n  w = 1"
    assert neutralise("  %%bash\n  ls", 1)[0] == "# %%bash\n# ls"


def test_notes_name_the_cell_the_line_and_the_text() -> None:
    notes = neutralise("w = 1\n!ls (\nif w:\n    %time !echo it's", 7)[1]
    assert [note.id for note in notes] == ["magic-ignored"] * 2
    assert [note.params for note in notes] == [
        {"cell": 7, "line": 2, "text": "!ls ("},
        {"cell": 7, "line": 4, "text": "%time !echo it's"},
    ]


def test_a_warning_of_python_is_no_error() -> None:
    assert neutralise("s = '\\d'\n!ls", 1)[0] == "s = '\\d'\npass  # !ls"


def test_gives_up_on_a_cell_made_of_magics() -> None:
    source, notes = neutralise("!a\n" * (MAX_MAGICS + 50), 1)
    assert len(notes) == MAX_MAGICS
    assert source.count("\n") == MAX_MAGICS + 50


@pytest.mark.parametrize(
    "source",
    [
        "print 'hello'",
        "for i in range(3):\n    print i",
        "exec 'x = 1'",
        "raise ValueError, 'no'",
        "try:\n    f()\nexcept ValueError, e:\n    pass",
    ],
)
def test_knows_python_2(source: str) -> None:
    assert looks_like_python_2(source)


@pytest.mark.parametrize(
    "source",
    [
        "print('hello')",
        "print = 3",
        "for i in range(3)\n    print(i)",
        "print(w",
        "x = 'print w'",
        "print -1",
        "",
    ],
)
def test_does_not_take_python_3_for_python_2(source: str) -> None:
    assert not looks_like_python_2(source)


# ---- whatever is written ------------------------------------------------------------------------

PYTHON = st.sampled_from(
    [
        "x = 1",
        "x = (10\n% 3)",
        "y = x \\\n% 2",
        "print('50%', x)  # it's",
        "s = '''\n%matplotlib inline\n!ls\n'''",
        'def f():\n    """?help"""\n    return [\n1]',
        "斜率 = 1",
        "if x:\n\n    y = {\n    1: 2}",
        "# %%time",
        "",
    ]
)
ARGUMENTS = st.text("ab1 ./-*$#%?:=[](){}'\"", max_size=12).filter(
    lambda text: "'''" not in text and '"""' not in text
)
MAGIC = st.sampled_from(
    ["%matplotlib inline", "%time x = f(1, 2)", "x?", "?x", "y = %time x", "!a \\\n b", "if x:\n    %pwd"]
)
MAGICS = MAGIC | st.builds(
    "{}{}".format, st.sampled_from(["!", "!!", "%cd ", "x = !", "if x:\n  !"]), ARGUMENTS
)
CHUNKS = st.lists(st.tuples(st.just("python"), PYTHON) | st.tuples(st.just("magic"), MAGICS), max_size=8)
ODD_TEXT = st.text("%!?\\ \n\r\t\f\0'\"(=x#:\ud800", max_size=30) | st.text()


@given(chunks=CHUNKS)
@settings(deadline=None)
def test_python_between_magics_is_run_as_written(chunks: list[tuple[str, str]]) -> None:
    written = "\n".join(text for _, text in chunks)
    source, notes = neutralise(written, 1)
    ast.parse(source)
    pairs = zip(written.split("\n"), source.split("\n"), strict=True)
    for kind, text in chunks:
        lines = [next(pairs) for _ in text.split("\n")]
        assert kind == "magic" or all(before == after for before, after in lines)
    assert len(notes) == [kind for kind, _ in chunks].count("magic")
    assert neutralise(source, 1) == (source, ())


@given(source=ODD_TEXT)
@settings(deadline=None)
def test_any_text_keeps_its_lines(source: str) -> None:
    plain, notes = neutralise(source, 1)
    assert plain.count("\n") == source.count("\n")
    assert len({note.params["line"] for note in notes}) == len(notes)
    assert looks_like_python_2(source) in {True, False}
