"""Text that is broken as it is read: English at its spaces, Chinese also between two characters.

Rich breaks lines at spaces alone, and a Chinese sentence has none.
"""

import re
from collections.abc import Iterator
from typing import Any

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.containers import Lines
from rich.text import Text

CHINESE = r"\u2e80-\u2fff\u3021-\u9fff\uf900-\ufaff"
# What cannot be parted: a Chinese character or a word, with opening marks before it and closing ones after it.
PIECE = re.compile(
    rf"[（《“‘「【]*(?:[{CHINESE}]|[^\s{CHINESE}，。；：、！？）》”’」】]+|)[，。；：、！？）》”’」】]*\s*"
)


class Line(Text):
    """A text of the report."""

    def wrap(self, console: Console, width: int, **_options: Any) -> Lines:
        """Break the text into lines of at most `width` cells."""
        lines = Lines()
        for line in self.split(allow_blank=True):
            line.expand_tabs()
            lines.extend(line.divide(breaks(line.plain, width)))
        for line in lines:
            line.rstrip()
        return lines


def breaks(text: str, width: int) -> Iterator[int]:
    """The places at which a line of text is broken."""
    used = 0
    for piece in PIECE.finditer(text):
        start, (head, *rest) = piece.start(), chop_cells(piece[0].rstrip(), width) or [""]
        if used and (rest or used + cell_len(head) > width):
            yield start
            used = 0
        for part in rest:
            start += len(head)
            yield start
            head, used = part, 0
        used += cell_len(head) + cell_len(piece[0]) - cell_len(piece[0].rstrip())
