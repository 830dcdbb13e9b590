"""What the platform in `tests.moodle_platform` has for machines: access tokens, the gradebook and the roster, as strict as Moodle 4.3."""

import json
import re
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import httpx
import jwt

from tests.lti_site import Asked, Reply, Site, in_json
from tests.moodle_pages import ERROR_PAGE, Refused
from tests.moodle_people import COURSE, PEOPLE, TYPE, member

TOKEN_SECONDS = 3600
# What stands beside the status, and nowhere else.
REASONS = {400: "Incorrect score received", 409: "Refusing score with an earlier timestamp"}
SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
ROSTER = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
ROSTER_KIND = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")


class Unfit(Refused):
    """A token of the tool is not taken, for the reason that Moodle says."""


class ToolKeys:
    """The keys of the tool, kept from the first time, and fetched again where a token cannot be verified with them.

    fetch: gets what is at an address. clock: Moodle's; a token that is a second ahead of it is refused.
    """

    def __init__(self, fetch: Callable[[str], bytes], clock: Callable[[], float]) -> None:
        self._fetch, self._clock = fetch, clock
        self.kept: dict[str, bytes] = {}

    def verified(self, token: str, tool: dict[str, Any], sender: str) -> dict[str, Any]:
        """The claims of a token. sender: the claim that has to be the client id. Raises Unfit."""
        said: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        if said.get(sender) != (client := str(tool["client_id"])):
            raise Unfit("invalid_client")
        if client in self.kept:
            try:
                return self._decoded(token, self.kept[client])
            except Unfit:
                pass
        keys = self._fetch(str(tool["jwks_uri"]))
        claims = self._decoded(token, keys)
        self.kept[client] = keys
        return claims

    def _decoded(self, token: str, keys: bytes) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        try:
            key = jwt.PyJWKSet.from_json(keys.decode())[str(header.get("kid"))]
            claims: dict[str, Any] = json.loads(jwt.PyJWS().decode(token, key, ["RS256"]))
        except (jwt.PyJWTError, KeyError) as error:
            raise Unfit(str(error)) from error
        now = int(self._clock())
        if max(claims.get("iat", 0), claims.get("nbf", 0)) > now:
            raise Unfit("Cannot handle token prior to that")
        if now >= claims.get("exp", now + 1):
            raise Unfit("Expired token")
        return claims


class Grade(NamedTuple):
    """What a column has for somebody. modified: when Moodle took it, by its own clock, in whole seconds."""

    points: float
    feedback: str
    modified: int


class Gradebook:
    """The columns of the course, and the grades in them. clock: Moodle's."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.most: dict[str, float] = {}
        self.grades: dict[tuple[str, str], Grade] = {}
        self.refusals: list[int] = []
        self.students = {user.id for user in PEOPLE.values() if user.role == "student"}

    def add(self, most: float) -> str:
        """A further column, of so many points."""
        item = str(31 + len(self.most))
        self.most[item] = most
        return item

    def of(self, who: str, item: str = "31") -> tuple[float, str] | None:
        """The grade and the feedback of somebody."""
        found = self.grades.get((item, PEOPLE[who].id))
        return None if found is None else (found.points, found.feedback)

    def score(self, item: str, said: dict[str, Any]) -> int:
        """Take a score; the status that says what became of it."""
        status = self._score(item, said)
        if status != 200:
            self.refusals.append(status)
        return status

    def _score(self, item: str, said: dict[str, Any]) -> int:
        required = ("userId", "timestamp", "gradingProgress", "activityProgress")
        whole = all(said.get(name) is not None for name in required) and said["userId"] in self.students
        if not whole or not _STAMP.fullmatch(said["timestamp"]):
            return 400
        given, most = said.get("scoreGiven"), said.get("scoreMaximum")
        if not isinstance(given, int | float) or not isinstance(most, int | float):
            return 400
        old = self.grades.get((item, said["userId"]))
        if old is not None and old.modified >= int(datetime.fromisoformat(said["timestamp"]).timestamp()):
            return 409
        if said["gradingProgress"] != "FullyGraded":
            self.grades.pop((item, said["userId"]), None)
            return 200
        new = Grade(given * self.most[item] / most, said.get("comment") or "", int(self._clock()))
        if old is None or (old.points, old.feedback) != (new.points, new.feedback):
            self.grades[item, said["userId"]] = new
        return 200


class Services:
    """The addresses for machines. tool: what is registered; names: whether the roster has them."""

    def __init__(self, site: Site, keys: ToolKeys, gradebook: Gradebook, clock: Callable[[], float]) -> None:
        self.tool: dict[str, Any] = {}
        self.names = True
        self._keys, self._gradebook, self._clock, self._site = keys, gradebook, clock, site
        self._tokens: dict[str, tuple[set[str], float]] = {}
        site.answers["POST /mod/lti/token.php"] = self._token
        roster = f"/mod/lti/services.php/CourseSection/{COURSE}/bindings/{TYPE}/memberships"
        site.answers[f"GET {roster}"] = self._roster

    def open(self, item: str) -> None:
        """Let a column take scores."""
        address = f"/mod/lti/services.php/{COURSE}/lineitems/{item}/lineitem/scores"
        self._site.answers[f"POST {address}"] = lambda asked: self._score(asked, item)

    def _token(self, asked: Asked) -> Reply:
        said = dict(parse_qsl(asked.body.decode()))
        kind = asked.headers.get("content-type", "").partition(";")[0]
        if kind != "application/x-www-form-urlencoded" or not said.get("scope"):
            return in_json({"error": "invalid_request"}, 400)
        if (said.get("grant_type"), said.get("client_assertion_type")) != (
            "client_credentials",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ):
            return in_json({"error": "unsupported_grant_type"}, 400)
        try:
            claims = self._keys.verified(said.get("client_assertion", ""), self.tool, "sub")
            self._keys.verified(said["client_assertion"], self.tool, "iss")
        except Unfit as why:
            return in_json({"error": str(why)}, 400)
        except httpx.HTTPError:  # the keys cannot be had
            return ERROR_PAGE
        assert claims["jti"]
        scopes = set(said["scope"].split()) & set(self.tool["scopes"])
        if not scopes:
            return in_json({"error": "invalid_scope"}, 400)
        token = secrets.token_hex(16)
        self._tokens[token] = scopes, self._clock() + TOKEN_SECONDS
        granted = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}
        return in_json(granted | {"scope": " ".join(sorted(scopes))})

    def _allowed(self, asked: Asked, scope: str) -> bool:
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        scopes, ends = self._tokens.get(token, (set[str](), 0.0))
        return scope in scopes and self._clock() < ends

    def _score(self, asked: Asked, item: str) -> Reply:
        if asked.headers.get("content-type") != "application/vnd.ims.lis.v1.score+json":
            return Reply(b"", 400)
        if not self._allowed(asked, SCORE) or f"type_id={TYPE}" not in asked.path:
            return Reply(b"", 401)
        status = self._gradebook.score(item, asked.json)
        return Reply() if status == 200 else Reply(b"[]", status, reason=REASONS[status])

    def _roster(self, asked: Asked) -> Reply:
        if asked.headers.get("accept") not in {ROSTER_KIND, "*/*"}:
            return Reply(b"", 400)
        if not self._allowed(asked, ROSTER):
            return Reply(b"", 401)
        people = [member(user, names=self.names) for user in PEOPLE.values() if user.role != "admin"]
        context = {"id": COURSE, "label": "ML", "title": "Machine learning"}
        return in_json({"id": asked.path, "context": context, "members": people})
