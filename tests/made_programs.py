"""Small programs put together at random."""

from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "b", "c"])
NUMBERS = st.integers(0, 3).map(str)
EXPRESSIONS = st.recursive(
    NAMES | NUMBERS | st.just("[1, 2]"),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "*", "//"]), inner).map(
            lambda parts: "({} {} {})".format(*parts)
        ),
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
    sequence = st.lists(blocks, min_size=1, max_size=3).map(
        lambda many: [line for block in many for line in block]
    )
    two = st.tuples(sequence, sequence, NAMES, EXPRESSIONS)
    return st.one_of(
        two.map(lambda p: [f"if {p[3]}:", *_indented(p[0]), "else:", *_indented(p[1])]),
        two.map(lambda p: [f"for {p[2]} in (1, 2):", *_indented(p[0]), "else:", *_indented(p[1])]),
        two.map(lambda p: ["try:", *_indented(p[0]), "except TypeError:", *_indented(p[1])]),
        two.map(lambda p: [f"def f({p[2]}):", *_indented(p[0]), f"    return {p[3]}", *p[1]]),
        two.map(lambda p: [f"class C_{p[2]}:", *_indented(p[0]), *p[1]]),
    )


def made_programs() -> st.SearchStrategy[str]:
    """Programs of any of these statements; most end with an error somewhere in their middle."""
    blocks = st.recursive(SIMPLE, _compound, max_leaves=12)
    start = "def f(a):\n    a = [a, 1]\n    return a\na, b, c = 1, [1, 2], 3\n"
    return st.lists(blocks, min_size=1, max_size=6).map(
        lambda many: start + "\n".join(line for block in many for line in block)
    )
