"""Opens hostile archives by the front door, with a sound entry before and behind."""

from pathlib import Path

from grader.errors import UnreadableSubmission
from grader.load import HandedIn, load_all
from tests.attacks.packing import Entry, pack
from tests.files import worded

GOOD = Entry(name="good.py", content=b"good = 1")
LAST = Entry(name="z/last.py", content=b"last = 1")


def opened(folder: Path, content: bytes, name: str = "class.zip") -> dict[str, str]:
    """What an archive gives: a text's id for each entry that is refused, the code of the others."""
    path = folder / name
    path.write_bytes(content)
    before = sorted(folder.rglob("*"))
    found = {handed_in.name: outcome(handed_in) for handed_in in load_all(path)}
    assert sorted(folder.rglob("*")) == before
    return found


def outcome(handed_in: HandedIn) -> str:
    """The text's id, which must have words in each language, or the code."""
    if isinstance(handed_in.submission, UnreadableSubmission):
        assert all(handed_in.path in sentence for sentence in worded(handed_in.submission))
        return handed_in.submission.text
    return handed_in.submission.original[0].source


def beside_good(folder: Path, *entries: Entry) -> list[str]:
    """The outcomes of entries between two sound ones, which must be read."""
    first, *rest, last = opened(folder, pack(GOOD, *entries, LAST)).items()
    assert (first, last) == (("class.zip/good.py", "good = 1"), ("class.zip/z/last.py", "last = 1"))
    return [text for _, text in rest]
