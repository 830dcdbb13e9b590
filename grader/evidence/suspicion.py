"""What a detector says, and the words in which its mistake is told."""

import ast
from collections.abc import Mapping
from typing import Any

import msgspec

from grader.model import Parameters

# A suspicion this sure is shown also without proof: what the run showed, or what the source says, leaves no doubt.
LIKELY = 0.9


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """A mistake in one language.

    title: the offence in a few words. message: what was seen, filled with the suspicion's parameters. why: what comes of it,
    for somebody who meets it first. fix: what to do. terms: of parameters whose values are no words of the learner's own, the
    words for these values.
    """

    title: str
    message: str
    why: str
    fix: str
    terms: Mapping[str, Mapping[str, str]] = {}

    def say(self, field: str, params: Mapping[str, Any]) -> str:
        """One of the sentences, filled."""
        said = {name: self.terms.get(name, {}).get(str(value), value) for name, value in params.items()}
        text: str = getattr(self, field)
        return text.format(**said)


class Suspicion(msgspec.Struct, frozen=True, kw_only=True):
    """A mistake that a submission may have made. mistake: its name, which the catalogue fills in.

    sureness: from 0 to 1. From `LIKELY` on it is shown without proof; below, a rerun with the mend has to prove it.
    advice: it does no harm to the result, so no rerun can prove it, and full marks do not refute it.
    node: the syntax it is about, for the repair. rewrites: its mend puts in what the learner has yet to write; that the
    score rises then shows a way and proves nothing.
    """

    mistake: str = ""
    cell: int | None
    line: int | None
    sureness: float
    params: Parameters = {}
    evidence: Parameters = {}
    advice: bool = False
    node: ast.AST | None = None
    rewrites: bool = False
