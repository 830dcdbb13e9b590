"""Writes what commands really print into the pages that show it, where that is something else.

    python -m tests.measure.examples PAGE…

A block with … in it is left alone: what to leave out is for a person to choose.
"""

import sys
import tempfile
from pathlib import Path

from tests.examples import ROOT, examples
from tests.places_of_pages import furnish
from tests.walk import Walk


def rewritten(page: str) -> str:
    """The page with the output that its commands have now."""
    text, folder = (ROOT / page).read_text("utf-8"), Path(tempfile.mkdtemp())
    furnish(page, folder)
    lines, replaced = text.splitlines(), list[tuple[int, int, str]]()
    with Walk(folder) as walk:
        for example in examples(page):
            if example.said == "output" and "…" not in example.text:
                first = example.line  # the fence stands on it: this is the index of the first line inside
                replaced.append((first, first + len(example.text.splitlines()), walk.printed()))
            else:
                walk.step(example)
    for first, last, printed in reversed(replaced):
        lines[first:last] = printed.splitlines()
    return "\n".join(lines) + "\n"


def main() -> int:
    """Rewrite each page that is named."""
    for page in sys.argv[1:]:
        (ROOT / page).write_text(rewritten(page), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
