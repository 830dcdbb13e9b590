"""Scores and the tokens that they need: what is sent where, in which order, and what becomes of refusals."""

from collections.abc import Callable, Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import PlatformFault
from grader.lms.lti.records import Score, ScoreService
from grader.lms.lti.scores import Scores, scores_address, timestamp
from tests.lti_services import Services
from tests.lti_site import Asked, Reply, Site, serving
from tests.lti_visit import NOW, SCORE

FULL = Score(subject="learner-1", given=10, maximum=10, comment="All checks passed.")


class Column:
    """A column of the gradebook, as Moodle keeps it: an equal or earlier timestamp is a conflict."""

    def __init__(self, services: Services) -> None:
        self.services, self.site = services, services.site
        self.last = ""
        self.status = 200
        self.site.answers["POST /item/scores"] = self._score
        self.scores = Scores(services.door.outbound, services.tokens, services.door.memory)
        self.service = ScoreService(
            scopes=(SCORE,), line_item=f"{self.site.url}/item?type_id=3&A=%2F", line_items=None
        )

    def post(self, score: Score = FULL, now: float = NOW) -> None:
        self.scores.post(score, self.service, self.services.door.platform, now)

    def posted(self) -> list[Asked]:
        return [asked for asked in self.site.asked if asked.path.startswith("/item")]

    def _score(self, asked: Asked) -> Reply:
        if not self.services.allowed(asked):
            return Reply(b"no", 401)
        stamp = str(asked.json["timestamp"])
        if stamp <= self.last:
            return Reply(b"conflict", 409)
        self.last = stamp
        return Reply(b"{}", self.status)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


@pytest.fixture
def services(site: Site) -> Services:
    return Services(site)


@pytest.fixture
def column(services: Services) -> Column:
    return Column(services)


def fault(post: Callable[[], None]) -> PlatformFault:
    with pytest.raises(PlatformFault) as caught:
        post()
    return caught.value


# ---- scores -------------------------------------------------------------------------------------


def test_a_score_goes_before_the_query_with_all_that_platforms_ask_for(column: Column) -> None:
    column.post(now=NOW + 0.25)
    [asked] = column.posted()
    assert asked.path == "/item/scores?type_id=3&A=%2F"
    assert asked.headers["content-type"] == "application/vnd.ims.lis.v1.score+json"
    assert asked.headers["authorization"] == "Bearer token-1"
    assert asked.json == {
        "userId": "learner-1",
        "scoreGiven": 10.0,
        "scoreMaximum": 10.0,
        "comment": "All checks passed.",
        "timestamp": "2027-01-15T08:00:00.250Z",
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
    }


def test_scores_of_one_moment_and_of_a_clock_that_goes_back_have_later_and_later_timestamps(
    column: Column,
) -> None:
    for now in (NOW, NOW, NOW, NOW - 3600, NOW + 0.001, NOW + 1):
        column.post(now=now)
    stamps = [str(asked.json["timestamp"]) for asked in column.posted()]
    assert stamps == sorted(set(stamps))
    assert len(stamps) == 6


def test_another_learners_timestamps_are_their_own(column: Column) -> None:
    column.post()
    column.last = ""
    column.post(msgspec.structs.replace(FULL, subject="learner-2"))
    first, second = column.posted()
    assert first.json["timestamp"] == second.json["timestamp"]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_success_is_one(column: Column, status: int) -> None:
    column.status = status
    column.post()


@pytest.mark.parametrize(("status", "retry"), [(400, False), (403, False), (404, False), (422, False), (409, True), (429, True), (503, True)])  # fmt: skip
def test_a_refusal_says_whether_to_try_again(column: Column, status: int, retry: bool) -> None:
    column.status = status
    error = fault(column.post)
    assert (error.text, error.retry, error.params["code"]) == ("lti-answer-status", retry, status)


def test_a_score_needs_a_column_and_the_right_to_it(column: Column) -> None:
    service = column.service
    column.service = msgspec.structs.replace(service, line_item=None)
    assert fault(column.post).text == "lti-score-no-column"
    column.service = msgspec.structs.replace(service, scopes=())
    assert fault(column.post).text == "lti-scope-denied"
    assert column.site.asked == []


