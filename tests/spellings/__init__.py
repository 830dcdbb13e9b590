"""Fresh submissions that make the course's two most asked-about mistakes, in every spelling, and right ones that look like them."""

from tests.measure import named
from tests.measure.corpus_records import Graded
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


def is_told(graded: Graded) -> bool:
    """Whether a wrong one is named first and proven, a right one has full marks, and neither is accused of anything else."""
    proven = named.is_named_first(graded) and named.is_confirmed(graded)
    return not named.false_names(graded) and (graded.full if graded.label.right else proven)
