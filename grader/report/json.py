"""JSON: one report a line where several are written, else indented."""

import msgspec

from grader.report.document import Document
from grader.report.escape import in_json


def render(document: Document, *, one_line: bool) -> str:
    """Encode a report, so that it can also be read in a terminal."""
    encoded = msgspec.json.encode(document)
    return in_json((encoded if one_line else msgspec.json.format(encoded, indent=2)).decode())
