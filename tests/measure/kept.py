"""Keeps what was measured in docs/measurements.md, each thing between two marks of its own."""

import datetime
from pathlib import Path

KEPT = Path(__file__).parents[2] / "docs" / "measurements.md"


def keep(name: str, command: str, text: str) -> None:
    """Put new figures in the place of the last ones, with the date and the command that made them."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, _, rest = KEPT.read_text("utf-8").partition(begin)
    _, _, after = rest.partition(end)
    today = datetime.datetime.now(tz=datetime.UTC).date()
    KEPT.write_text(f"{before}{begin}\n\n`{command}`, {today}:\n\n{text}\n{end}{after}", "utf-8")
