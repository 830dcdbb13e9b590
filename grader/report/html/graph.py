"""The autograd graph as SVG: the parameters on top, the operations under them, the loss at the bottom."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from grader.model import Language
from grader.picture import Graph, Mark
from grader.report.html.words import shown_line
from grader.text import say

# torch names an operation for what goes backward through it: MulBackward0.
BACKWARD = re.compile(r"Backward\d*$")
MAX_SHOWN = 24
MAX_LETTERS = 22
MAX_INPUTS = 8
MAX_SIZE = 10**9
# Sizes in CSS pixels; a Chinese character is as wide as the font is high.
FONT, WIDE, NARROW = 13, 13.5, 7.4
CHINESE_BEGINS = "\u2e80"
HEIGHT, PADDING, GAP, ROW = 40, 12, 18, 78
MARGIN = 12


class Node(NamedTuple):
    """A box: what stands in it in one or two lines, and of which kind it is (`leaf`, `operation`, `root`, or `lost`)."""

    kind: str
    lines: tuple[str, ...]
    inputs: tuple[int, ...] = ()
    broken: bool = False  # whether what leads on from it is cut

    @property
    def width(self) -> float:
        """How wide the box has to be."""
        widths = [sum(WIDE if sign >= CHINESE_BEGINS else NARROW for sign in line) for line in self.lines]
        return max(widths, default=0) + 2 * PADDING


def draw(graph: Graph, spoken: Language, title: str) -> Markup:
    """A graph with the marks of what it lost."""
    nodes = _nodes(graph, spoken)
    layers = _layers(nodes)
    places, width = _places(nodes, layers)
    height = 2 * MARGIN + HEIGHT + ROW * max(layers)
    edges = [
        _edge(places[inner], places[outer], broken=nodes[inner].broken)
        for outer, node in enumerate(nodes)
        for inner in node.inputs
    ]
    boxes = [_box(node, place) for node, place in zip(nodes, places, strict=True)]
    return Markup(
        '<svg class="graph" role="img" aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}">{}{}</svg>'
    ).format(
        title, round(width), height, round(width), height, Markup("").join(edges), Markup("").join(boxes)
    )


def formula(graph: Graph) -> str:
    """The graph in one line, as the calls that it was made by: `mean(pow(sub(add(mul(w), b))))`."""
    left = MAX_SHOWN

    def of(index: int) -> str:
        nonlocal left
        if index < 0:
            return shown_line(_leaf(graph, index) or "?")
        left -= 1
        if left < 0 or index >= len(graph.operations):
            return "…"
        operation = graph.operations[index]
        return (
            f"{_operation(operation.name)}({', '.join(of(inner) for inner in operation.inputs[:MAX_INPUTS])})"
        )

    return of(0) if graph.operations else ""


def _leaf(graph: Graph, index: int) -> str:
    return graph.leaves[-1 - index] if -1 - index < len(graph.leaves) else ""


def _operation(name: str) -> str:
    return shown_line(BACKWARD.sub("", name).lower())[:MAX_LETTERS]


def _shape(shape: Sequence[int]) -> str:
    return " × ".join(str(min(size, MAX_SIZE)) for size in shape[:4])


# ---- the boxes ----------------------------------------------------------------------------------


def _nodes(graph: Graph, spoken: Language) -> list[Node]:
    """The loss first, then the operations, the leaves, and the parameters that are lost."""
    shown = graph.operations[:MAX_SHOWN]
    own = len(shown)
    lost_at = {mark.made_by: mark for mark in graph.marks if mark.kind == "rebound"}
    nodes = [Node("root", (_short(graph.root or "loss"),), (1,) if shown else ())]
    for operation in shown:
        used = operation.inputs[:MAX_INPUTS]
        inputs = tuple(1 + k for k in used if 0 <= k < own)
        inputs += tuple(own - k for k in used if k < 0 and -1 - k < len(graph.leaves))
        lines: tuple[str, ...] = (_operation(operation.name), _shape(operation.shape))
        of_old = any(k < 0 and not _leaf(graph, k) for k in used)
        kind = "operation"
        if of_old and operation.name in lost_at:
            names = ", ".join(mark.name for mark in graph.marks if mark.made_by == operation.name)
            kind, lines = "lost", (f"⚠ {lines[0]}", say("html-graph-now", spoken, {"names": _short(names)}))
        nodes.append(Node(kind, tuple(line for line in lines if line), inputs))
    rebound = {mark.name: mark for mark in graph.marks if mark.name in graph.leaves}
    for name in graph.leaves:
        if name in rebound:
            nodes.append(Node("lost", (f"⚠ {_short(name)}", _told(rebound[name], spoken))))
        else:
            old = (say("html-graph-old", spoken), say("html-graph-nameless", spoken))
            nodes.append(Node("leaf", (_short(name),) if name else old))
    nodes += [
        Node("lost", (f"✂ {_short(mark.name)}", _told(mark, spoken)), broken=True)
        for mark in graph.marks
        if mark.name not in graph.leaves and not (mark.kind == "rebound" and "" in graph.leaves)
    ]
    if graph.cut:
        nodes[0] = Node("lost", (f"✂ {_short(graph.root or 'loss')}", say("html-graph-cut", spoken)))
    broken = tuple(index for index, node in enumerate(nodes) if node.broken)
    return [nodes[0]._replace(inputs=(*nodes[0].inputs, *broken)), *nodes[1:]]


def _told(mark: Mark, spoken: Language) -> str:
    if mark.kind == "rebound":
        return say("html-graph-rebound", spoken, {"operation": _operation(mark.made_by)})
    if mark.kind == "replaced":
        return say("html-graph-replaced", spoken)
    return say("html-graph-unreached" if mark.kind == "unreached" else "html-graph-untracked", spoken)


def _short(text: str) -> str:
    text = shown_line(text)
    return text if len(text) <= MAX_LETTERS else f"{text[: MAX_LETTERS - 1]}…"


# ---- where they stand ---------------------------------------------------------------------------


def _layers(nodes: Sequence[Node]) -> list[int]:
    """How far each node is from the loss, by the longest way; leaves and what is lost stand right above where they lead."""
    layers = [0] * len(nodes)
    for outer in range(len(nodes)):  # an operation comes after all that use it, but for shared ones
        for inner in nodes[outer].inputs:
            layers[inner] = max(layers[inner], layers[outer] + 1)
    changed = True
    while changed:
        changed = False
        for outer, node in enumerate(nodes):
            for inner in node.inputs:
                if layers[inner] <= layers[outer] < len(nodes):
                    layers[inner], changed = layers[outer] + 1, True
    top = max(layers)
    return [max(1, top) if node.broken else layer for node, layer in zip(nodes, layers, strict=True)]


def _places(nodes: Sequence[Node], layers: Sequence[int]) -> tuple[list[tuple[float, float]], float]:
    """The middle of each box, and the width of all; in a layer boxes follow those that they lead to."""
    x = [0.0] * len(nodes)
    top = max(layers)
    rows = [[index for index, layer in enumerate(layers) if layer == depth] for depth in range(top + 1)]
    for row in rows:
        users = {
            inner: [x[outer] for outer, node in enumerate(nodes) if inner in node.inputs] for inner in row
        }
        wanted = {
            inner: sum(places) / len(places) if (places := users[inner]) and not nodes[inner].broken else 1e9
            for inner in row
        }
        row.sort(key=lambda index: wanted[index])
        whole = sum(nodes[index].width for index in row) + GAP * (len(row) - 1)
        kept = [wanted[index] for index in row if wanted[index] < 1e9]  # noqa: PLR2004 - as above
        at = (sum(kept) / len(kept) if kept else 0.0) - whole / 2
        for index in row:
            x[index] = at + nodes[index].width / 2
            at += nodes[index].width + GAP
    left = min(middle - node.width / 2 for middle, node in zip(x, nodes, strict=True)) - MARGIN
    right = max(middle + node.width / 2 for middle, node in zip(x, nodes, strict=True)) + MARGIN
    y = [MARGIN + HEIGHT / 2 + ROW * (top - layer) for layer in layers]
    return [(middle - left, down) for middle, down in zip(x, y, strict=True)], right - left


def _edge(start: tuple[float, float], end: tuple[float, float], *, broken: bool) -> Markup:
    (x, y), (to_x, to_y) = (start[0], start[1] + HEIGHT / 2), (end[0], end[1] - HEIGHT / 2)
    if broken:
        stop = y + (ROW - HEIGHT) / 2
        return Markup('<path class="cut" d="M{:.0f} {:.0f}V{:.0f}m-7 0h14"/>').format(x, y, stop)
    middle = (y + to_y) / 2
    head = f"M{to_x - 4:.0f} {to_y - 7:.0f}L{to_x:.0f} {to_y:.0f}L{to_x + 4:.0f} {to_y - 7:.0f}"
    return Markup(
        '<path class="edge" d="M{:.0f} {:.0f}C{:.0f} {:.0f} {:.0f} {:.0f} {:.0f} {:.0f}{}"/>'
    ).format(x, y, x, middle, to_x, middle, to_x, to_y, head)


def _box(node: Node, place: tuple[float, float]) -> Markup:
    x, y = place
    corner = HEIGHT / 2 if node.kind == "root" else 12 if node.kind == "leaf" else 4
    rectangle = Markup('<rect x="{:.0f}" y="{:.0f}" width="{:.0f}" height="{}" rx="{:.0f}"/>').format(
        x - node.width / 2, y - HEIGHT / 2, node.width, HEIGHT, corner
    )
    first = y + FONT / 3 - (8 if len(node.lines) > 1 else 0)
    texts = [
        Markup('<text x="{:.0f}" y="{:.0f}"{}>{}</text>').format(
            x, first + 16 * row, Markup(' class="small"') if row else "", escape(line)
        )
        for row, line in enumerate(node.lines)
    ]
    return Markup('<g class="{}">{}{}</g>').format(node.kind, rectangle, Markup("").join(texts))
