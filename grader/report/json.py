"""JSON: one report a line where several are written, else indented."""

import msgspec

from grader.report.document import Document


def render(document: Document, *, one_line: bool) -> str:
    """Encode a report."""
    encoded = msgspec.json.encode(document)
    return (encoded if one_line else msgspec.json.format(encoded, indent=2)).decode()
