"""Builds the files that tests hand in, and words the errors that they meet."""

import json
from pathlib import Path
from typing import Any, get_args

import msgspec

from grader.errors import GraderError
from grader.load import load
from grader.model import Language, Parameters, Submission
from grader.text import say

Document = dict[str, Any]


def code(source: object, **fields: object) -> Document:
    """Build a code cell as nbformat 4.5 has it, save for its id."""
    cell = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
    return cell | fields


def old_code(source: object, **fields: object) -> Document:
    """Build a code cell of nbformat 3."""
    cell = {"cell_type": "code", "input": source, "language": "python", "collapsed": False, "metadata": {}}
    return cell | fields


def notebook(*cells: Document, **fields: object) -> Document:
    """Build a notebook of nbformat 4.5."""
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)} | fields


def old_notebook(*worksheets: list[Document]) -> Document:
    """Build a notebook of nbformat 3."""
    sheets = [{"cells": cells, "metadata": {}} for cells in worksheets]
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": sheets}


def load_bytes(folder: Path, name: str, content: bytes) -> Submission:
    """Write a file and load it."""
    path = folder / name
    path.write_bytes(content)
    return load(path)


def load_notebook(folder: Path, document: Document) -> Submission:
    """Write a notebook and load it."""
    return load_bytes(folder, "a.ipynb", json.dumps(document).encode())


def load_module(folder: Path, source: str) -> Submission:
    """Write a module and load it."""
    return load_bytes(folder, "a.py", source.encode())


def sources(submission: Submission) -> list[str]:
    """List what would be run."""
    return [cell.source for cell in submission.cells]


def worded(error: GraderError) -> list[str]:
    """Word an error in each language; fails if a text or a parameter is missing."""
    params = msgspec.convert(error.params, Parameters)
    return [say(error.text, language, params) for language in get_args(Language)]
