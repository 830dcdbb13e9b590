"""How our private keys are kept: as they are, or encrypted by a key that is not in the database."""

import base64
import contextlib
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from grader.errors import GradebookError, UsageError

KEY_BYTES = 32


class Seal:
    """Encrypts and decrypts. keys: Fernet's, the first of which encrypts, and any decrypts; without one, what is written stays open."""

    def __init__(self, keys: tuple[bytes, ...] = ()) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys]) if keys else None

    def closed(self, text: str) -> str:
        """A text as it is stored."""
        return text if self._fernet is None else self._fernet.encrypt(text.encode()).decode()

    def opened(self, stored: str) -> str:
        """A text that was stored, sealed or not. Raises GradebookError where it is sealed by a key that is not at hand."""
        if stored.startswith("["):  # a list as JSON, which no sealed text is
            return stored
        if self._fernet is not None:
            with contextlib.suppress(InvalidToken):
                return self._fernet.decrypt(stored.encode()).decode()
        raise GradebookError("lti-keys-sealed")


def seal_of(path: Path | None) -> Seal:
    """The seal of a file: keys of 32 bytes in base64, a line each, the newest first. Raises UsageError where it has none."""
    if path is None:
        return Seal()
    try:
        lines = path.read_text("utf-8").split()
        keys = tuple(base64.b64decode(line, altchars=_altchars(line), validate=True) for line in lines)
    except OSError as error:
        raise UsageError("seal-not-read", path=str(path), reason=error.strerror or "") from None
    except ValueError:
        raise UsageError("seal-malformed", path=str(path)) from None
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise UsageError("seal-malformed", path=str(path))
    return Seal(tuple(map(base64.urlsafe_b64encode, keys)))


def _altchars(line: str) -> bytes:
    return b"-_" if {"-", "_"} & set(line) else b"+/"
