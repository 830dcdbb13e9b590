"""The distribution of scores, drawn: bars of one width, with their counts above and their scores below."""

from collections.abc import Sequence

from markupsafe import Markup

from grader.report.overview.document import BinPart
from grader.report.sentences import points

WIDE, HIGH, ABOVE, BELOW = 52, 160, 22, 24


def histogram(bins: Sequence[BinPart], title: str) -> Markup:
    """An SVG picture. title: what stands for it where it is not seen."""
    most = max((one.count for one in bins), default=0) or 1
    bars = [_bar(number, one, round(HIGH * one.count / most)) for number, one in enumerate(bins)]
    return Markup('<svg class="plot bars" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDE * len(bins), ABOVE + HIGH + BELOW, title, Markup("").join(bars)
    )


def label(one: BinPart) -> str:
    """The scores of a bin: full marks have one number."""
    return points(one.low) if one.low == one.high else f"{points(one.low)}–{points(one.high)}"


def _bar(number: int, one: BinPart, high: int) -> Markup:
    left, middle = number * WIDE, number * WIDE + WIDE // 2
    return Markup(
        '<rect class="bar" x="{}" y="{}" width="{}" height="{}"></rect>'
        '<text class="count" x="{}" y="{}">{}</text><text x="{}" y="{}">{}</text>'
    ).format(
        left + 4, ABOVE + HIGH - high, WIDE - 8, max(high, 1),
        middle, ABOVE + HIGH - high - 6, one.count or "",
        middle, ABOVE + HIGH + 16, label(one),
    )  # fmt: skip
