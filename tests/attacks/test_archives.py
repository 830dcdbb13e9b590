"""Zip archives made to do harm: each entry ends in its own line, and what is sound beside it is graded.

Every attack has a control, which does with the same archive what a careless program does.
"""

import io
import json
import ntpath
import os
import posixpath
import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import archive
from grader.archive import is_safe
from grader.errors import UnreadableSubmission
from grader.load import MAX_BYTES, load_all
from tests.attacks.opening import GOOD, LAST, beside_good, opened, outcome
from tests.attacks.packing import STORED, Entry, pack
from tests.command import Outcome, grader
from tests.conftest import SAMPLE
from tests.files import code, notebook

OPTIONS = ("--exercise", "linear_regression", "--format", "json", "--unsafe-no-sandbox")
NOTEBOOK = json.dumps(notebook(code("w = 1"))).encode()


def unpacked_carelessly(content: bytes, folder: Path) -> None:
    """Unpack as programs did before they learnt: names are joined to the folder, and links are made."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            target = Path(os.path.join(folder, entry.orig_filename))  # noqa: PTH118
            target.parent.mkdir(parents=True, exist_ok=True)
            if stat.S_ISLNK(entry.external_attr >> 16):
                target.symlink_to(archive.read(entry).decode())
            else:
                target.write_bytes(archive.read(entry))


# ---- names --------------------------------------------------------------------------------------

ESCAPING = ["../out.py", "a/../../out.py", "./../out.py", "../../out.ipynb"]
ON_WINDOWS = ["C:\\out.py", "C:out.py", "0:out.py", "..\\out.py", "a\\..\\..\\out.py", "\\\\host\\share\\a.py",
              "c:/out.py"]  # fmt: skip
ODD = ["a//b.py", "./a.py", "a/./b.py", "con.py", "AUX.ipynb", "a/LPT1.py", "com¹.py", "NUL .py", "a /b.py",
       "a./b.py", "x" * 256 + ".py", "/".join(["d" * 200] * 6) + ".py", "a\0.py"]  # fmt: skip
DECEIVING = ["a\x1b[8m.py", "a\x1b]8;;http://x\x07.py", "a\r✔.py", "a\nb.py", "\u202eyp.a.py", "a\u200b.py",
             "\u2066a.py", "a\x9b1A.py", "a\u2028.py", "a\ue000.py"]  # fmt: skip


@pytest.mark.parametrize("name", [*ESCAPING, *ON_WINDOWS, *ODD, *DECEIVING, "/etc/out.py"])
def test_a_name_that_is_not_plain_costs_its_entry(tmp_path: Path, name: str) -> None:
    assert beside_good(tmp_path, Entry(name=name)) == ["entry-name-unsafe"]


@pytest.mark.parametrize("name", ESCAPING)
def test_control_a_careless_program_writes_outside(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in" / "side"
    folder.mkdir(parents=True)
    unpacked_carelessly(pack(Entry(name=name)), folder)
    assert [path for path in tmp_path.rglob("out.*") if not path.resolve().is_relative_to(folder)]


@pytest.mark.parametrize("name", ON_WINDOWS)
def test_control_a_careless_program_on_windows_writes_outside(name: str) -> None:
    assert not ntpath.normpath(ntpath.join("D:\\in\\side", name)).startswith("D:\\in\\side\\")


@pytest.mark.parametrize("name", DECEIVING)
def test_control_a_careless_program_prints_what_deceives(name: str) -> None:
    printed = zipfile.ZipFile(io.BytesIO(pack(Entry(name=name)))).namelist()[0]
    assert any(unicodedata.category(letter) in {"Cc", "Cf", "Co", "Zl"} for letter in printed)


@pytest.mark.parametrize(
    "name",
    ["a.py", "学生/作业 1.ipynb", "Zoë O'Neil_12_file_/hw (2).ipynb", "a-b/..c.py", "conx.py", "-a.py"],
)
def test_a_plain_name_is_read(tmp_path: Path, name: str) -> None:
    content = b"w = 1" if name.endswith(".py") else NOTEBOOK
    assert beside_good(tmp_path, Entry(name=name, content=content)) == ["w = 1"]


@pytest.mark.parametrize(("name", "encoding"), [("作业.py", "gbk"), ("作业.py", "utf-8"), ("é.py", "cp437")])
def test_a_name_in_an_old_code_page_is_read(tmp_path: Path, name: str, encoding: str) -> None:
    found = opened(tmp_path, pack(Entry(name=name.encode(encoding))))
    assert found == {f"class.zip/{name}": "w = 1"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a.py", "a.py"),
        ("a.py", "A.PY"),
        ("é.py", "e\u0301.py"),
        ("straße.py", "STRASSE.py"),
        ("ﬁ.py", "fi.py"),
    ],
)
def test_of_two_entries_with_one_name_the_first_counts(tmp_path: Path, first: str, second: str) -> None:
    twice = Entry(name=first, content=b"first = 1"), Entry(name=second, content=b"second = 1")
    path = tmp_path / "class.zip"
    path.write_bytes(pack(*twice))
    assert [outcome(handed_in) for handed_in in load_all(path)] == ["first = 1", "entry-name-twice"]
    # control: where both are written under the name as such a file system keeps it, the first is lost
    kept = {unicodedata.normalize("NFKC", entry.raw_name().decode()).casefold(): entry for entry in twice}
    assert [entry.content for entry in kept.values()] == [b"second = 1"]


@given(name=st.text(st.characters() | st.sampled_from("./\\:~ \0")).map(lambda name: name + ".py"))
@settings(deadline=None)
def test_no_safe_name_leads_outside(name: str) -> None:
    if is_safe(name):
        assert posixpath.normpath(posixpath.join("/in/side", name)) == "/in/side/" + name
        inside = ntpath.normpath(ntpath.join("D:\\in\\side", name))
        assert inside == "D:\\in\\side\\" + name.replace("/", "\\")


# ---- what is no file ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK, stat.S_IFDIR]
)
def test_a_link_or_device_is_left_out(tmp_path: Path, kind: int) -> None:
    entry = Entry(name="link.py", content=b"/etc/passwd", mode=kind | 0o777)
    assert beside_good(tmp_path, entry) == ["entry-not-regular"]


def test_control_a_careless_program_follows_the_link(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("reference")
    link = Entry(name="link.py", content=b"../secret", mode=stat.S_IFLNK | 0o777)
    (tmp_path / "in").mkdir()
    unpacked_carelessly(pack(link), tmp_path / "in")
    assert (tmp_path / "in" / "link.py").read_text() == "reference"


def test_what_systems_add_and_what_is_no_submission_is_passed_over(tmp_path: Path) -> None:
    names = ("__MACOSX/a/._hw.ipynb", "a/._hw.py", "a/.ipynb_checkpoints/hw.ipynb", "data.csv", "folder.py/")
    assert beside_good(tmp_path, *(Entry(name=name) for name in names)) == []


def test_an_archive_in_the_archive_is_not_opened(tmp_path: Path) -> None:
    inner = pack(Entry(name="a.py"))
    names = ("inner.zip", "inner.ZIP", "inner.tar.gz", "inner.7z")
    found = beside_good(tmp_path, *(Entry(name=name, content=inner, method=STORED) for name in names))
    assert found == ["entry-is-archive"] * 4


# ---- the archive itself -------------------------------------------------------------------------


def test_an_entry_may_be_as_large_as_a_file(tmp_path: Path) -> None:
    head = b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "w = 1"}], "x": "'
    for size, text in ((MAX_BYTES, "w = 1"), (MAX_BYTES + 1, "file-too-large")):
        content = head + b"x" * (size - len(head) - 2) + b'"}'
        assert opened(tmp_path, pack(Entry(name="a.ipynb", content=content))) == {"class.zip/a.ipynb": text}


SOUND = pack(GOOD, LAST)
WHOLE = {
    "empty": (b"", "file-empty"),
    "text": (b"hello", "archive-damaged"),
    "rar": (b"Rar!\x1a\x07\x01\x00" * 9, "archive-damaged"),
    "cut off": (SOUND[:-30], "archive-damaged"),
    "without its directory": (SOUND[:-22], "archive-damaged"),
    "a cut directory": (SOUND[: SOUND.index(b"PK\1\2")] + SOUND[-60:], "archive-damaged"),
    "no entries": (pack(), "archive-without-submissions"),
    "no submissions": (pack(Entry(name="a.txt")), "archive-without-submissions"),
    "a bad name in UTF-8": (pack(Entry(name=b"\xff.py", flags=0x800)), "archive-damaged"),
    "a bad zip64 field": (pack(Entry(name="a.py", size=2**32 - 1, extra=b"\1\0\4\0abcd")), "archive-damaged"),
    "a version of the future": (SOUND.replace(b"PK\1\2\0\3\x14\0", b"PK\1\2\0\3\xff\0"), "archive-damaged"),
    "a comment that looks like the end": (pack(GOOD, comment=b"PK\5\6" * 16_000), "archive-damaged"),
    "too many": (pack(*(Entry(name=f"{n}.txt") for n in range(2_001))), "archive-too-many"),
}


@pytest.mark.parametrize("what", WHOLE)
def test_an_archive_that_cannot_be_read_ends_in_one_line(tmp_path: Path, what: str) -> None:
    content, text = WHOLE[what]
    assert opened(tmp_path, content) == {"class.zip": text}


def test_control_the_sound_archive_is_read(tmp_path: Path) -> None:
    sound = {"class.zip/good.py": "good = 1", "class.zip/z/last.py": "last = 1"}
    assert opened(tmp_path, SOUND) == sound
    assert opened(tmp_path, pack(GOOD, LAST, comment=b"c" * 65_535)) == sound
    assert opened(tmp_path, b"#!/bin/sh\n" + SOUND) == sound
    assert opened(tmp_path, SOUND, "CLASS.ZIP") == {
        f"CLASS.ZIP{name[9:]}": text for name, text in sound.items()
    }


def test_an_archive_with_sizes_of_64_bits_is_read(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive, archive.open("a.py", "w", force_zip64=True) as file:
        file.write(b"w = 1")
    assert opened(tmp_path, content.getvalue()) == {"class.zip/a.py": "w = 1"}


def test_a_larger_archive_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.zip").open("wb") as file:
        file.truncate(archive.BY_HAND.packed + 1)
    assert [outcome(handed_in) for handed_in in load_all(tmp_path / "a.zip")] == ["archive-too-large"]


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz", "a.rar", "a.7z", "A.TAR.XZ"])
def test_of_archives_only_zip_is_opened(tmp_path: Path, name: str) -> None:
    assert opened(tmp_path, b"anything", name) == {name: "archive-other-kind"}


def test_an_archive_that_is_a_link_or_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.zip")
    (tmp_path / "link.zip").symlink_to("class.zip")
    (tmp_path / "class.zip").write_bytes(SOUND)
    found = [
        outcome(handed_in) for name in ("pipe", "link") for handed_in in load_all(tmp_path / f"{name}.zip")
    ]
    assert found == ["file-not-regular", "file-is-link"]


@given(data=st.data())
@settings(deadline=None, max_examples=300)
def test_a_damaged_archive_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(pack(GOOD, Entry(name="a.py", method=STORED), LAST, comment=b"comment"))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    path.write_bytes(content)
    for handed_in in load_all(path):
        assert outcome(handed_in)
        name = handed_in.name.removeprefix("damaged.zip/")
        assert isinstance(handed_in.submission, UnreadableSubmission) or is_safe(name)


# ---- at the command line ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Outcome]]:
    """The outcome of an archive of four, two of them sound, and of a module after it."""
    folder = tmp_path_factory.mktemp("out") / "a" / "class"
    folder.mkdir(parents=True)
    entries = (
        Entry(name="anna/hw.ipynb", content=SAMPLE.read_bytes()),
        Entry(name="../../out.ipynb", content=SAMPLE.read_bytes()),
        Entry(name="\x1b[8mben\u202e.ipynb"),
        Entry(name="carl/hw.py", content=b"w = 1"),
    )
    (folder / "class.zip").write_bytes(pack(*entries))
    (folder / "z.py").write_text("w = 1")
    yield folder, grader("check", "class.zip", "z.py", *OPTIONS, folder=folder)


def test_each_submission_of_an_archive_has_its_report(graded: tuple[Path, Outcome]) -> None:
    found = [json.loads(line) for line in graded[1].out.splitlines()]
    assert [(report["submission"]["name"], report["score"]) for report in found] == [
        ("class.zip/anna/hw.ipynb", 10),
        ("class.zip/../../out.ipynb", None),
        ("class.zip/\x1b[8mben\u202e.ipynb", None),
        ("class.zip/carl/hw.py", 0),
        ("z.py", 0),
    ]
    assert graded[1].code == 2


def test_what_is_refused_has_one_line_that_shows_it_harmlessly(graded: tuple[Path, Outcome]) -> None:
    lines = graded[1].err.splitlines()
    assert len(lines) == 2
    assert all("its name leads out of the archive" in line for line in lines)
    assert "\x1b" not in graded[1].err + graded[1].out
    assert r"class.zip/\x1b[8mben\u202e.ipynb" in lines[1]


def test_nothing_is_written_to_disk(graded: tuple[Path, Outcome]) -> None:
    folder = graded[0]
    assert sorted(path.name for path in folder.rglob("*")) == ["class.zip", "z.py"]
    assert not list(folder.parents[1].rglob("out.ipynb"))


@pytest.mark.slow
def test_an_archive_of_one_writes_one_report_a_line(tmp_path: Path) -> None:
    (tmp_path / "one.zip").write_bytes(pack(Entry(name="a.py")))
    done = grader("check", "one.zip", *OPTIONS, folder=tmp_path)
    assert (done.code, done.out.count("\n")) == (1, 1)
