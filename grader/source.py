"""The submission's source: magics neutralised, so that every cell is plain Python, line for line.

What is run is then exactly what is analysed, and nothing here runs a shell or changes a setting.
"""

import ast
import re
import warnings
from textwrap import dedent

from grader.model import Text

# A magic has a name, which tells it from a `%` that goes on with the expression of the line before.
ASSIGNED_MAGIC = re.compile(r"^(?P<target>[\w.\[\], '\"\t]+=\s*)(?P<mark>%(?=\s*[a-zA-Z])|!)(?P<rest>.*)$")
LINE_MAGIC = re.compile(r"^(?P<indent>\s*)(?P<mark>%%?(?=\s*[a-zA-Z])|!!?)(?P<rest>.*)$")
HELP = re.compile(r"^(?P<indent>\s*)(\?{1,2}[\w.]+|[\w.]+\?{1,2})\s*$")

# Magics whose line (or cell) is Python that the notebook means to run.
RUNS_ITS_LINE = {"time", "timeit", "prun", "capture"}
RUNS_ITS_CELL = RUNS_ITS_LINE
# Options of %timeit and %prun, with or without a value: `-n 10 -r3 -q`, `-s cumulative`.
OPTIONS = re.compile(r"^(-[DTls]\s*\S+\s+|-[a-zA-Z]+\s*\d*\s+)*")
# Each costs a parse of its cell, so that a file made of them would keep the grader busy for hours.
MAX_MAGICS = 100
MAX_PARSED = 2_000_000
MAX_NOTED = 200

# What has a notebook graded is left out of the grading without a word.
OURS = re.compile(r"^\s*%\s*(grade|(re)?load_ext\s+grader)\b")

PYTHON_2 = re.compile(
    r"^[ \t]*(print\s+[^\s(=]|exec\s+['\"]|raise\s+\w+\s*,)|except\s+[\w.]+\s*,\s*\w+\s*:", re.MULTILINE
)


def neutralise(source: str, cell: int) -> tuple[str, tuple[Text, ...]]:
    """Replace the magics and shell lines of a cell by plain Python of as many lines.

    Only lines at which Python itself stumbles are touched, so a `%` inside a string or an expression
    stays. Returns the new source and a note for each line left out.
    """
    lines = source.split("\n")
    first = next((n for n, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return source, ()
    if lines[first][0].isspace():
        lines = dedent(source).split("\n")  # as IPython does
    if lines[first].startswith("%%"):
        return _neutralise_cell_magic(lines, first, cell)
    return _neutralise_lines(lines, cell)


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
    note = _note(cell, first, line)
    if name in RUNS_ITS_CELL:
        rest = lines.copy()
        rest[first] = "# " + line
        source, notes = neutralise("\n".join(rest), cell)
        return source, (note, *notes)
    return "\n".join("# " + text for text in lines), (note,)


def _neutralise_lines(lines: list[str], cell: int) -> tuple[str, tuple[Text, ...]]:
    notes: dict[int, Text] = {}
    for _ in range(_parses(lines)):
        bad = _first_bad_line("\n".join(lines))
        if bad is None or bad >= len(lines):
            break
        note = _note(cell, bad, lines[bad])
        ours = OURS.match(lines[bad])
        if not _neutralise_line(lines, bad):
            break
        if not ours:
            notes.setdefault(bad, note)
    return "\n".join(lines), tuple(notes[index] for index in sorted(notes))


def _parses(lines: list[str]) -> int:
    """How often a cell may be parsed; not at all where no line looks like a magic."""
    if all(_plain(line) is None for line in lines):
        return 0
    return min(MAX_MAGICS, MAX_PARSED // sum(len(line) + 1 for line in lines))


def _note(cell: int, index: int, line: str) -> Text:
    return Text(
        id="magic-ignored", params={"cell": cell, "line": index + 1, "text": line.strip()[:MAX_NOTED]}
    )


def _neutralise_line(lines: list[str], index: int) -> bool:
    """Neutralise the line at `index` in place (and its continuations); False if it is no magic."""
    line = lines[index]
    plain = _plain(line)
    if plain is None:
        return False
    lines[index] = plain
    if plain.endswith("\\"):
        return True  # the statement that a %time runs goes on there
    while line.rstrip().endswith("\\") and index + 1 < len(lines):
        index += 1
        line = lines[index]
        lines[index] = "# " + line
    return True


def _plain(line: str) -> str | None:
    """Write a magic as a line of Python; None if it is no magic."""
    left_out = "  # " + line.strip().rstrip("\\")
    if match := LINE_MAGIC.match(line):
        return match["indent"] + (_kept_statement(match) or "pass" + left_out)
    if match := ASSIGNED_MAGIC.match(line):
        return match["target"] + (_kept_statement(match) or "[]" + left_out)
    if match := HELP.match(line):
        return match["indent"] + "pass" + left_out
    return None


def _kept_statement(magic: re.Match[str]) -> str | None:
    """Return the statement that a magic such as `%time` runs; None for all other magics."""
    if magic["mark"] != "%":
        return None
    name, *statement = magic["rest"].split(maxsplit=1)
    if name not in RUNS_ITS_LINE or not statement:
        return None
    return OPTIONS.sub("", statement[0]) or None
