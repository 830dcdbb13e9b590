"""A learning platform that answers, demands and refuses as Moodle 4.3 does where tools come in by LTI 1.3, as far as a tool can see it.

Written from what Moodle's own code does, none of which is here. It has one course, whose pages are at the server of `tests.lti_site`.
"""

import json
import secrets
import time
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import jwt

from tests.lti_site import Asked, Reply, Site, in_json
from tests.lti_visit import LTI, SETTINGS, jwk, rsa_key
from tests.moodle_pages import Refused, form, framing, page, query, reposted, said_by, with_errors
from tests.moodle_people import EDITORS, PEOPLE, TYPE, Link, Shared, User, claims
from tests.moodle_services import Gradebook, Services, ToolKeys

OF_TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
_AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
GRADES = frozenset({f"{_AGS}lineitem.readonly", f"{_AGS}result.readonly", f"{_AGS}score"})
ROSTER = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
REQUIRED = (
    *("response_types", "initiate_login_uri", "redirect_uris", "client_name", "jwks_uri"),
    *("token_endpoint_auth_method", OF_TOOL),
)


class Session:
    """Of a browser: who it is, and the launches under way, each of which may be asked for once."""

    def __init__(self, user: User) -> None:
        self.user, self.launches, self.sesskey = user, dict[str, str](), secrets.token_hex(5)


