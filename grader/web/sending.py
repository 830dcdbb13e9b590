"""Empties the outbox: scores go to the gradebooks of learning platforms."""

import secrets
import time
from collections.abc import Callable

import msgspec

from grader.errors import GradebookError, PlatformFault
from grader.gradebook.stored import to_json
from grader.lms.lti.records import Score, ScoreService
from grader.lms.lti.scores import Scores
from grader.model import Language, Text, said_by
from grader.text import say
from grader.web.logs import Log
from grader.web.platform import Lti
from grader.web.rounds import Rounds
from grader.web.store import deliveries, platforms
from grader.web.store.records import Destination, Due
from grader.web.store.store import Store

# Seconds: how often the outbox is looked at; how long a score is one process's own, which is longer than any sending takes.
LOOK, LEASE = 1.0, 180.0


class Sender(Rounds):
    """Sends scores, one at a time. Of each person the newest goes; what fails is tried again by the store's waits.

    spoken: the language of the comment beside a score. clock: seconds since 1970.
    """

    def __init__(
        self, store: Store, lti: Lti, log: Log, spoken: Language, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(log, LOOK, away="outbox-away")
        self._store, self._spoken, self._clock = store, spoken, clock
        self._scores = Scores(lti.outbound, lti.tokens, lti.remembered)
        self._owner = secrets.token_hex(8)

    def go_round(self) -> bool:
        """Send what is due longest; False where nothing is. Raises GradebookError where the database fails."""
        if not self._store.read(deliveries.any_due):
            return False
        due = self._store.write(deliveries.take, self._owner, LEASE)
        if due is None:
            return False
        try:
            self._post(due)
        except PlatformFault as fault:
            self._log.failed("score-not-sent", fault)
            self._failed(due, said_by(fault), again=fault.retry, after=fault.after)
        except GradebookError:
            raise
        except Exception as error:  # noqa: BLE001 - a teacher is told, the log has it, and the others' scores go on
            self._log.failed("score-not-sent", error)
            self._failed(due, Text(id="lti-score-failed"), again=False)
        else:
            self._store.write(deliveries.arrived, due, self._owner)
            self._log.say("score-sent", delivery=due.id)
        return True

    def _post(self, due: Due) -> None:
        there = msgspec.json.decode(due.destination, type=Destination)
        found = self._store.read(platforms.registered, there.issuer, there.client_id)
        if not found:
            raise PlatformFault("lti-platform-gone", retry=False, host=there.issuer)
        if not due.full:
            raise PlatformFault("lti-score-no-maximum", retry=False)
        comment = say("lti-score-comment", self._spoken)
        score = Score(subject=there.subject, given=due.score, maximum=due.full, comment=comment)
        service = ScoreService(scopes=there.scopes, line_item=there.line_item, line_items=None)
        self._scores.post(score, service, found[0], self._clock())

    def _failed(self, due: Due, why: Text, *, again: bool, after: float | None = None) -> None:
        self._store.write(deliveries.failed, due, self._owner, to_json(why), again=again, after=after)
