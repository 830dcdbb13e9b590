"""The submission's source as syntax: who contains whom, loops and functions, and edits that keep the learner's style."""

import ast
import warnings
from collections.abc import Iterator, Sequence
from typing import TypeVar

from grader.evidence.edits import Edit
from grader.model import Submission

Loop = ast.For | ast.AsyncFor | ast.While
Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = Function | ast.Lambda | ast.ClassDef | ast.Module
# What Python has one of for all places.
WITHOUT_PLACE = ast.expr_context | ast.operator | ast.cmpop | ast.unaryop | ast.boolop
N = TypeVar("N", bound=ast.AST)


class Code:
    """All cells of a submission that Python can parse, in order. Nodes belong to one `Code`, which knows their places."""

    def __init__(self, submission: Submission) -> None:
        self.cells: dict[int, ast.Module] = {}
        self.sources: dict[int, str] = {}
        self._lines: dict[int, list[str]] = {}
        self._parent: dict[ast.AST, ast.AST] = {}
        self._children: dict[ast.AST, list[ast.AST]] = {}
        self._at: dict[
            tuple[int, int], ast.stmt | None
        ] = {}  # what was asked for: a training asks at each step
        self._cell: dict[ast.AST, int] = {}
        self._nodes: list[ast.AST] = []
        for cell in submission.cells:
            self.sources[cell.number] = cell.source
            self._lines[cell.number] = cell.source.split("\n")
            tree = _parsed(cell.source)
            if tree is not None:
                self.cells[cell.number] = tree
                self._enter(tree, cell.number)

    def _enter(self, node: ast.AST, cell: int) -> None:
        waiting = [node]
        while waiting:
            inner = waiting.pop()
            self._cell[inner] = cell
            self._nodes.append(inner)
            self._children[inner] = [
                child for child in ast.iter_child_nodes(inner) if not isinstance(child, WITHOUT_PLACE)
            ]
            self._parent.update(dict.fromkeys(self._children[inner], inner))
            waiting.extend(reversed(self._children[inner]))

    # ---- looking ----------------------------------------------------------------------------

    def all(self, *kinds: type[N]) -> Iterator[N]:
        """All nodes of some kinds, in the order of the source."""
        for node in self._nodes:
            if isinstance(node, kinds):
                yield node

    def inside(self, root: ast.AST, *kinds: type[N]) -> Iterator[N]:
        """The nodes of some kinds inside another (itself included), in the order of the source."""
        waiting: list[ast.AST] = [root]
        while waiting:
            node = waiting.pop()
            if isinstance(node, kinds):
                yield node
            waiting.extend(reversed(self._children[node]))

    def calls(self, *names: str, inside: ast.AST | None = None) -> Iterator[ast.Call]:
        """The calls of functions or methods of these names (`backward`, `zero_`, `SGD`)."""
        found: Iterator[ast.Call] = self.all(ast.Call) if inside is None else self.inside(inside, ast.Call)
        return (call for call in found if called(call) in names)

    def cell_of(self, node: ast.AST) -> int:
        """The number of the cell that a node is in."""
        return self._cell[node]

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node right around another."""
        return self._parent.get(node)

    def around(self, node: ast.AST, *kinds: type[N]) -> N | None:
        """The innermost node of some kinds around another; None if there is none."""
        outer = self._parent.get(node)
        while outer is not None:
            if isinstance(outer, kinds):
                return outer
            outer = self._parent.get(outer)
        return None

    def statement(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that a node is part of, or the node itself."""
        while not isinstance(node, ast.stmt):
            node = self._parent[node]
        return node

    def loop(self, node: ast.AST) -> Loop | None:
        """The innermost loop around a node, within the same function."""
        outer = self._parent.get(node)
        while outer is not None and not isinstance(outer, Function | ast.Lambda):
            if isinstance(outer, Loop):
                return outer
            outer = self._parent.get(outer)
        return None

    def function(self, node: ast.AST) -> Function | None:
        """The innermost function around a node."""
        return self.around(node, ast.FunctionDef, ast.AsyncFunctionDef)  # type: ignore[return-value]

    def at(self, cell: int, line: int | None) -> ast.stmt | None:
        """The innermost statement at a line; of several on one line, the first."""
        if line is None or cell not in self.cells:
            return None
        if (cell, line) not in self._at:
            self._at[cell, line] = self._innermost(cell, line)
        return self._at[cell, line]

    def _innermost(self, cell: int, line: int) -> ast.stmt | None:
        best: ast.stmt | None = None
        for node in self.inside(self.cells[cell], ast.stmt):
            if node.lineno <= line <= (node.end_lineno or node.lineno) and (
                best is None or node.lineno > best.lineno or _is_inside_block(node, best)
            ):
                best = node
        return best

    def text(self, node: ast.AST) -> str:
        """A node's source as the learner wrote it."""
        (first, start), (last, end) = self.span(node)
        lines = self._lines[self._cell[node]][first - 1 : last]
        if first == last:
            return lines[0][start:end]
        return "\n".join([lines[0][start:], *lines[1:-1], lines[-1][:end]])

    def span(self, node: ast.AST) -> tuple[tuple[int, int], tuple[int, int]]:
        """Where a node begins and ends: lines from 1, columns in characters."""
        lines = self._lines[self._cell[node]]
        first, last = node.lineno, node.end_lineno  # type: ignore[attr-defined]
        start = len(lines[first - 1].encode()[: node.col_offset].decode())  # type: ignore[attr-defined]
        end = len(lines[last - 1].encode()[: node.end_col_offset].decode())  # type: ignore[attr-defined]
        return (first, start), (last, end)

    def line(self, cell: int, line: int) -> str:
        """One line of a cell."""
        lines = self._lines.get(cell, [])
        return lines[line - 1] if 1 <= line <= len(lines) else ""

    # ---- editing ----------------------------------------------------------------------------

    def replace(self, node: ast.AST, text: str) -> Edit:
        """Put other text in the place of a node."""
        start, end = self.span(node)
        return Edit(self._cell[node], start, end, text)

    def insert_before(self, statement: ast.stmt, *lines: str) -> Edit:
        """Put lines in front of a statement, as deep as it stands; on its own line where it shares that with others."""
        start, _ = self.span(statement)
        if isinstance(statement, Function | ast.ClassDef) and statement.decorator_list:
            start, _ = self.span(statement.decorator_list[0])
            start = (start[0], start[1] - 1)
        cell = self._cell[statement]
        if self.line(cell, start[0])[: start[1]].strip():
            return Edit(cell, start, start, "".join(f"{line}; " for line in lines))
        indent = self.indent(statement)
        return Edit(cell, start, start, "".join(f"{line}\n{indent}" for line in lines))

    def insert_after(self, statement: ast.stmt, *lines: str) -> Edit:
        """Put lines behind a statement, as deep as it stands; on the same line where that holds several statements."""
        start, end = self.span(statement)
        cell = self._cell[statement]
        rest = self.line(cell, end[0])[end[1] :].strip()
        if rest.startswith(";") or self.line(cell, start[0])[: start[1]].strip():
            return Edit(cell, end, end, "".join(f"; {line}" for line in lines))
        end_of_line = (end[0], len(self.line(cell, end[0])))
        indent = self.indent(statement)
        return Edit(cell, end_of_line, end_of_line, "".join(f"\n{indent}{line}" for line in lines))

    def delete(self, statement: ast.stmt) -> Edit:
        """Take a statement away, with its line where it stands alone; `pass` where its block would be empty."""
        start, end = self.span(statement)
        cell = self._cell[statement]
        if len(self.block(statement)) == 1 and not isinstance(self._parent[statement], ast.Module):
            return Edit(cell, start, end, "pass")
        before, after = self.line(cell, start[0])[: start[1]], self.line(cell, end[0])[end[1] :]
        if after.lstrip().startswith(";"):
            gap = len(after) - len(after.lstrip()[1:].lstrip())
            return Edit(cell, start, (end[0], end[1] + gap), "")
        if before.strip():
            return Edit(cell, (start[0], len(before.rstrip().rstrip(";").rstrip())), end, "")
        if end[0] < len(self._lines[cell]):
            return Edit(cell, (start[0], 0), (end[0] + 1, 0), "")
        return Edit(cell, (start[0], 0), (end[0], len(self.line(cell, end[0]))), "")

    def move(
        self, statement: ast.stmt, *, before: ast.stmt | None = None, after: ast.stmt | None = None
    ) -> list[Edit]:
        """Take a simple statement away and put it in front of or behind another one, which may be in another block."""
        text = self.text(statement)
        if before is not None:
            return [self.delete(statement), self.insert_before(before, text)]
        assert after is not None
        return [self.delete(statement), self.insert_after(after, text)]

    def wrap(self, statements: Sequence[ast.stmt], head: str) -> list[Edit]:
        """Put neighbouring statements of one block, each on lines of its own, under a head such as `with torch.no_grad():`."""
        first, last = statements[0], statements[-1]
        cell, indent = self._cell[first], self.indent(first)
        (start, column), (end, _) = self.span(first)[0], self.span(last)[1]
        edits = [Edit(cell, (start, column), (start, column), f"{head}\n{indent}    ")]
        for line in range(start + 1, end + 1):
            if self.line(cell, line).strip():
                edits.append(Edit(cell, (line, 0), (line, 0), "    "))
        return edits

    def indent(self, statement: ast.stmt) -> str:
        """The white space in front of the line that a statement begins on."""
        line = self.line(self._cell[statement], statement.lineno)
        return line[: len(line) - len(line.lstrip())]

    def block(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements of the block that a statement stands in."""
        parent = self._parent[statement]
        for field in ("body", "orelse", "finalbody", "handlers"):
            block = getattr(parent, field, None)
            if isinstance(block, list) and statement in block:
                return block
        return [statement]


def called(call: ast.Call) -> str:
    """The last name of what is called: `backward` of `loss.backward()`, `SGD` of `torch.optim.SGD(…)`."""
    return last_name(call.func)


def last_name(node: ast.AST) -> str:
    """The last name of a dotted expression; '' of anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def names_in(node: ast.AST) -> set[str]:
    """The names that are read inside a node."""
    return {
        inner.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load)
    }


def targets_of(statement: ast.stmt) -> list[ast.expr]:
    """What a statement assigns to, tuples taken apart."""
    if isinstance(statement, ast.Assign):
        found = list(statement.targets)
    elif isinstance(statement, ast.AugAssign | ast.AnnAssign | ast.For | ast.AsyncFor):
        found = [statement.target]
    else:
        return []
    flat: list[ast.expr] = []
    while found:
        target = found.pop(0)
        if isinstance(target, ast.Tuple | ast.List):
            found = [*target.elts, *found]
        else:
            flat.append(target)
    return flat


def _parsed(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_inside_block(node: ast.stmt, outer: ast.stmt) -> bool:
    """Whether a statement on the first line of another is inside that one, as in `for … : x = 1`."""
    return (
        node.lineno == outer.lineno and any(child is node for child in ast.walk(outer)) and node is not outer
    )
