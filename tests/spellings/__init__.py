"""Fresh submissions that make the course's two most asked-about mistakes, in every spelling, and right ones that look like them."""

from tests.spellings import look_alikes, rebound, unzeroed
from tests.spellings.records import Spelling


def all_spellings() -> list[Spelling]:
    """All of them, no two of one name."""
    found = [
        *(one.named("rebound") for one in rebound.spellings()),
        *(one.named("unzeroed") for one in unzeroed.spellings()),
        *(one.named("right") for one in look_alikes.spellings()),
    ]
    assert len({one.name for one in found}) == len(found)
    return found
