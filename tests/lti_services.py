"""The services of the platform in `tests.lti_site`: tokens, which it gives out for right assertions alone."""

from functools import cache
from typing import Any

import jwt

from grader.lms.lti.records import SigningKey
from grader.lms.lti.signing import OurKeys, new_key
from grader.lms.lti.tokens import Tokens
from tests.lti_site import Asked, Reply, Site, in_json
from tests.lti_visit import CLIENT, NOW, Door


@cache
def our_key() -> SigningKey:
    """One key of ours for all tests, since making one takes a while."""
    return new_key(NOW)


class Services:
    """Gives out tokens `token-1`, `token-2` …, and takes only those that it has not ended."""

    def __init__(self, site: Site) -> None:
        self.door = Door(site)
        self.site = site
        self.assertions: list[dict[str, Any]] = []
        self.ended: set[str] = set()
        self.granted: dict[str, object] = {"token_type": "Bearer", "expires_in": 3600}
        self.door.memory.chest = (our_key(),)
        self.keys = OurKeys(self.door.memory)
        self.tokens = Tokens(self.door.outbound, self.keys, lambda: self.door.clock[0])
        site.answers["POST /token"] = self._token

    def allowed(self, asked: Asked) -> bool:
        """Whether a request came with a token that holds."""
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        return token.startswith("token-") and token not in self.ended

    def verified(self, token: str, audience: str) -> dict[str, Any]:
        """The claims of a token of ours, as the platform reads it: by what we publish."""
        published = jwt.PyJWKSet.from_json(self.keys.published(self.door.clock[0]).decode())
        key = published[str(jwt.get_unverified_header(token)["kid"])]
        return jwt.decode(
            token, key, ["RS256"], audience=audience, options={"verify_exp": False, "verify_iat": False}
        )

    def _token(self, asked: Asked) -> Reply:
        form = asked.form
        claims = self.verified(form.pop("client_assertion"), self.door.platform.token_url)
        assert form.pop("scope")
        assert form == {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }
        assert (claims["iss"], claims["sub"]) == (CLIENT, CLIENT)
        assert 0 < claims["exp"] - claims["iat"] <= 120
        assert NOW - 60 <= claims["iat"] < claims["exp"]
        self.assertions.append(claims)
        return in_json(self.granted | {"access_token": f"token-{len(self.assertions)}"})
