"""The submission's source: magics neutralised, so that every cell is plain Python, line for line.

What is run is then exactly what is analysed, and nothing here runs a shell or changes a setting.
"""

import ast
import re
import warnings

from grader.model import Text

ASSIGNED_MAGIC = re.compile(r"^(?P<target>\s*[\w.\[\], ]+=\s*)(?P<mark>[%!])(?P<rest>.*)$")
LINE_MAGIC = re.compile(r"^(?P<indent>\s*)(?P<mark>%%?|!!?)(?P<rest>.*)$")
HELP = re.compile(r"^(?P<indent>\s*)(\?{1,2}[\w.]+|[\w.]+\?{1,2})\s*$")

# Magics whose line (or cell) is Python that the notebook means to run.
RUNS_ITS_LINE = {"time", "timeit", "prun", "capture"}
RUNS_ITS_CELL = RUNS_ITS_LINE
# Options of %time and %timeit, with or without a value: `-n 10 -r3 -q`.
OPTIONS = re.compile(r"^(-[a-zA-Z]+\s*\d*\s+)*")

PYTHON_2 = re.compile(r"^\s*(print\s+[^\s(=]|exec\s+['\"]|raise\s+\w+\s*,)|except\s+[\w.]+\s*,\s*\w+\s*:", re.MULTILINE)


def neutralise(source: str, cell: int) -> tuple[str, tuple[Text, ...]]:
    """Replace the magics and shell lines of a cell by plain Python of as many lines.

    Only lines at which Python itself stumbles are touched, so a `%` inside a string or an expression
    stays. Returns the new source and a note for each line left out.
    """
    lines = source.split("\n")
    first = next((n for n, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return source, ()
    if lines[first].startswith("%%"):
        return _neutralise_cell_magic(lines, first, cell)
    notes: list[Text] = []
    while (bad := _first_bad_line("\n".join(lines))) is not None:
        if not (done := _neutralise_line(lines, bad, cell)):
            break
        notes.extend(done)
    return "\n".join(lines), tuple(notes)


def looks_like_python_2(source: str) -> bool:
    """Whether a source that Python 3 cannot parse has the marks of Python 2."""
    return _first_bad_line(source) is not None and PYTHON_2.search(source) is not None


def _first_bad_line(source: str) -> int | None:
    """Index of the line at which Python stops parsing; None if it parses."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in learners' strings is not our affair
            ast.parse(source)
    except SyntaxError as error:
        return (error.lineno or 1) - 1
    except (ValueError, RecursionError, MemoryError):
        return None  # null bytes or absurd nesting: the kernel will say so
    return None


def _neutralise_cell_magic(lines: list[str], first: int, cell: int) -> tuple[str, tuple[Text, ...]]:
    line = lines[first]
    name = line[2:].split(maxsplit=1)[0] if line[2:].strip() else ""
    note = Text(id="magic-ignored", params={"cell": cell, "line": first + 1, "text": line.strip()})
    if name in RUNS_ITS_CELL:
        rest = lines.copy()
        rest[first] = "# " + line
        source, notes = neutralise("\n".join(rest), cell)
        return source, (note, *notes)
    return "\n".join("# " + text for text in lines), (note,)


def _neutralise_line(lines: list[str], index: int, cell: int) -> list[Text]:
    """Neutralise the line at `index` in place (and its continuations); empty if it is no magic."""
    if index >= len(lines):
        return []
    line = lines[index]
    note = Text(id="magic-ignored", params={"cell": cell, "line": index + 1, "text": line.strip()})
    if match := LINE_MAGIC.match(line):
        lines[index] = _plain(match["indent"], match["mark"], match["rest"], line)
    elif match := ASSIGNED_MAGIC.match(line):
        kept = _kept_statement(match["rest"]) if match["mark"] == "%" else None
        lines[index] = match["target"] + (kept or "[]  # " + line.strip())
    elif match := HELP.match(line):
        lines[index] = f"{match['indent']}pass  # {line.strip()}"
    else:
        return []
    while line.rstrip().endswith("\\") and index + 1 < len(lines):
        index += 1
        line = lines[index]
        lines[index] = "# " + line
    return [note]


def _plain(indent: str, mark: str, rest: str, line: str) -> str:
    kept = _kept_statement(rest) if mark == "%" else None
    return indent + kept if kept else f"{indent}pass  # {line.strip()}".rstrip("\\")


def _kept_statement(rest: str) -> str | None:
    """The statement that a magic such as `%time` runs; None for all other magics."""
    name, _, statement = rest.strip().partition(" ")
    if name not in RUNS_ITS_LINE:
        return None
    return OPTIONS.sub("", statement.strip()) or None
