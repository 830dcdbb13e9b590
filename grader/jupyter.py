"""nbformat and nbclient, imported without the seconds that a grammar takes which nothing here needs.

nbformat imports jsonschema, and that tries to import what checks the formats of strings. Where JupyterLab is installed, one of these,
`rfc3987_syntax`, compiles its grammar as it is imported: for one to four seconds, each time. The schemas of notebooks have no such format.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["NotebookClient", "NotebookNode", "nbformat"]

GRAMMAR = "rfc3987_syntax"


@contextmanager
def _not_there(name: str) -> Iterator[None]:
    """While this goes on, a module cannot be imported, unless it is already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # how Python is told so
    try:
        yield
    finally:
        del sys.modules[name]


with _not_there(GRAMMAR):
    import nbformat
    from nbclient import NotebookClient
    from nbformat import NotebookNode
