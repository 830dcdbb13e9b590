"""Codes that people type, and tokens that their browsers keep; of the latter, and of secret codes, only digests are stored."""

import hashlib
import secrets

# Without letters and digits that are easily taken for one another.
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
GROUP, GROUPS = 4, 3


def new_code() -> str:
    """A code to be typed, as `k7f3-q9xm-2pda`; nobody guesses it among 31 to the power of 12."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(GROUP)) for _ in range(GROUPS))


def as_typed(text: str) -> str:
    """A code as it is compared: without spaces around it and capitals."""
    return text.strip().casefold()


def new_token() -> str:
    """A token for a cookie."""
    return secrets.token_urlsafe(32)


def new_pseudonym() -> str:
    """What a person is called where no name should stand."""
    return secrets.token_hex(6)


def digest(*parts: str | int) -> str:
    """What is stored of a secret; parts before it say what it is for."""
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "backslashreplace")).hexdigest()
