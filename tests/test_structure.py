"""The arrows between the modules of `grader/`, and what all of its files owe."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.drawn import DISCOVERED, MAY_IMPORT

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "grader"
MAX_LINES = 300

# What a module may call while it is imported: making patterns, tables and descriptions, and no more.
HARMLESS = {
    *("frozenset", "dict.fromkeys", "MappingProxyType", "re.compile", "Path", "ParamSpec", "TypeVar"),
    *("Scale", "Watch", "Bounds", "ChosenLimits", "Limits", "Rate", "Text", "Words"),
    *("json.JSONEncoder", "json.JSONDecoder"),
    *("mapped_column", "ForeignKey", "Index", "MetaData", "UniqueConstraint"),
    *("msgspec.Meta", "msgspec.field", "typer.Typer", "typer.Argument", "typer.Option", "app.add_typer"),
}
ON_PURPOSE = {
    # Import others without what costs them seconds.
    "jupyter": {"_not_there"},
    # Look up, before any learner's code can replace them, the functions that values are read with.
    "probe.encode": {"getattr", "id", "np.dtype", "sorted", "tuple", "_items"},
    "probe.tensors": {"getattr", "id"},
    "probe.places": {"id"},
}
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def name_of(path: Path) -> str:
    """A module's name without the `grader.` in front; `grader` itself keeps its name."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "grader"


def may_import(name: str) -> set[str]:
    """The modules that a module may import."""
    drawn = next((drawn for folder, drawn in DISCOVERED.items() if name.startswith(folder)), None)
    drawn = MAY_IMPORT[name] if drawn is None else drawn
    patterns = drawn.split()
    return {module for module in FILES if any(fnmatch(module, pattern) for pattern in patterns)}


FILES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in FILES.items()}
WRITTEN = [
    path.relative_to(ROOT).as_posix()
    for folder in ("grader", "tests", "exercises", "reference")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not path.is_relative_to(ROOT / "tests" / "corpus")
]


def imports(name: str) -> set[str]:
    """The modules of grader that a module imports anywhere in it."""
    found = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative import"
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                found.add(inside if inside.removeprefix("grader.") in FILES else str(node.module))
    return {module.removeprefix("grader.") for module in found if module.split(".")[0] == "grader"}


def cycle_through(name: str) -> list[str]:
    """The shortest way from a module back to itself along imports; empty if there is none."""
    ways = [[name]]
    seen: set[str] = set()
    for way in ways:
        for following in sorted(imports(way[-1])):
            if following == name:
                return [*way, name]
            if following not in seen:
                seen.add(following)
                ways.append([*way, following])
    return []


def test_every_module_is_drawn() -> None:
    assert set(MAY_IMPORT) == {name for name in FILES if not name.startswith(tuple(DISCOVERED))}


@pytest.mark.parametrize("name", FILES)
def test_imports_only_along_drawn_arrows(name: str) -> None:
    assert imports(name) - may_import(name) == set()


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_no_arrow_is_drawn_in_vain(name: str) -> None:
    assert set(MAY_IMPORT[name].split()) - imports(name) == set()


@pytest.mark.parametrize("name", FILES)
def test_imports_do_not_come_round(name: str) -> None:
    assert cycle_through(name) == []


def test_probe_stands_alone() -> None:
    for name in FILES:
        if name.startswith("probe"):
            assert {module for module in imports(name) if not module.startswith("probe")} == set(), name


def test_nothing_imports_the_command_line() -> None:
    assert [name for name in FILES if "cli" in imports(name)] == ["__main__"]


# ---- what every file owes -----------------------------------------------------------------------


@pytest.mark.parametrize("path", WRITTEN)
def test_file_stays_short(path: str) -> None:
    lines = (ROOT / path).read_text("utf-8").count("\n")
    assert lines <= MAX_LINES


@pytest.mark.parametrize("name", FILES)
def test_public_things_are_documented(name: str) -> None:
    assert ast.get_docstring(TREES[name]) is not None
    assert [thing.name for thing in public(TREES[name]) if ast.get_docstring(thing) is None] == []


def public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """The public functions and classes of a module; the methods of a class are its own affair."""
    for node in tree.body:
        if isinstance(node, DEFINITIONS) and not node.name.startswith("_"):
            yield node


@pytest.mark.parametrize("name", FILES)
def test_does_no_work_at_import(name: str) -> None:
    assert calls_at_import(TREES[name].body) - HARMLESS - ON_PURPOSE.get(name, set()) == set()


def calls_at_import(body: list[ast.stmt]) -> set[str]:
    """What the statements call outside functions: in a module and in the bodies of its classes."""
    called = set()
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            called |= calls_at_import(statement.body)
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and not runs_as_program(
            statement
        ):
            called |= {ast.unparse(call.func) for call in calls_at_once(statement)}
    return called


def calls_at_once(node: ast.AST) -> Iterator[ast.Call]:
    """The calls in an expression or statement; those inside a lambda wait until it is called."""
    if isinstance(node, ast.Call):
        yield node
    if not isinstance(node, ast.Lambda):
        for part in ast.iter_child_nodes(node):
            yield from calls_at_once(part)


def runs_as_program(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and ast.unparse(statement.test) == "__name__ == '__main__'"
