"""A report in the browser: where its page is written if nobody says where, and how it is opened."""

import tempfile
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from grader.errors import UsageError


def page_for(files: Sequence[Path]) -> Path:
    """A file in a new temporary folder, named after the submission. It stays, since the browser reads it after us.

    Raises UsageError where there may be more than one.
    """
    if len(files) > 1 or files[0].suffix not in (".ipynb", ".py"):
        raise UsageError("open-one")
    return Path(tempfile.mkdtemp(prefix="grader-")) / f"{files[0].stem}.html"


def show_page(page: Path) -> None:
    """Open a page that was written; nothing happens where there is no browser, and then its path still helps."""
    if page.is_file() and page.stat().st_size and not webbrowser.open(page.resolve().as_uri()):
        print(page)  # noqa: T201 - on the standard output, where the report would have been
