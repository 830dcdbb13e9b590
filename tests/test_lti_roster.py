"""The roster of a course, page after page."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import PlatformFault
from grader.lms.lti import roster
from grader.lms.lti.records import Member
from tests.lti_services import Services
from tests.lti_site import Asked, Reply, Site, in_json, serving
from tests.lti_visit import IN_COURSE

PEOPLE = [
    {"user_id": "1", "roles": [f"{IN_COURSE}#Learner"], "name": "Wei Li", "email": "wei@example.org"},
    {
        "user_id": "2",
        "roles": ["Instructor"],
        "given_name": "Ana",
        "family_name": "García",
        "status": "Active",
    },
    {"user_id": "3", "roles": [], "status": "Inactive", "name": None},
    {"user_id": "4", "roles": ["Learner"], "status": "Deleted", "lis_person_sourcedid": "x"},
    {"user_id": "5", "roles": ["Learner"], "extra": {"a": [1]}},
]
MEMBERS = [
    Member(subject="1", role="learner", active=True, name="Wei Li", email="wei@example.org"),
    Member(subject="2", role="teacher", active=True, name="Ana García"),
    Member(subject="3", role="none", active=False),
    Member(subject="4", role="learner", active=False),
    Member(subject="5", role="learner", active=True),
]


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


@pytest.fixture
def services(site: Site) -> Services:
    return Services(site)


def members(services: Services, path: str = "/members?Course=A%2Fb&rlid=c+d") -> list[Member]:
    door = services.door
    return roster.members(
        f"{services.site.url}{path}", door.platform, outbound=door.outbound, tokens=services.tokens
    )


def paged(services: Services, link: Callable[[int], str], size: int = 2) -> Callable[[Asked], Reply]:
    """Pages of the people; `link` words the header that leads from a page to the one with a number."""

    def answer(asked: Asked) -> Reply:
        if not services.allowed(asked):
            return Reply(b"", 401)
        assert asked.headers["accept"] == "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
        number = int(asked.path.partition("Page=")[2] or 0)
        page = PEOPLE[number * size : (number + 1) * size]
        more = (number + 1) * size < len(PEOPLE)
        return in_json({"members": page}, 200, (("Link", link(number + 1)),) if more else ())

    return answer


def fault(services: Services) -> PlatformFault:
    with pytest.raises(PlatformFault) as caught:
        members(services)
    return caught.value


LINKS = {
    "plain": "<{url}>; rel=next",
    "quoted": '<{url}>; rel="next"',
    "capitals": '<{url}>; REL="NEXT"',
    "one capital": "<{url}>;rel=Next",
    "several relations": '<{url}>; rel="last next"',
    "after others": '<https://x/?a,b>; rel="prev", <{url}>; title="a, b; c"; rel="next"',
    "before others": '<{url}>; rel="next", <{url}0>; rel="differences"',
    "relative": "</members?Course=A%2fB+c&Page={number}>; rel=next",
}


@pytest.mark.parametrize("wording", LINKS)
def test_pages_are_followed_however_their_links_are_worded(services: Services, wording: str) -> None:
    url = services.site.url + "/members?Course=A%2fB+c&Page="
    services.site.answers["GET /members"] = paged(
        services, lambda number: LINKS[wording].format(url=f"{url}{number}", number=number)
    )
    assert members(services) == MEMBERS
    assert [path for path in services.site.paths() if path != "/token"] == [
        "/members?Course=A%2Fb&rlid=c+d",
        "/members?Course=A%2fB+c&Page=1",
        "/members?Course=A%2fB+c&Page=2",
    ]


@pytest.mark.parametrize("link", ["", "<>", "nonsense", '<{url}>; rel="prev"', "<{url}>; relnext", '<{url}>; title="rel=next"', "<{url}; rel=next"])  # fmt: skip
def test_where_no_link_leads_on_the_roster_ends(services: Services, link: str) -> None:
    url = f"{services.site.url}/members?Page=1"
    services.site.answers["GET /members"] = paged(services, lambda _: link.format(url=url), size=4)
    assert members(services) == MEMBERS[:4]


def test_a_roster_that_comes_round_is_given_up(services: Services) -> None:
    url = f"{services.site.url}/members?Page=0"
    services.site.answers["GET /members"] = paged(services, lambda _: f"<{url}>; rel=next")
    assert fault(services).text == "lti-roster-endless"


def test_a_roster_without_end_is_given_up(services: Services) -> None:
    def endless(asked: Asked) -> Reply:
        number = int(asked.path.partition("Page=")[2] or 0)
        return in_json({"members": []}, 200, (("Link", f"</members?Page={number + 1}>; rel=next"),))

    services.site.answers["GET /members"] = endless
    error = fault(services)
    assert (error.text, error.params["pages"]) == ("lti-roster-endless", roster.MOST_PAGES)


def test_our_token_is_not_taken_to_another_machine(services: Services) -> None:
    with serving() as other:
        services.site.answers["GET /members"] = paged(services, lambda _: f"<{other.url}/members>; rel=next")
        assert fault(services).text == "lti-roster-elsewhere"
        assert other.asked == []


@pytest.mark.parametrize(
    "answer", [Reply(b"[]"), in_json({}), in_json({"members": [{}]}), in_json({"members": [{"user_id": 5}]})]
)
def test_what_is_no_roster_is_refused(services: Services, answer: Reply) -> None:
    services.site.answers["GET /members"] = lambda _: answer
    assert fault(services).text == "lti-answer-unreadable"


URL = st.text(st.characters(codec="ascii", exclude_characters="<>", categories=["L", "N", "P", "S"]))


@given(tail=URL, quoted=st.booleans())
def test_a_links_letters_are_left_as_they_are(tail: str, quoted: bool) -> None:
    url = f"https://lms.example.org/{tail}"
    relation = '"next"' if quoted else "next"
    assert roster.next_page("https://lms.example.org/", f"<{url}>; rel={relation}") == url


@given(st.text(st.sampled_from('<>;,="relnext \t'), max_size=60))
def test_a_header_of_any_kind_leads_on_or_not(header: str) -> None:
    found = roster.next_page("https://lms.example.org/", header)
    assert found is None or found.startswith("https:") or "://" in found
