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


def one_line(text: str) -> str:
    r"""Make text visible that has one line to itself: its line ends are written as \n."""
    return visible(text).replace("\n", r"\n").replace("\t", r"\t")


def in_json(text: str) -> str:
    r"""Write the same characters of a JSON text by JSON's own escapes, as in \u001b, so that it stays the same."""
    return "".join(_json_escape(character) if _harmful(character) else character for character in text)


def _visible(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii") if _harmful(character) else character


def _harmful(character: str) -> bool:
    return character not in KEPT and unicodedata.category(character) in FORMAT_CATEGORIES


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
