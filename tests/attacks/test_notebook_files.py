"""Notebook and module files made to do harm to whoever reads them: they are read or refused, within bounds.

Memory and processor time are bounded by the system, in a process of its own; each control shows that a
careless reader goes beyond the same bounds.
"""

import errno
import json
import os
import signal
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import UnreadableSubmission
from grader.files import read_file
from grader.load import MAX_CELLS, MAX_CODE, MAX_NOTES, load
from tests.attacks.bounded import bounded
from tests.command import Outcome, python
from tests.files import code, load_module, load_notebook, notebook, sources


def refused(path: Path) -> str:
    with pytest.raises(UnreadableSubmission) as caught:
        load(path)
    return caught.value.text


# ---- files that are none ------------------------------------------------------------------------


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Its lines would be shown to whoever handed it in."""
    (tmp_path / "secret").write_text("key = 'only the teacher can read this'")
    link = tmp_path / "a.py"
    link.symlink_to("secret")
    assert refused(link) == "file-is-link"
    assert "only the teacher" in link.read_text()  # control


def test_a_pipe_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.py")
    assert refused(tmp_path / "a.py") == "file-not-regular"
    careless = "import signal\nfrom pathlib import Path\nsignal.alarm(2)\nPath('a.py').read_text()"
    assert python("-c", careless, folder=tmp_path).code == -signal.SIGALRM  # control


@pytest.mark.parametrize(("make", "text"), [("fifo", "file-not-regular"), ("link", "file-is-link")])
def test_a_file_exchanged_after_the_first_look_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: str, text: str
) -> None:
    (tmp_path / "secret").write_text("key = 1")
    path = tmp_path / "a.py"
    os.mkfifo(path) if make == "fifo" else path.symlink_to("secret")
    ordinary = (tmp_path / "secret").lstat()
    monkeypatch.setattr(Path, "lstat", lambda _: ordinary)
    assert stat.S_ISREG(path.lstat().st_mode)  # control: whoever trusts the first look goes on
    assert refused(path) == text


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_a_device_is_not_opened(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("opened"))
    with pytest.raises(UnreadableSubmission) as caught:
        read_file(Path(device), 10)
    assert caught.value.text == "file-not-regular"


def test_of_a_file_that_grows_no_more_is_read_than_the_bound(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"x" * 100)
    assert read_file(tmp_path / "a.py", 10) == b"x" * 11


def test_a_name_in_a_loop_or_too_long_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").symlink_to("a.py")
    assert refused(tmp_path / "a.py") == "file-is-link"
    with pytest.raises(OSError) as caught:
        (tmp_path / "a.py").read_bytes()
    assert caught.value.errno == errno.ELOOP  # control


# ---- memory and time ----------------------------------------------------------------------------

IMPORTS = "import ast, json\nfrom grader.errors import UnreadableSubmission\nfrom grader.load import load"
MEGABYTES = 500
OURS = """
for path in sorted(Path().glob("bomb.*")):
    try:
        print("read", len(load(path).cells))
    except UnreadableSubmission as error:
        print(error.text)
