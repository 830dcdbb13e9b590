"""Untrusted text made harmless for a terminal: what controls it or reorders what is read becomes visible."""

import unicodedata

KEPT = {"\n", "\t"}
# Format characters that change the reading order or hide text (Unicode's "Trojan Source" set and joiners).
FORMAT_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def visible(text: str) -> str:
    r"""Replace control and format characters by what Python writes for them, as in \x1b and \u202e."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character in KEPT or unicodedata.category(character) not in FORMAT_CATEGORIES:
        return character
    return character.encode("unicode_escape").decode("ascii")