@pytest.mark.parametrize("change", [{"comment": " "}, {"comment": ""}, {"maximum": 0}, {"given": -1}, {"subject": ""}])  # fmt: skip
def test_there_is_no_score_that_would_erase_something(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Score"):
        msgspec.structs.replace(FULL, **change)


@given(
    path=st.text("abc/%20", min_size=1).map(lambda text: f"https://x/{text}"),
    query=st.none() | st.text("ab=&?%2"),
)
def test_the_address_is_the_columns_with_scores_after_its_path(path: str, query: str | None) -> None:
    item = path if query is None else f"{path}?{query}"
    address = scores_address(item)
    assert address.replace("/scores", "", 1) == (
        item if not path.endswith("/") else item.replace(path, path[:-1], 1)
    )
    assert address.partition("?")[0].endswith("/scores")


@given(st.integers(0, 4_000_000_000_000), st.integers(1, 10_000_000))
def test_later_timestamps_are_later_as_text(stamp: int, more: int) -> None:
    assert timestamp(stamp) < timestamp(stamp + more)


# ---- tokens -------------------------------------------------------------------------------------


def test_a_token_is_asked_for_once_and_again_shortly_before_its_end(
    column: Column, services: Services
) -> None:
    column.post()
    column.post()
    services.door.clock[0] += 3600 - 31
    column.post()
    assert len(services.assertions) == 1
    services.door.clock[0] += 1
    column.post()
    assert len(services.assertions) == 2
    assert len({claims["jti"] for claims in services.assertions}) == 2


@pytest.mark.parametrize("ahead", [-59, 0, 59])
def test_an_assertion_holds_by_a_clock_that_is_a_minute_off(
    column: Column, services: Services, ahead: int
) -> None:
    column.post()
    [claims] = services.assertions
    assert claims["iat"] <= NOW + ahead < claims["exp"]


def test_a_token_that_is_no_longer_taken_is_replaced_once(column: Column, services: Services) -> None:
    column.post()
    services.ended = {"token-1"}
    column.post()
    assert [asked.headers["authorization"] for asked in column.posted()] == [
        "Bearer token-1",
        "Bearer token-1",
        "Bearer token-2",
    ]
    services.ended = {"token-2", "token-3"}
    error = fault(column.post)
    assert (error.params["code"], error.retry) == (401, False)


@pytest.mark.parametrize(
    ("granted", "reason"),
    [
        ({"token_type": "mac"}, "lti-answer-unreadable"),
        ({"scope": "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"}, "lti-scope-denied"),
        ({"expires_in": []}, "lti-answer-unreadable"),
    ],
)
def test_a_grant_that_is_none_is_refused(
    column: Column, services: Services, granted: dict[str, object], reason: str
) -> None:
    services.granted |= granted
    assert fault(column.post).text == reason


@pytest.mark.parametrize("granted", [{"expires_in": "3600"}, {"expires_in": None}, {"token_type": "bearer"}, {"scope": f"a {SCORE}"}])  # fmt: skip
def test_grants_as_platforms_word_them_are_taken(
    column: Column, services: Services, granted: dict[str, object]
) -> None:
    services.granted |= granted
    column.post()


@pytest.mark.parametrize(
    ("reply", "retry"),
    [
        (Reply(b"{}", 400), True),
        (Reply(b"<html>", 404), True),
        (Reply(b"", 503), True),
        (Reply(b"no"), False),
    ],
)
def test_where_no_token_is_given_nothing_is_posted(
    column: Column, site: Site, reply: Reply, retry: bool
) -> None:
    site.answers["POST /token"] = lambda _: reply
    assert fault(column.post).retry is retry
    assert column.posted() == []


@pytest.mark.parametrize("token", ["", "é", "a\r\nX: y", "a\tb"])
def test_a_token_that_no_header_takes_is_refused(column: Column, site: Site, token: str) -> None:
    site.answers["POST /token"] = lambda _: Reply(msgspec.json.encode({"access_token": token}))
    assert fault(column.post).text == "lti-answer-unreadable"


@pytest.mark.parametrize("lasts", ["soon", "inf", "", "٣", None])
def test_a_token_that_does_not_say_how_long_it_lasts_is_used_for_some_minutes(
    column: Column, services: Services, lasts: str | None
) -> None:
    services.granted["expires_in"] = lasts
    column.post()
    services.door.clock[0] += 269
    column.post()
    assert len(services.assertions) == 1
    services.door.clock[0] += 1
    column.post()
    assert len(services.assertions) == 2


def test_the_platform_may_want_another_audience(column: Column, services: Services) -> None:
    platform = msgspec.structs.replace(services.door.platform, token_audience="https://auth.example.org")
    services.door.platform = platform
    site = services.site
    seen: list[str] = []

    def token(asked: Asked) -> Reply:
        claims = services.verified(asked.form["client_assertion"], "https://auth.example.org")
        seen.append(claims["aud"])
        return Reply(b'{"access_token": "token-9", "token_type": "bearer"}')

    site.answers["POST /token"] = token
    column.post()
    assert seen == ["https://auth.example.org"]