"""
JSON_BOMBS = {
    "lists": (b"[" + b"[]," * 8_000_000 + b"0]", "file-too-detailed"),
    "objects": (b"[" + b'{"a":0},' * 3_000_000 + b"0]", "file-too-detailed"),
    "floats": (b"[" + b"1.5," * 6_000_000 + b"0]", "file-too-detailed"),
    "texts": (b"[" + b'"aa",' * 4_900_000 + b"0]", "file-too-detailed"),
    "as detailed as may be": (b"[" + b'{"a":0},' * 990_000 + b"0]", "file-no-notebook"),
    "one wide text": (b'"' + b"a" * 24_000_000 + "🙂".encode() + b'"', "file-no-notebook"),
    "deep lists": (b"[" * 24_000_000, "file-too-detailed"),
    "less deep lists": (b"[" * 1_900_000 + b"]" * 1_900_000, "file-not-json"),
    "deep objects": (b'{"a":' * 900_000, "file-not-json"),
    "in the metadata": (
        b'{"nbformat": 4, "cells": [], "metadata": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "file-not-json",
    ),
}


@pytest.mark.parametrize("what", JSON_BOMBS)
def test_json_takes_bounded_memory(tmp_path: Path, what: str) -> None:
    content, text = JSON_BOMBS[what]
    (tmp_path / "bomb.ipynb").write_bytes(content)
    assert bounded(IMPORTS, OURS, tmp_path, megabytes=MEGABYTES) == Outcome(0, text + "\n", "")


@pytest.mark.slow
@pytest.mark.parametrize("what", ["lists", "objects"])
def test_control_a_careless_reader_takes_more(tmp_path: Path, what: str) -> None:
    (tmp_path / "bomb.ipynb").write_bytes(JSON_BOMBS[what][0])
    done = bounded(IMPORTS, "json.loads(Path('bomb.ipynb').read_bytes())", tmp_path, megabytes=MEGABYTES)
    assert "MemoryError" in done.err


def test_a_file_of_many_gigabytes_is_not_read(tmp_path: Path) -> None:
    for name in ("bomb.ipynb", "bomb.py"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(20_000_000_000)
    done = bounded(IMPORTS, OURS, tmp_path, megabytes=MEGABYTES)
    assert done == Outcome(0, "file-too-large\n" * 2, "")
    careless = bounded(IMPORTS, "Path('bomb.ipynb').read_bytes()", tmp_path, megabytes=MEGABYTES)
    assert "MemoryError" in careless.err


N = 95_000
# Behind a magic, so that the grader has to parse them.
SOURCES = {
    "open brackets": "(" * N,
    "mixed brackets": "([{" * (N // 3),
    "nested brackets": "(" * 190 + "1" + ")" * 190,
    "minus signs": "-" * N + "1",
    "nots": "not " * (N // 4) + "1",
    "attributes": "a" + ".b" * N,
    "calls": "f" + "()" * N,
    "sums": "1" + "+1" * N,
    "powers": "1" + "**1" * (N // 2),
    "lambdas": "lambda:" * (N // 7) + "1",
    "elifs": "if 1:\n pass\n" + "elif 1:\n pass\n" * (N // 15),
    "commas": "a," * N,
    "targets": "a=" * N + "1",
    "decorators": "@a\n" * (N // 2) + "def f(): pass",
    "indented": "".join(" " * n + "if 1:\n" for n in range(99)) + " " * 99 + "pass",
    "placeholders": 'f"' + "{a}" * (N // 2) + '"',
    "placeholders in each other": 'f"' + "{a:" * 1_000 + "}" * 1_000 + '"',
    "a folded product": "'x' * 10**9 * 10**9",
    "a folded power": "9 ** 9 ** 9 ** 9",
    "a number of many digits": "1" * (2 * N),
    "NUL": "a = '\0'",
    "surrogates": "s = '\ud800'",
    "blank lines": "\n" * (2 * N),
    "magics": "!a\n" * (N // 2),
    "nested magics": "%time " * (N // 6),
    "blanks": "if 1:\n" + " " * N + "\n" + "\t" * N + "x",
}  # fmt: skip


def test_sources_take_bounded_memory_and_time_and_crash_nothing(tmp_path: Path) -> None:
    for n, source in enumerate(SOURCES.values()):
        (tmp_path / f"bomb.{n:02}.ipynb").write_text(json.dumps(notebook(code("!ls\n" + source))))
    done = bounded(IMPORTS, OURS, tmp_path, megabytes=MEGABYTES)
    assert done == Outcome(0, "read 1\n" * len(SOURCES), "")


def test_control_a_careless_parser_takes_more(tmp_path: Path) -> None:
    done = bounded(IMPORTS, "ast.parse('a,' * 2_000_000)", tmp_path, megabytes=MEGABYTES)
    assert "MemoryError" in done.err
    with pytest.raises((RecursionError, MemoryError)):
        compile(SOURCES["attributes"], "a.py", "exec")


def test_more_code_than_anyone_writes_is_refused(tmp_path: Path) -> None:
    limit = "w" * MAX_CODE
    assert sources(load_module(tmp_path, limit)) == [limit]
    assert sources(load_notebook(tmp_path, notebook(code(limit)))) == [limit]
    many = [code("1")] * MAX_CELLS
    assert len(load_notebook(tmp_path, notebook(*many)).cells) == MAX_CELLS
    for document in (notebook(code(limit), code("w")), notebook(*many, code("1"))):
        (tmp_path / "a.ipynb").write_text(json.dumps(document))
        assert refused(tmp_path / "a.ipynb") == "file-too-much-code"
    for module in (limit + "w", "\n" * 10_000_000 + "w", "# %%\nw\n" * (MAX_CELLS + 1)):
        (tmp_path / "a.py").write_text(module)
        assert refused(tmp_path / "a.py") == "file-too-much-code"


def test_a_million_cells_take_bounded_memory(tmp_path: Path) -> None:
    cell = b'{"cell_type":"code","source":"1"},'
    content = b'{"nbformat": 4, "cells": [' + (cell * 700_000)[:-1] + b"]}"
    (tmp_path / "bomb.ipynb").write_bytes(content)
    done = bounded(IMPORTS, OURS, tmp_path, megabytes=MEGABYTES)
    assert done == Outcome(0, "file-too-detailed\n", "")


def test_magics_without_number_leave_a_bounded_number_of_short_notes(tmp_path: Path) -> None:
    cells = [code(f"!{'x' * 500}\n" * 5)] * 70
    notes = load_notebook(tmp_path, notebook(*cells)).notes
    assert len(notes) == MAX_NOTES
    assert {len(str(note.params["text"])) for note in notes} == {200}


# ---- anything -----------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters() | st.just("\ud800")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
HEADS = st.sampled_from(
    [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"# coding: ", b'{"nbformat": 4, "cells": ']
)


@given(
    head=HEADS,
    content=st.binary() | JSON.map(lambda value: json.dumps(value).encode()),
    name=st.sampled_from(["a.py", "a.ipynb"]),
)
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, content: bytes, name: str
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(head + content)
    try:
        assert load(path).cells
    except UnreadableSubmission as error:
        assert error.params["path"] == str(path)
