"""Who is in a course, by the platform (NRPS 2.0), page after page."""

import re
from functools import partial
from urllib.parse import urljoin, urlsplit

import msgspec

from grader.errors import PlatformFault
from grader.lms.lti.outbound import Outbound
from grader.lms.lti.records import Member, Platform
from grader.lms.lti.roles import reduced
from grader.lms.lti.tokens import Tokens

SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
_KIND = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
# More pages than any course has.
MOST_PAGES = 200
# A link and its parameters (RFC 8288), whose values may be quoted.
_LINK = re.compile(r'<([^<>]*)>((?:[^,"]|"[^"]*")*)')
_RELATION = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]*))', re.IGNORECASE)


class _Person(msgspec.Struct, frozen=True):
    """A member as the platform says it."""

    user_id: str
    roles: list[str] = []
    status: str | None = None
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    email: str | None = None


class _Page(msgspec.Struct, frozen=True):
    """One answer."""

    members: list[_Person]


def members(url: str, platform: Platform, *, outbound: Outbound, tokens: Tokens) -> list[Member]:
    """Everybody on the roster, in the platform's order, each once. Raises PlatformFault.

    A page that leads to another machine is refused: our token is for this one.
    """
    found: dict[str, Member] = {}
    seen: set[str] = set()
    following: str | None = url
    while following is not None:
        if following in seen or len(seen) == MOST_PAGES:
            raise PlatformFault("lti-roster-endless", retry=False, host=platform.issuer, pages=len(seen))
        if _origin(following) != _origin(url):
            raise PlatformFault("lti-roster-elsewhere", retry=False, host=platform.issuer)
        seen.add(following)
        ask = partial(outbound.get, following, _KIND)
        answer = tokens.call(platform, SCOPE, ask)
        for person in answer.parsed(_Page).members:
            found[person.user_id] = _member(person)
        following = next_page(following, answer.headers.get("link", ""))
    return list(found.values())


def next_page(url: str, header: str) -> str | None:
    """The page after `url` by a Link header; its letters are left as they are, the case of the relation is not minded."""
    for link in _LINK.finditer(header):
        relation = _RELATION.search(link[2])
        if relation and "next" in (relation[1] or relation[2] or "").lower().split():
            address = str(link[1])
            return address if "://" in address else urljoin(url, address)
    return None


def _member(person: _Person) -> Member:
    named = " ".join(filter(None, (person.given_name, person.family_name)))
    return Member(
        subject=person.user_id,
        role=reduced(person.roles),
        active=(person.status or "Active").lower() == "active",
        name=person.name or named or None,
        email=person.email or None,
    )


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", url
    return parts.scheme, parts.netloc
