"""What `grader.load` refuses, and the sentence it gives for it."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import UnreadableSubmission
from grader.load import MAX_BYTES, load
from tests.files import Document, code, notebook, old_code, old_notebook, worded

BAD_NOTEBOOKS: list[tuple[object, str]] = [
    ([notebook(code("w = 1"))], "file-no-notebook"),
    ("text", "file-no-notebook"),
    ({}, "file-no-notebook"),
    ({"cells": [code("w = 1")]}, "file-no-notebook"),
    ({"nbformat": 4}, "file-no-notebook"),
    ({"nbformat": "4", "cells": [code("w = 1")]}, "file-no-notebook"),
    (notebook(cells=None), "file-no-notebook"),
    (notebook(cells=5), "file-no-notebook"),
    (notebook(cells={"source": "w = 1"}), "file-no-notebook"),
    (notebook(cells=["w = 1"]), "file-no-notebook"),
    (notebook(cells=[None]), "file-no-notebook"),
    (notebook(code(5)), "file-no-notebook"),
    (notebook(code([1, 2])), "file-no-notebook"),
    (notebook(code({"w": 1})), "file-no-notebook"),
    ({"nbformat": 3, "worksheets": None}, "file-no-notebook"),
    ({"nbformat": 3, "worksheets": [None]}, "file-no-notebook"),
    ({"nbformat": 3, "worksheets": [{}]}, "file-no-notebook"),
    (old_notebook([old_code(5)]), "file-no-notebook"),
    (notebook(), "file-without-code"),
    (old_notebook(), "file-without-code"),
    (notebook({"cell_type": "markdown", "metadata": {}, "source": "text"}), "file-without-code"),
    (notebook(code(""), code(["\n", "  "])), "file-without-code"),
]
BAD_FILES: list[tuple[str, bytes, str]] = [
    ("a.ipynb", b"", "file-empty"),
    ("a.py", b" \r\n\t\n", "file-empty"),
    ("a.txt", b"", "file-empty"),
    ("a.ipynb", b"w = 1", "file-not-json"),
    ("a.ipynb", b'{"nbformat": 4, "cells": [', "file-not-json"),
    ("a.ipynb", b"\xef\xbb\xbf", "file-not-json"),
    ("a.ipynb", b"\x89PNG\r\n\x1a\n\0\0", "file-not-json"),
    ("a.ipynb", b"[" * 100_000, "file-not-json"),
    ("a.ipynb", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "file-not-json"),
    ("a.py", b"\x7fELF\0\0", "file-binary"),
    ("a.py", "斜率 = 1".encode("gbk"), "file-not-utf8"),
    ("a.py", b"# coding: klingon\nw = 1", "file-not-utf8"),
    ("a.py", b"# coding: zlib\nw = 1", "file-not-utf8"),
    ("a.py", b"# coding: idna\nw = 1", "file-not-utf8"),
    ("a.py", b"# coding: utf-7\ns = '+2AA-'", "file-not-utf8"),
    ("a.py", "\ufeff# coding: gbk\nw = 1".encode(), "file-not-utf8"),
    ("a.py", b"\xff\xfew", "file-not-utf8"),
    ("a.py", b"# only\n\n# comments\n", "file-without-code"),
    ("a.py", b"# %%\n\n# %%\n", "file-without-code"),
    ("a.py", b"# %% [markdown]\n# text\n", "file-without-code"),
    ("a.txt", b"w = 1", "file-neither-kind"),
    ("notebook", b"w = 1", "file-neither-kind"),
]


def refused(path: Path) -> str:
    """Load a bad file; its sentence must exist in every language and name the file."""
    with pytest.raises(UnreadableSubmission) as caught:
        load(path)
    assert all(str(path) in sentence for sentence in worded(caught.value))
    return caught.value.text


@pytest.mark.parametrize(("document", "text"), BAD_NOTEBOOKS)
def test_refuses_what_is_no_notebook(tmp_path: Path, document: object, text: str) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(document))
    assert refused(path) == text


@pytest.mark.parametrize(("name", "content", "text"), BAD_FILES, ids=range(len(BAD_FILES)))
def test_refuses_what_is_neither_notebook_nor_module(
    tmp_path: Path, name: str, content: bytes, text: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert refused(path) == text


def make_large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)


def make_fifo(path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda path: None, "file-missing"),
        (lambda path: path.symlink_to(path), "file-is-link"),
        (Path.mkdir, "file-is-folder"),
        (make_large, "file-too-large"),
        (make_fifo, "file-not-regular"),
    ],
)
@pytest.mark.parametrize("name", ["a.ipynb", "a.py"])
def test_refuses_what_is_no_ordinary_file(
    tmp_path: Path, name: str, make: Callable[[Path], None], text: str
) -> None:
    path = tmp_path / name
    make(path)
    assert refused(path) == text


def test_refuses_a_name_that_the_system_cannot_hold(tmp_path: Path) -> None:
    assert refused(tmp_path / ("a" * 300 + ".py")) in {"file-unreadable", "file-missing"}


TEXT = st.text("w =\n", max_size=3)
FIELDS = st.sampled_from(["cells", "cell_type", "source", "input", "metadata", "grader", "exercise"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just("code") | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=8,
)
NOTEBOOKS = st.fixed_dictionaries(
    {"nbformat": st.integers(3, 4)},
    optional={
        "cells": JSON | st.lists(st.builds(code, JSON), max_size=3),
        "worksheets": JSON | st.lists(st.fixed_dictionaries({"cells": JSON}), max_size=2),
        "metadata": JSON,
    },
)


@given(document=NOTEBOOKS)
@settings(deadline=None)
def test_any_json_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
    path = tmp_path_factory.getbasetemp() / "any.ipynb"
    path.write_text(json.dumps(document))
    try:
        assert all(cell.source.strip() for cell in load(path).cells)
    except UnreadableSubmission as error:
        assert error.text in {"file-no-notebook", "file-without-code"}
