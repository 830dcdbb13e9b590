"""Why a submission fails: suspicions, their mends, and reruns that prove which of them it was.

    detect → repair → rerun → keep what is confirmed

Mends are added one at a time as long as the standing rises; a mend that only takes an error out of the way is
kept for what comes after it, and counts if that does.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from grader.catalogue import all_mistakes
from grader.evidence.case import Case
from grader.evidence.edits import Edit, apply, changes, line_before
from grader.evidence.scopes import in_unused_function
from grader.evidence.suspicion import LIKELY, Suspicion
from grader.model import Cell, Change, Confidence, Finding, Submission

T = TypeVar("T")

MAX_CANDIDATES = 8
# Shown as advice, never as the headline.
POSSIBLE = 0.6
MAX_POSSIBLE = 2

# Runs and judges an edited submission; None where there is no time left for it.
Rerun = Callable[[Submission], Case | None]


class Diagnosis(NamedTuple):
    """What was found, first what matters most; how many suspected mends there was no time to try.

    mended: the case after the last mend that was proven. broken: the mistakes whose own code failed on this submission; a grade must not be lost for that, and it must be told.
    """

    findings: tuple[Finding, ...]
    untried: int = 0
    broken: tuple[str, ...] = ()
    mended: Case | None = None


class _Mended(NamedTuple):
    """One mend that was kept: the suspicion, in places of the original, and the cases before and after it."""

    suspicion: Suspicion
    before: Case
    after: Case

    @property
    def sure(self) -> bool:
        """Whether it would be shown without proof."""
        return self.suspicion.sureness >= LIKELY


class Detectors:
    """The catalogue at work on one submission and its mended forms; keeps the names of those whose code failed."""

    def __init__(self) -> None:
        self.broken: dict[str, None] = {}

    def detect(self, case: Case) -> list[Suspicion]:
        """All suspicions, the surest first; of one mistake at one line the surest alone."""
        found: dict[tuple[str, int | None, int | None], Suspicion] = {}
        left_alone = case.full or case.exercise is None
        for mistake in all_mistakes().values():
            for suspicion in self._asked(mistake.name, partial(mistake.detect, case)):
                if left_alone and in_unused_function(case, suspicion.cell, suspicion.line):
                    continue  # an attempt that was given up; checks that failed may have called it
                key = suspicion.mistake, suspicion.cell, suspicion.line
                if key not in found or found[key].sureness < suspicion.sureness:
                    found[key] = suspicion
        return sorted(found.values(), key=lambda suspicion: -suspicion.sureness)

    def repairs(self, case: Case, suspicion: Suspicion) -> list[list[Edit]]:
        """The ways to mend what is suspected, best first."""
        one = all_mistakes()[suspicion.mistake]
        return self._asked(suspicion.mistake, partial(one.repairs, case, suspicion))

    def _asked(self, name: str, ask: Callable[[], list[T]]) -> list[T]:
        try:
            return ask()
        except Exception:  # noqa: BLE001 - told in the report's notes; the grade and the other findings stand without it
            self.broken[name] = None
            return []


def diagnose(case: Case, rerun: Rerun) -> Diagnosis:
    """Name the mistakes of a case. Where no rerun could stand higher, nothing is run again."""
    detectors = Detectors()
    suspicions = detectors.detect(case)
    if case.full or not (case.checks or case.errors):
        sure = [one for one in suspicions if one.sureness >= LIKELY]
        return Diagnosis(_unproven(case, sure, "likely", detectors), broken=tuple(detectors.broken))
    prover = _Prover(case, rerun, detectors)
    prover.prove()
    chain = prover.proven
    findings = [_confirmed(case, mended) for mended in chain]
    named = {finding.mistake for finding in findings}
    others = [one for one in suspicions if one.mistake not in named]
    finished = bool(chain) and chain[-1].after.full
    likely = [one for one in others if one.sureness >= LIKELY and (one.advice or not finished)]
    findings += _unproven(case, likely, "likely", detectors)
    possible = [one for one in others if POSSIBLE <= one.sureness < LIKELY and not findings]
    findings += _unproven(case, possible[:MAX_POSSIBLE], "possible", detectors)
    mended = chain[-1].after if chain else None
    return Diagnosis(tuple(findings), prover.untried, tuple(detectors.broken), mended)


class _Prover:
    """Tries mends, within `MAX_CANDIDATES` and the time that `rerun` has."""

    def __init__(self, case: Case, rerun: Rerun, detectors: Detectors) -> None:
        self._original = case
        self._detectors = detectors
        self._rerun = rerun
        self._left = MAX_CANDIDATES
        self._tried: set[tuple[Cell, ...]] = set()
        self._kept: list[_Mended] = []
        self._counted = 0
        self.untried = 0

    @property
    def proven(self) -> list[_Mended]:
        """The mends after which the standing rose, with those that made way for them."""
        return self._kept[: self._counted]

    def prove(self) -> None:
        """Add mends while they help."""
        current = self._original
        while not current.full and (mended := self._next(current)) is not None:
            self._kept.append(mended)
            current, before = mended.after, self._kept[self._counted].before
            if _higher(current, before) or (mended.sure and _frees(current, before)):
                self._counted = len(self._kept)
        if not self._counted and not current.full:
            self._try_together()

    def _next(self, current: Case) -> _Mended | None:
        """The first mend that brings the case further."""
        way = None
        for suspicion, edits in self._candidates(current):
            if way is not None and suspicion.sureness < LIKELY:
                break  # what was sure took an error out of the way: guesses come after what that lets us see
            after = self._try(current, edits)
            if after is None:
                continue
            mended = _Mended(_in_original(suspicion, self._original, current), current, after)
            if _higher(after, current):
                return mended
            if way is None and (_further(after, current) or (mended.sure and _frees(after, current))):
                way = mended
        return way

    def _candidates(self, case: Case) -> Iterator[tuple[Suspicion, tuple[Edit, ...]]]:
        for suspicion in self._detectors.detect(case):
            if (
                suspicion.advice
                or suspicion.rewrites
                or (self._kept and all_mistakes()[suspicion.mistake].tunes)
            ):
                continue
            for edits in self._detectors.repairs(case, suspicion):
                yield suspicion, tuple(edits)

    def _try(self, case: Case, edits: tuple[Edit, ...]) -> Case | None:
        edited = apply(case.submission, edits)
        if edited is None or edited.cells == case.submission.cells:
            return None
        if edited.cells in self._tried:
            return None
        if self._left == 0:
            self.untried += 1
            return None
        after = self._rerun(edited)
        if after is None:
            self._left = 0
            self.untried += 1
            return None
        self._tried.add(edited.cells)
        self._left -= 1
        return after

    def _try_together(self) -> None:
        """Mistakes that hide each other: mend all that is sure at once."""
        sure = [
            one
            for one in self._detectors.detect(self._original)
            if one.sureness >= POSSIBLE and not (one.advice or one.rewrites)
        ]
        edits: list[Edit] = []
        mended = []
        for suspicion in sure:
            for repair in self._detectors.repairs(self._original, suspicion)[:1]:
                if apply(self._original.submission, [*edits, *repair]) is not None:
                    edits += repair
                    mended.append(suspicion)
        after = self._try(self._original, tuple(edits)) if len(mended) > 1 else None
        if after is not None and _higher(after, self._original):
            self._kept = [_Mended(suspicion, self._original, after) for suspicion in mended]
            self._counted = len(self._kept)


def _higher(new: Case, old: Case) -> bool:
    """Whether a case stands higher: more points; without checks, fewer errors."""
    if new.checks:
        return new.score > old.score + 1e-9
    return len(new.errors) < len(old.errors)


def _frees(new: Case, old: Case) -> bool:
    """Whether a check that failed passes, at no cost in points: what was mended hid how far the rest had got."""
    failed = {check.id for check in old.checks if check.status == "failed"}
    passed = {check.id for check in new.checks if check.status == "passed"}
    return bool(failed & passed) and new.score >= old.score - 1e-9


def _further(new: Case, old: Case) -> bool:
    """Whether a run that stopped at an error now gets past it, at no cost in points."""
    if old.error is None or (new.checks and new.score < old.score - 1e-9):
        return False
    return new.error is None or (new.error.cell, new.error.line, new.error.message) != (
        old.error.cell,
        old.error.line,
        old.error.message,
    )


def _in_original(suspicion: Suspicion, original: Case, case: Case) -> Suspicion:
    """A suspicion with the line that the learner knows."""
    if suspicion.cell is None or case is original:
        return suspicion
    line = line_before(original.submission, case.submission, suspicion.cell, suspicion.line)
    return msgspec.structs.replace(suspicion, line=line)


def _confirmed(case: Case, mended: _Mended) -> Finding:
    one = mended.suspicion
    return Finding(
        mistake=one.mistake,
        confidence="confirmed",
        cell=one.cell,
        line=one.line,
        params=one.params,
        evidence=one.evidence,
        fix=changes(mended.before.submission, mended.after.submission),
        score_after=mended.after.score if mended.after.checks else None,
    )


def _unproven(
    case: Case, suspicions: Sequence[Suspicion], confidence: Confidence, detectors: Detectors
) -> tuple[Finding, ...]:
    """Findings without proof, each mistake once, at the place where it is surest."""
    found: dict[str, Finding] = {}
    for one in suspicions:
        if one.mistake not in found:
            found[one.mistake] = Finding(
                mistake=one.mistake,
                confidence=confidence,
                cell=one.cell,
                line=one.line,
                params=one.params,
                evidence=one.evidence,
                fix=_proposed(case, one, detectors),
            )
    return tuple(found.values())


def _proposed(case: Case, suspicion: Suspicion, detectors: Detectors) -> tuple[Change, ...]:
    """The lines as the first mend would write them."""
    for edits in detectors.repairs(case, suspicion):
        edited = apply(case.submission, edits)
        return () if edited is None else changes(case.submission, edited)
    return ()
