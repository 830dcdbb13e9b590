"""What was handed in, on disk."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grader.errors import GradebookError
from grader.web.store.files import Files
from tests.web import NOTEBOOK, OTHER, folder_of


def test_a_content_is_kept_once_under_its_digest(tmp_path: Path) -> None:
    files = Files(tmp_path / "files")
    sha256 = files.put(NOTEBOOK)
    assert files.put(NOTEBOOK) == sha256 == hashlib.sha256(NOTEBOOK).hexdigest()
    assert folder_of(tmp_path) == [f"files/{sha256[:2]}/{sha256[2:]}"]
    assert Files(tmp_path / "files").get(sha256) == NOTEBOOK


def test_many_may_put_the_same_at_once(tmp_path: Path) -> None:
    files = Files(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(files.put, [NOTEBOOK, OTHER] * 20))
    assert len(names) == len(folder_of(tmp_path)) == 2


def test_a_content_that_was_damaged_is_not_given_out_and_is_mended_by_the_next(tmp_path: Path) -> None:
    files = Files(tmp_path)
    sha256 = files.put(NOTEBOOK)
    (tmp_path / sha256[:2] / sha256[2:]).write_bytes(NOTEBOOK[:10])  # as a crash of the system could leave it
    with pytest.raises(GradebookError) as caught:
        files.get(sha256)
    assert caught.value.text == "file-store-changed"
    files.put(NOTEBOOK)
    assert files.get(sha256) == NOTEBOOK


def test_a_content_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(GradebookError) as caught:
        Files(tmp_path).get("ab" * 32)
    assert caught.value.text == "file-store-lost"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(GradebookError) as caught:
        Files(tmp_path / "taken").prepare()
    assert caught.value.text == "file-store-not-written"


@pytest.mark.parametrize("wanted", [True, False])
def test_who_puts_a_content_while_it_is_dropped_has_it(tmp_path: Path, wanted: bool) -> None:
    files = Files(tmp_path)
    sha256 = files.put(NOTEBOOK)

    def meanwhile() -> bool:
        assert files.get(sha256) == NOTEBOOK  # who reads it now does not miss it
        files.put(NOTEBOOK)
        return wanted

    assert files.drop(sha256, meanwhile) is not wanted
    assert files.get(sha256) == NOTEBOOK
    assert len(folder_of(tmp_path)) == 1


def test_a_content_that_nobody_wants_is_dropped_once(tmp_path: Path) -> None:
    files = Files(tmp_path)
    sha256 = files.put(NOTEBOOK)
    assert not files.drop(sha256, lambda: True)
    assert files.drop(sha256, lambda: False)
    assert not files.drop(sha256, lambda: False)
    assert folder_of(tmp_path) == []
