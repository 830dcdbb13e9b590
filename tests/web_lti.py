"""People who come to the pages of a service from a learning platform, whose tokens we sign here."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from grader.lms.lti.records import Platform
from grader.web.store import platforms
from grader.web.store.store import open_store
from tests.lti_site import Site, in_json, serving
from tests.lti_visit import (
    AGS,
    CLIENT,
    DEPLOYMENT,
    IN_COURSE,
    ISSUER,
    LTI,
    NRPS,
    SCORE,
    SETTINGS,
    jwk,
    resource_claims,
    signed,
)
from tests.stores import new_store
from tests.web import Browser, Pages

FRAMES = f"frame-ancestors {ISSUER} https://apps.example.org"
LMS = {"origin": ISSUER}
TEACHER = {LTI + "roles": [f"{IN_COURSE}#Instructor"], "sub": "teacher-1", "name": "Ana"}
OTHER_COURSE = {LTI + "context": {"id": "course-2", "title": "Statistics"}}
CHOOSE: dict[str, Any] = {
    LTI + "message_type": "LtiDeepLinkingRequest",
    LTI + "resource_link": None,
    LTI + "target_link_uri": None,
    SETTINGS: {
        "deep_link_return_url": f"{ISSUER}/return",
        "accept_types": ["ltiResourceLink"],
        "data": "opaque=1&x",
    },
}


class Lms:
    """A platform that a service is registered with, as its pages reach it."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self.site, self.pages = site, pages
        self.tool, self.store = pages.service.lti.tool, pages.service.store
        self.platform = Platform(
            issuer=ISSUER,
            client_id=CLIENT,
            deployments=(DEPLOYMENT,),
            login_url=f"{ISSUER}/auth",
            token_url=f"{site.url}/token",
            jwks_url=f"{site.url}/jwks",
            name="School",
        )
        site.answers["GET /jwks"] = lambda _: in_json({"keys": [jwk("platform")]})
        self.store.write(platforms.register, self.platform, "https://apps.example.org")

    def announced(self, **changed: str) -> dict[str, str]:
        said = {
            "iss": ISSUER,
            "client_id": CLIENT,
            "login_hint": "42",
            "target_link_uri": self.tool.launch,
        }
        return {name: value for name, value in (said | changed).items() if value}

    def login(self, browser: Browser, **changed: str) -> httpx.Response:
        """What the browser is answered that the platform sends."""
        return browser.get("/lti/login", params=self.announced(**changed), follow_redirects=False)

    def form(self, redirect: str, claims: Mapping[str, Any] | None = None, **header: Any) -> dict[str, str]:
        """What the platform has the browser post after that. claims: those that differ; None takes one away."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(redirect).query).items()}
        now = time.time()
        said = resource_claims(asked["nonce"]) | {
            "iat": now,
            "exp": now + 60,
            LTI + "target_link_uri": self.tool.launch,
            AGS: {"scope": [SCORE], "lineitem": f"{self.site.url}/item?type_id=3"},
            NRPS: {"context_memberships_url": f"{self.site.url}/members"},
        }
        said |= claims or {}
        kept = {name: value for name, value in said.items() if value is not None}
        token = signed(kept, {"alg": "RS256", "typ": "JWT", "kid": "platform"} | header)
        return {"id_token": token, "state": asked["state"]}

    def comes(
        self, browser: Browser, claims: Mapping[str, Any] | None = None, *, follow: bool = True
    ) -> httpx.Response:
        """Somebody clicks on the link; the page that they are shown at last."""
        form = self.form(self.login(browser).headers["location"], claims)
        return browser.post("/lti/launch", data=form, headers=LMS, follow_redirects=follow)


@contextmanager
def school(folder: Path, place: str = "") -> Iterator[Lms]:
    """A platform, and a service behind HTTPS that is registered with it. place: of its database."""
    known = open_store(place, folder / "files", patience=20.0) if place else new_store(folder)
    with serving() as site, known as store:
        yield Lms(site, Pages(store, secure=True))
