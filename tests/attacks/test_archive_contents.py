"""Entries that are not what they say, and bombs: none is unpacked further than its bound.

Every attack has a control, which does with the same archive what a careless program does.
"""

import bz2
import contextlib
import io
import zipfile
from pathlib import Path

import pytest

from grader import archive
from grader.load import load_all
from tests.attacks.bounded import bounded
from tests.attacks.opening import GOOD, LAST, beside_good, opened, outcome
from tests.attacks.packing import Entry, deflated, pack, zeros

# ---- what is packed -----------------------------------------------------------------------------

UNTRUE = {
    "encrypted": (Entry(name="a.py", flags=0x1), "entry-encrypted"),
    "strongly encrypted": (Entry(name="a.py", flags=0x41), "entry-encrypted"),
    "another method": (Entry(name="a.py", method=12, body=bz2.compress(b"w = 1")), "entry-method"),
    "an unknown method": (Entry(name="a.py", method=99), "entry-method"),
    "a wrong sum": (Entry(name="a.py", crc=1), "entry-damaged"),
    "a size too large": (Entry(name="a.py", size=500), "entry-damaged"),
    "a size too small, with the sum of the part": (
        Entry(name="a.py", content=b"w = 1", body=deflated(b"w = 1\nw = 2")),
        "entry-damaged",
    ),
    "no deflated data": (Entry(name="a.py", body=b"\xff" * 40), "entry-damaged"),
    "cut off": (Entry(name="a.py", content=b"w = 1\n" * 9, body=deflated(b"w = 1\n" * 9)[:-3]), "entry-damaged"),
    "more after the end": (Entry(name="a.py", body=deflated(b"w = 1") + b"PK"), "entry-damaged"),
    "another name inside": (Entry(name="a.py", local_name=b"b.py"), "entry-damaged"),
    "begins beyond the end": (Entry(name="a.py", offset=2**31), "entry-damaged"),
    "begins inside another": (Entry(name="a.py", offset=1), "entry-overlaps"),
    "nothing in it": (Entry(name="a.py", content=b""), "file-empty"),
    "blanks in it": (Entry(name="a.py", content=b" \n"), "file-empty"),
    "no notebook": (Entry(name="a.ipynb"), "file-not-json"),
}  # fmt: skip


@pytest.mark.parametrize("what", [what for what in UNTRUE if what != "begins inside another"])
def test_an_entry_that_is_not_what_it_says_costs_itself(tmp_path: Path, what: str) -> None:
    entry, text = UNTRUE[what]
    assert beside_good(tmp_path, entry) == [text]


def test_entries_that_share_bytes_are_left_out_together(tmp_path: Path) -> None:
    entry, text = UNTRUE["begins inside another"]
    found = opened(tmp_path, pack(GOOD, entry, LAST))
    assert found == {"class.zip/good.py": text, "class.zip/a.py": text, "class.zip/z/last.py": "last = 1"}


@pytest.mark.parametrize(
    "what", ["encrypted", "another method", "a wrong sum", "no deflated data", "cut off"]
)
def test_control_a_careless_program_stops_or_believes(what: str) -> None:
    """With zipfile the sound entry behind the bad one is not reached, or the bad one is taken for good."""
    read = list[bytes]()
    with (
        contextlib.suppress(Exception),
        zipfile.ZipFile(io.BytesIO(pack(GOOD, UNTRUE[what][0], LAST))) as opened,
    ):
        read.extend(opened.read(entry) for entry in opened.infolist())
    assert len(read) < 3 or what == "another method"


def test_control_zipfile_believes_a_size_that_is_too_small() -> None:
    entry = UNTRUE["a size too small, with the sum of the part"][0]
    assert zipfile.ZipFile(io.BytesIO(pack(entry))).read("a.py") == b"w = 1"


# ---- bombs --------------------------------------------------------------------------------------

IMPORTS = "import sys, zipfile\nfrom grader.load import load_all"
OURS = """
for handed_in in load_all(Path("bomb.zip")):
    print(handed_in.name, getattr(handed_in.submission, "text", "read"))
"""
CARELESS = """
archive = zipfile.ZipFile("bomb.zip")
for entry in archive.infolist():
    print(entry.filename, len(archive.read(entry)), flush=True)
"""


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = Entry(name="bomb.py", body=zeros(1_500), size=5)
    (tmp_path / "bomb.zip").write_bytes(pack(GOOD, bomb, LAST))
    assert (tmp_path / "bomb.zip").stat().st_size < 2_000_000
    done = bounded(IMPORTS, OURS, tmp_path)
    assert (done.err, done.out.splitlines()) == (
        "",
        ["bomb.zip/good.py read", "bomb.zip/bomb.py file-too-large", "bomb.zip/z/last.py read"],
    )


def test_control_the_bomb_goes_off(tmp_path: Path) -> None:
    (tmp_path / "bomb.zip").write_bytes(pack(Entry(name="bomb.py", body=zeros(1_500), size=1_500_000_000)))
    done = bounded(IMPORTS, CARELESS, tmp_path)
    assert done.code == 1
    assert "MemoryError" in done.err


def overlapping(count: int) -> bytes:
    """Entries that all begin where the last does, so that its bytes count for each of them (after David Fifield)."""
    kernel = Entry(name="0.py", content=bytes(2_000_000))
    others = (
        Entry(name=f"{n}.py", body=b"", crc=kernel.facts()[3], size=2_000_000, offset=0,
              packed_size=len(kernel.raw_body()))
        for n in range(1, count)
    )  # fmt: skip
    return pack(kernel, *others)


def test_entries_that_quote_each_other_are_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "bomb.zip").write_bytes(overlapping(50))
    outcomes = [outcome(handed_in) for handed_in in load_all(tmp_path / "bomb.zip")]
    assert outcomes == ["entry-overlaps"] * 50


def test_control_each_of_them_would_be_unpacked() -> None:
    content = overlapping(50)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert sum(entry.file_size for entry in archive.infolist()) == 100_000_000 > 5_000 * len(content)


def test_what_is_unpacked_in_all_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "BY_HAND", archive.BY_HAND._replace(unpacked=40))
    entries = [Entry(name=f"{n}.py", content=b"w = 1" + b" " * 15) for n in range(4)]
    assert list(opened(tmp_path, pack(*entries)).values())[1:] == [
        "w = 1" + " " * 15,
        "entry-past-limit",
        "entry-past-limit",
    ]


def test_refused_bytes_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "BY_HAND", archive.BY_HAND._replace(unpacked=40_000_000))
    bombs = [Entry(name=f"{n}.py", body=zeros(30)) for n in range(4)]
    assert list(opened(tmp_path, pack(*bombs)).values()) == ["file-too-large"] * 2 + ["entry-past-limit"] * 2
