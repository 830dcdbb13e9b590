"""Scores on their way to a platform's gradebook (AGS 2.0).

Only final ones are sent: `Pending` after a final one erases the grade on Moodle. Each has a comment, the maximum, and a timestamp later
than that of the one before: an earlier one is 400 on Canvas; one of the second in which Moodle took the last, by its own clock, is 409 there,
which passes.
"""

from datetime import UTC, datetime

import msgspec

from grader.errors import PlatformFault
from grader.lms.lti.outbound import Outbound
from grader.lms.lti.records import Platform, Score, ScoreService
from grader.lms.lti.remembered import Stamps
from grader.lms.lti.tokens import Tokens

SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
_KIND = "application/vnd.ims.lis.v1.score+json"


class Scores:
    """Sends scores. Threads may share it."""

    def __init__(self, outbound: Outbound, tokens: Tokens, stamps: Stamps) -> None:
        self._outbound, self._tokens, self._stamps = outbound, tokens, stamps

    def post(self, score: Score, service: ScoreService, platform: Platform, now: float) -> None:
        """Send a final score to the link's column. Raises PlatformFault; its `retry` says whether to send it again later.

        Each try has a timestamp of its own, so an old score that is sent once more would hide a newer one: send the newest.
        """
        if service.line_item is None:
            raise PlatformFault("lti-score-no-column", retry=False)
        if SCOPE not in service.scopes:
            raise PlatformFault("lti-scope-denied", retry=False, host=platform.issuer, scope=SCOPE)
        address = scores_address(service.line_item)
        stamp = self._stamps.next(service.line_item, score.subject, int(now * 1000))
        body = msgspec.json.encode(_body(score, stamp))
        answer = self._tokens.call(
            platform,
            SCOPE,
            lambda token: self._outbound.post(address, body, _KIND, accept="*/*", bearer=token),
        )
        if (fault := answer.fault()) is not None:
            raise fault


def scores_address(line_item: str) -> str:
    """Where a column takes its scores: `/scores` goes before the query, which stays as it is."""
    path, mark, query = line_item.partition("?")
    return f"{path.removesuffix('/')}/scores{mark}{query}"


def timestamp(stamp: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC, with all three digits."""
    seconds, rest = divmod(stamp, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def _body(score: Score, stamp: int) -> dict[str, object]:
    return {
        "userId": score.subject,
        "scoreGiven": score.given,
        "scoreMaximum": score.maximum,
        "comment": score.comment,
        "timestamp": timestamp(stamp),
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
    }
