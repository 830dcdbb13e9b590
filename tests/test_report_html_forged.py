"""A page can be made of whatever a trace says: nothing in it is trusted, not even to make sense."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import UnreadableSubmission
from grader.grade import ungradable
from grader.model import Drawn, Language, Printed, Shown
from grader.picture import Curves, Descent, Graph, Mark, Pictures, Slope
from grader.report.document import word
from grader.report.html import render
from grader.trace import Operation
from grader.valley import valley_of
from tests.pages import addresses, parsed

TEXT = st.text(max_size=8) | st.sampled_from(
    [
        "w",
        "b",
        "",
        "<b>",
        "]]>",
        '"&',
        "\u202ex\x00",
        "x" * 400,
        "\ud800".encode("utf-8", "backslashreplace").decode(),
    ]
)
NUMBER = st.floats() | st.sampled_from([0.0, 1e308, -1e308, 5e-324])
FINITE = st.none() | st.floats(allow_nan=False, allow_infinity=False)
STEP = st.integers(-3, 30) | st.sampled_from([10**320, -(10**320), 2**63])
CURVE = st.lists(st.tuples(STEP, FINITE), max_size=6).map(tuple)
CURVES = st.builds(Curves, loss=CURVE, parameters=st.fixed_dictionaries({"w": CURVE, "b": CURVE}))
SLOPE = st.builds(Slope, name=TEXT, seen=CURVE, right=CURVE, whole=st.booleans())
MARK = st.builds(
    Mark, kind=st.sampled_from(["unreached", "untracked", "rebound", "replaced"]), name=TEXT, made_by=TEXT
)
OPERATION = st.builds(
    Operation,
    name=TEXT,
    inputs=st.lists(st.integers(-9, 9) | STEP, max_size=12).map(tuple),
    shape=st.lists(STEP, max_size=5).map(tuple),
)
GRAPH = st.builds(
    Graph, cell=STEP, line=STEP, step=st.integers(), root=TEXT, cut=st.booleans(), leaves=st.lists(TEXT, max_size=5).map(tuple),
    operations=st.lists(OPERATION, max_size=30).map(tuple), more=st.integers(), marks=st.lists(MARK, max_size=4).map(tuple),
)  # fmt: skip
DESCENT = st.builds(
    Descent, cell=STEP, line_number=STEP, calls=st.integers(), curves=CURVES, slopes=st.lists(SLOPE, max_size=3).map(tuple),
    graph=st.none() | GRAPH, line=st.none() | st.just(("w", "b")),
)  # fmt: skip
POINTS = st.lists(st.tuples(NUMBER, NUMBER), min_size=3, max_size=5).map(np.array)
VALLEY = POINTS.map(lambda points: valley_of(points[:, 0], points[:, 1]))
PICTURES = st.builds(
    Pictures, own=st.none() | DESCENT, mended=st.none() | DESCENT, reference=st.none() | CURVES, valley=VALLEY
)  # fmt: skip
OUTPUT = st.builds(
    Printed, stream=st.sampled_from(["stdout", "stderr", "result", "error"]), text=TEXT, cut=st.integers(0, 9)
) | st.builds(Drawn, format=st.sampled_from(["png", "jpeg"]), data=st.binary(max_size=9), text=TEXT)
MARKDOWN = st.lists(
    st.sampled_from(
        [
            "# a",
            "###### b",
            "[a](http://b)",
            "![",
            "](",
            "<c d>",
            "`",
            "|",
            "\n",
            "- ",
            "> ",
            "[[a](b)](c)",
            "\u202e",
            "&#106;",
            "<script>",
        ]
    ),
    max_size=12,
).map("".join)
CELL = st.builds(Shown, number=st.none(), source=MARKDOWN) | st.builds(
    Shown, number=st.integers(1, 10**6), source=TEXT, outputs=st.lists(OUTPUT, max_size=3).map(tuple)
)


@given(
    pictures=PICTURES,
    notebook=st.lists(CELL, max_size=4, unique_by=lambda cell: (cell.number, cell.source)),
    language=st.sampled_from(["en", "zh"]),
)
@settings(deadline=None, max_examples=60)
def test_a_page_can_be_made_of_anything(
    pictures: Pictures, notebook: list[Shown], language: Language
) -> None:
    report = ungradable("a.ipynb", "", "", UnreadableSubmission("file-empty", path="a.ipynb"))
    tree = parsed(render(word(report, None, language), pictures, notebook))
    for owner, address in addresses(tree):
        assert address.startswith("#") or (owner == "img" and address.startswith("data:image/"))
