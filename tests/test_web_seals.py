"""Our private keys in the database: encrypted where a key for that is given, and never taken for something else."""

import base64
from pathlib import Path

import pytest
from sqlalchemy import select

from grader.errors import GradebookError, UsageError
from grader.lms.lti.records import SigningKey
from grader.web.store.remembered import Remembered
from grader.web.store.seals import Seal, seal_of
from grader.web.store.store import Store
from grader.web.store.tables import Chest
from tests.command import grader

OLD, NEW = (base64.b64encode(bytes([number]) * 32).decode() for number in (251, 7))
KEY = SigningKey(id="kid", pem="PRIVATE", made=0.0)


def seal(folder: Path, *lines: str) -> Seal:
    path = folder / "seal"
    path.write_text("\n".join(lines))
    return seal_of(path)


def kept(store: Store) -> str:
    return store.read(lambda session: session.scalars(select(Chest.keys)).one())


def test_keys_are_sealed_from_the_next_start_on_and_the_seal_is_changed(store: Store, tmp_path: Path) -> None:
    plain, old = Remembered(store), Remembered(store, seal=seal(tmp_path, OLD))
    old.reseal()  # nothing there yet
    assert plain.exchange((), (KEY,))
    assert "PRIVATE" in kept(store)
    old.reseal()
    assert "PRIVATE" not in kept(store)
    assert old.keys() == (KEY,)
    both = Remembered(store, seal=seal(tmp_path, NEW, OLD))
    both.reseal()
    assert Remembered(store, seal=seal(tmp_path, NEW)).keys() == (KEY,)
    for other in (plain, old):
        with pytest.raises(GradebookError) as caught:
            other.keys()
        assert caught.value.text == "lti-keys-sealed"
        with pytest.raises(GradebookError):
            other.exchange((), (KEY,))


def test_either_spelling_of_base64_is_a_key(tmp_path: Path) -> None:
    stored = seal(tmp_path, OLD).closed("[]")
    assert seal(tmp_path, OLD.replace("+", "-").replace("/", "_")).opened(stored) == "[]"


@pytest.mark.parametrize("text", ["", "\n", "key", "AAAA", OLD + "\nshort", OLD[:-4], "\ud800"])
def test_what_is_no_seal_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "seal"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(UsageError, match="seal-malformed"):
        seal_of(path)
    with pytest.raises(UsageError, match="seal-not-read"):
        seal_of(tmp_path / "none")


@pytest.mark.slow
def test_keys_whose_seal_is_lost_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "seal").write_text(OLD)

    def keys(*more: str) -> tuple[int, str]:
        done = grader("lti", "keys", *more, "--database", "service.sqlite", folder=tmp_path)
        return done.code, done.out or done.err

    code, sealed = keys("--seal", "seal")
    assert (code, '"kid"' in sealed) == (0, True)
    assert keys("--seal", "seal") == (0, sealed)
    code, told = keys()
    assert code == 2
    assert "grader lti keys --anew" in told
    code, fresh = keys("--anew")
    assert (code, fresh != sealed) == (0, True)
    assert keys() == (0, fresh)