class Moodle:
    """The site. fetch: how it gets the keys of the tool; ahead: by how many seconds its clock is ahead of ours."""

    def __init__(self, site: Site, fetch: Callable[[str], bytes] | None = None) -> None:
        self.url, self.ahead = site.url, 0.0
        self.sessions: dict[str, Session] = {}
        self.active = False
        self.links: dict[str, Link] = {}
        self.returned: list[dict[str, Any]] = []
        self.gradebook = Gradebook(self.now)
        self._keys = ToolKeys(fetch or _fetched, self.now)
        self.services = Services(site, self._keys, self.gradebook, self.now)
        pages: dict[str, Callable[[Asked], Reply]] = {
            "GET startltiadvregistration": self._start_registration,
            "GET openid-configuration": self._configuration,
            "POST openid-registration": self._register,
            "GET certs": lambda _: in_json({"keys": [jwk("platform")]}),
            "GET toolconfigure": lambda asked: framing(f"startltiadvregistration.php?{query(asked)}"),
            "GET view": lambda asked: framing(f"launch.php?{query(asked)}"),
            "GET edit": lambda asked: framing(f"contentitem.php?{query(asked)}"),
            "GET launch": self._launch,
            "GET contentitem": self._choose,
            "GET auth": self._auth,
            "POST auth": self._auth,
            "POST contentitem_return": self._chosen,
        }
        for name, answering in pages.items():
            site.answers[name.replace(" ", " /mod/lti/") + ".php"] = with_errors(answering)
        site.answers["GET /login"] = self._login

    @property
    def tool(self) -> dict[str, Any]:
        """What is registered."""
        return self.services.tool

    def now(self) -> float:
        return time.time() + self.ahead

    def forget_keys(self) -> None:
        """What an administrator does who purges the caches."""
        self._keys.kept.clear()

    # ---- what people do there -------------------------------------------------------------------

    def activate(self) -> None:
        """What an administrator does with a tool that has registered itself, which waits for that."""
        assert self.tool
        self.active = True

    def save(self, config: dict[str, Any]) -> Link:
        """What a teacher does with the form that a choice has filled in. Raises Refused where the form would say what is wrong."""
        points = config["points"]
        if points is not None and not (float(points).is_integer() and 1 <= points <= 100):
            raise Refused("Invalid grade value. This must be an integer between 1 and 100")
        number = len(self.links) + 1
        item = None if points is None else self.gradebook.add(points)
        link = Link(str(20 + number), str(number), config["name"], config["url"], config["custom"], item)
        if item is not None:
            self.services.open(item)
        self.links[link.module] = link
        return link

    def _login(self, asked: Asked) -> Reply:
        said, session = said_by(asked), secrets.token_hex(13)
        self.sessions[session] = Session(PEOPLE[said["who"]])
        # Without SameSite: a browser sends it along only where a page of this site sent it here.
        cookie = ("Set-Cookie", f"MoodleSession={session}; path=/; HttpOnly")
        return Reply(b"", 303, (cookie, ("Location", said.get("go", "/"))))

    def _session(self, asked: Asked) -> Session | None:
        cookie = SimpleCookie(asked.headers.get("cookie", "")).get("MoodleSession")
        return None if cookie is None else self.sessions.get(cookie.value)

    def _signed_in(self, asked: Asked, roles: set[str] | None = None) -> Session:
        session = self._session(asked)
        if session is None or (roles is not None and session.user.role not in roles):
            raise Refused("not allowed")
        return session

    # ---- registration ---------------------------------------------------------------------------

    def _start_registration(self, asked: Asked) -> Reply:
        """In a frame of the page where tools are managed."""
        self._signed_in(asked, {"admin"})
        again = said_by(asked).get("type") == TYPE
        whom = (
            {"sub": TYPE, "scope": "reg-update"}
            if again
            else {"sub": secrets.token_hex(8)[:15], "scope": "reg"}
        )
        token, url = _signed(whom | {"exp": int(self.now()) + 3600}), said_by(asked)["url"]
        said = {
            "openid_configuration": f"{self.url}/mod/lti/openid-configuration.php",
            "registration_token": token,
        }
        return Reply(b"", 302, (("Location", f"{url}{'&' if '?' in url else '?'}{urlencode(said)}"),))

    def _configuration(self, _: Asked) -> Reply:
        at = f"{self.url}/mod/lti/"
        found = {
            "issuer": self.url,
            "token_endpoint": f"{at}token.php",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
            "jwks_uri": f"{at}certs.php",
            "authorization_endpoint": f"{at}auth.php",
            "registration_endpoint": f"{at}openid-registration.php",
            "scopes_supported": [*sorted(GRADES), f"{_AGS}lineitem", ROSTER, "openid"],
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public", "pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": ["sub", "iss", "name", "given_name", "family_name", "email"],
            "https://purl.imsglobal.org/spec/lti-platform-configuration": {
                "product_family_code": "moodle",
                "version": "4.3 (Build: 20231009)",
                "messages_supported": [
                    {"type": "LtiResourceLinkRequest"},
                    {"type": "LtiDeepLinkingRequest", "placements": ["ContentArea"]},
                ],
                "variables": ["Context.id", "User.id"],
            },
        }
        return in_json(found)

    def _register(self, asked: Asked) -> Reply:
        given = asked.headers.get("authorization", "")
        if not given.startswith("Bearer "):
            return Reply(b"missing_registration_token", 401)
        token = jwt.decode(given[7:], rsa_key("platform").public_key(), ["RS256"])
        client_id = self.tool["client_id"] if (again := token["scope"] == "reg-update") else token["sub"]
        if not again and client_id == self.tool.get("client_id"):
            return Reply(b"token_already_used", 401)
        said: dict[str, Any] = asked.json
        if (why := _unfit(said)) is not None:
            return Reply(why.encode(), 400)
        told, asked_for = said[OF_TOOL], str(said.get("scope", "")).split()
        scopes = (GRADES if f"{_AGS}score" in asked_for else set()) | ({ROSTER} & set(asked_for))
        choosing = [one for one in told.get("messages", []) if one["type"] == "LtiDeepLinkingRequest"]
        self.services.tool = said | {"client_id": client_id, "scopes": scopes, "choosing": choosing}
        self.services.names = bool({"name", "given_name", "family_name"} & set(told.get("claims", [])))
        self.active = self.active and again
        answer = {"client_id": client_id, "scope": " ".join(sorted(scopes))}
        return in_json(answer | {OF_TOOL: {"version": "1.3.0", "deployment_id": TYPE}})

    # ---- launches -------------------------------------------------------------------------------

    def _launch(self, asked: Asked) -> Reply:
        session, link = self._signed_in(asked), self.links[said_by(asked)["id"]]
        hint = {"cmid": link.module, "launchid": f"ltilaunch{link.id}_{secrets.randbelow(10**9)}"}
        session.launches[hint["launchid"]] = link.module
        return self._announced(session.user, link.url, hint)

    def _choose(self, asked: Asked) -> Reply:
        session = self._signed_in(asked, EDITORS)
        if not self.active or not self.tool["choosing"]:
            raise Refused("no such tool is offered")
        launch = f"ltilaunch_ContentItemSelectionRequest{secrets.randbelow(10**9)}"
        session.launches[launch] = ""
        return self._announced(
            session.user, self.tool["choosing"][0]["target_link_uri"], {"launchid": launch}
        )

    def _announced(self, user: User, target: str, hint: dict[str, str]) -> Reply:
        said = {
            "iss": self.url,
            "target_link_uri": target,
            "login_hint": user.id,
            "lti_message_hint": json.dumps(hint, separators=(",", ":")),
            "client_id": self.tool["client_id"],
            "lti_deployment_id": TYPE,
        }
        return form(self.tool["initiate_login_uri"], said)

    def _auth(self, asked: Asked) -> Reply:
        said, session = said_by(asked), self._session(asked)
        if session is None:
            return reposted(asked)
        hint = json.loads(said.get("lti_message_hint") or "null")
        required = ("redirect_uri", "login_hint", "nonce")
        if not isinstance(hint, dict) or not all(said.get(name) for name in required):
            raise Refused("Invalid request")
        module = session.launches.pop(str(hint.get("launchid")), None)
        if module is None or said["redirect_uri"] not in self.tool["redirect_uris"]:
            raise Refused("Invalid request")
        expected = {"scope": "openid", "response_type": "id_token", "response_mode": "form_post"}
        expected |= {"prompt": "none", "client_id": self.tool["client_id"], "login_hint": session.user.id}
        if any(said.get(name) != value for name, value in expected.items()):
            return form(said["redirect_uri"], {"error": "invalid_request", "state": said.get("state", "")})
        token = self._token(session, said["nonce"], self.links.get(module))
        return form(said["redirect_uri"], {"id_token": token, "state": said.get("state", "")})

    def _token(self, session: Session, nonce: str, link: Link | None) -> str:
        shared = Shared(self.tool["client_id"], frozenset(self.tool["scopes"]), self.services.names)
        told, now = claims(session.user, shared, link, self.url), int(self.now())
        if link is None:
            told[LTI + "target_link_uri"] = self.tool["choosing"][0]["target_link_uri"]
            told[SETTINGS]["deep_link_return_url"] %= session.sesskey
        return _signed(told | {"nonce": nonce, "iat": now, "exp": now + 60})

    def _chosen(self, asked: Asked) -> Reply:
        """The answer to a choice, which fills in a form."""
        said, session = said_by(asked), self._session(asked)
        if session is None:
            return reposted(asked)
        told = self._keys.verified(said["JWT"], self.tool, "iss")
        if session.user.role not in EDITORS or said.get("sesskey") != session.sesskey:
            raise Refused("not allowed")
        self.returned = [_filled_in(one) for one in told.get(f"{DL}content_items", [])]
        return page("<p>Successfully fetched tool configuration from content.</p>")


