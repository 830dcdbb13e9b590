"""The records of a labelled corpus and of its gradings."""

import msgspec

from grader.model import Report


class Label(msgspec.Struct, frozen=True):
    """What is known of one file. `ends_right`: wrong, yet its final values are near the goal."""

    file: str
    exercise: str
    right: bool
    note: str = ""
    mistakes: tuple[str, ...] = ()
    also_ok: tuple[str, ...] = ()
    ends_right: bool = False


class Graded(msgspec.Struct, frozen=True):
    """One grading of one file."""

    label: Label
    seed: int
    report: Report

    @property
    def full(self) -> bool:
        """Whether it got full marks."""
        return self.report.score is not None and self.report.score == self.report.max_score

    @property
    def as_labelled(self) -> bool:
        """Whether it did as its label says: an `ends_right` may keep full marks."""
        return self.full if self.label.right else (not self.full or self.label.ends_right)
