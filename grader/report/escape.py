"""Untrusted text made harmless for a terminal: what controls it, reorders it or is not seen becomes visible."""

import re
import unicodedata
from collections.abc import Iterator

import msgspec

KEPT = {"\n", "\t"}
# What controls a screen or changes the reading order (Unicode's "Trojan Source" set and joiners), and what
# nobody knows the width of: private, unassigned and half characters.
HARMFUL_CATEGORIES = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
# Letters and marks that are drawn as nothing. The two that choose between text and emoji are in daily use.
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0d\uffa0\U000e0100-\U000e01ef]"
)
# Marks that are drawn over the letter before them, and with enough of them over the lines around it.
STACKING_CATEGORIES = {"Mn", "Me"}
MAX_STACKED = 4
MAX_CHARACTERS = 4_000
MAX_LINES = 60
LINE_END = re.compile(r"\s*\n\s*")


def visible(text: str, limit: int = MAX_CHARACTERS, lines: int = MAX_LINES) -> str:
    r"""Replace control and format characters by what Python writes for them, as in \x1b and \u202e.

    Of a text longer than `limit`, or of more lines, the beginning is kept, and how much was left out is said.
    """
    text = _shortened(text, limit, lines)
    return text if text.isascii() and text.isprintable() else "".join(_visible(text))


def one_line(text: str) -> str:
    r"""Make text visible that has one line to itself: its line ends are written as \n."""
    return visible(text).replace("\n", r"\n").replace("\t", r"\t")


def one_paragraph(text: str) -> str:
    """Make text visible in which a line end must not begin a line of its own."""
    return LINE_END.sub(" ", visible(text))


def as_json(value: object, *, indented: bool = False) -> str:
    r"""Encode as JSON, with such characters written by JSON's own escapes, as in \u001b, so that the text stays the same."""
    encoded = msgspec.json.encode(value)
    text = (msgspec.json.format(encoded, indent=2) if indented else encoded).decode()
    return "".join(_json_escape(character) if _harmful(character) else character for character in text)


def _shortened(text: str, limit: int, lines: int) -> str:
    kept = text[:limit]
    if kept.count("\n") >= lines:
        kept = "\n".join(kept.split("\n", lines)[:lines])
    return kept if len(kept) == len(text) else f"{kept}… [+{len(text) - len(kept)}]"


def _visible(text: str) -> Iterator[str]:
    stacked = 0
    for character in text:
        stacked = stacked + 1 if unicodedata.category(character) in STACKING_CATEGORIES else 0
        if stacked > MAX_STACKED or _harmful(character):
            yield character.encode("unicode_escape").decode("ascii")
        else:
            yield character


def _harmful(character: str) -> bool:
    return character not in KEPT and (
        unicodedata.category(character) in HARMFUL_CATEGORIES or INVISIBLE.match(character) is not None
    )


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