def _filled_in(item: dict[str, Any]) -> dict[str, Any]:
    """What is taken of a content item; when it is open and until when it is handed in is not."""
    column = item.get("lineItem")
    return {
        "name": item.get("title") or "grader",
        "url": item.get("url") or "",
        "custom": "\n".join(f"{name}={value}" for name, value in item.get("custom", {}).items()),
        "points": None if column is None else column.get("scoreMaximum", 100),
    }


def _unfit(said: dict[str, Any]) -> str | None:
    """Why a registration is refused."""
    missing = next((name for name in REQUIRED if not said.get(name)), None)
    if missing is not None:
        return f"missing required attribute {missing}"
    told = said[OF_TOOL]
    if not (domain := told.get("domain")):
        return "missing_domain"
    if urlsplit(told.get("target_link_uri") or f"https://{domain}").netloc != domain:
        return "domain_targetlinkuri_mismatch"
    if "id_token" not in said["response_types"] or said["token_endpoint_auth_method"] != "private_key_jwt":
        return "invalid_response_types"
    return None if said.get("application_type", "web") == "web" else "invalid_application_type"


def _signed(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, rsa_key("platform"), "RS256", {"kid": "platform"})


def _fetched(url: str) -> bytes:
    return httpx.get(url, trust_env=False).raise_for_status().content
