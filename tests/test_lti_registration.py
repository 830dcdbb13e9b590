"""Dynamic registration with a platform on loopback."""

from collections.abc import Iterator

import pytest

from grader.errors import PlatformFault
from grader.lms.lti.outbound import Outbound
from grader.lms.lti.records import Platform
from grader.lms.lti.registration import register
from tests.lti_site import Asked, Reply, Site, in_json, serving
from tests.lti_visit import TOOL, outbound

OF_TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"


class Registering:
    """A platform that takes tools in, as Moodle does: its deployment is in the answer."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.configuration: dict[str, object] = {
            "issuer": site.url,
            "authorization_endpoint": f"{site.url}/auth",
            "token_endpoint": f"{site.url}/token",
            "jwks_uri": f"{site.url}/certs",
            "registration_endpoint": f"{site.url}/register",
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "scopes_supported": ["openid", f"{AGS}score", f"{AGS}lineitem", NRPS],
            "https://purl.imsglobal.org/spec/lti-platform-configuration": {
                "product_family_code": "moodle",
                "version": "4.3",
                "messages_supported": [{"type": "LtiResourceLinkRequest"}],
            },
        }
        self.registered: dict[str, object] = {"client_id": "fresh", OF_TOOL: {"deployment_id": "3"}}
        site.answers["GET /configuration"] = lambda _: in_json(self.configuration)
        site.answers["POST /register"] = self._register

    def register(self, token: str | None = "secret", way: Outbound | None = None) -> Platform:
        return register(
            f"{self.site.url}/configuration?token=1", token, tool=TOOL, outbound=way or outbound()
        )

    def _register(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != "Bearer secret":
            return Reply(b"", 401)
        return in_json(asked.json | self.registered, 201)


@pytest.fixture
def platform() -> Iterator[Registering]:
    with serving() as site:
        yield Registering(site)


def fault(platform: Registering, token: str | None = "secret") -> PlatformFault:
    with pytest.raises(PlatformFault) as caught:
        platform.register(token)
    return caught.value


def test_a_registration_gives_a_platform(platform: Registering) -> None:
    url = platform.site.url
    assert platform.register() == Platform(
        issuer=url,
        client_id="fresh",
        deployments=("3",),
        login_url=f"{url}/auth",
        token_url=f"{url}/token",
        jwks_url=f"{url}/certs",
        name="moodle",
    )


def test_what_we_are_is_said_in_full(platform: Registering) -> None:
    platform.register()
    fetched, posted = platform.site.asked
    assert fetched.path == "/configuration?token=1"
    assert "authorization" not in fetched.headers
    assert posted.headers["content-type"] == "application/json"
    said = posted.json
    assert said["redirect_uris"] == ["https://grader.example.org/lti/launch"]
    assert said["initiate_login_uri"] == "https://grader.example.org/lti/login"
    assert said["jwks_uri"] == "https://grader.example.org/lti/keys"
    assert said["token_endpoint_auth_method"] == "private_key_jwt"
    assert said["response_types"] == ["id_token"]
    assert said["grant_types"] == ["implicit", "client_credentials"]
    assert said["scope"] == f"{AGS}score {NRPS}"
    configured = said[OF_TOOL]
    assert isinstance(configured, dict)
    assert configured["domain"] == "grader.example.org"
    assert [message["type"] for message in configured["messages"]] == [
        "LtiResourceLinkRequest",
        "LtiDeepLinkingRequest",
    ]


def test_scopes_that_the_platform_does_not_offer_are_not_asked_for(platform: Registering) -> None:
    platform.configuration["scopes_supported"] = ["openid", NRPS]
    platform.register()
    assert platform.site.asked[-1].json["scope"] == NRPS


def test_a_platform_may_leave_the_deployment_to_its_administrator(platform: Registering) -> None:
    del platform.registered[OF_TOOL]
    assert platform.register().deployments == ()


def test_a_platform_may_name_its_authorization_server(platform: Registering) -> None:
    platform.configuration["authorization_server"] = "https://auth.example.org"
    assert platform.register().token_audience == "https://auth.example.org"


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "speaks for another": ({"issuer": "https://canvas.example.org"}, "lti-registration-issuer"),
    "speaks for another port": ({"issuer": "http://127.0.0.1:1"}, "lti-registration-issuer"),
    "signs otherwise": ({"id_token_signing_alg_values_supported": ["ES256"]}, "lti-registration-unsuited"),
    "wants a shared secret": ({"token_endpoint_auth_methods_supported": ["client_secret_basic"]}, "lti-registration-unsuited"),
    "login a script": ({"authorization_endpoint": "javascript:alert(1)"}, "lti-address-malformed"),
    "keys without a machine": ({"jwks_uri": "http:///certs"}, "lti-address-malformed"),
    "issuer missing": ({"issuer": None}, "lti-answer-unreadable"),
    "registers inside": ({"registration_endpoint": "http://169.254.169.254/latest"}, "lti-address-private"),
    "registers elsewhere than by http": ({"registration_endpoint": "file:///etc/passwd"}, "lti-address-malformed"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_configuration_is_held_to_its_rules(platform: Registering, what: str) -> None:
    changed, reason = REFUSED[what]
    platform.configuration |= changed
    assert fault(platform).text == reason
    assert "/register" not in platform.site.paths()


@pytest.mark.parametrize("token", [None, "other"])
def test_a_platform_may_refuse(platform: Registering, token: str | None) -> None:
    error = fault(platform, token)
    assert (error.text, error.params["code"], error.retry) == ("lti-answer-status", 401, False)


def test_a_token_that_no_header_takes_is_refused(platform: Registering) -> None:
    assert fault(platform, "a\r\nX-Y: z").text == "lti-registration-token"
    assert platform.site.asked == []


@pytest.mark.parametrize("registered", [{"client_id": ""}, {"client_id": 5}, {"client_id": None}])
def test_an_answer_without_a_client_id_is_none(platform: Registering, registered: dict[str, object]) -> None:
    platform.registered = registered
    assert fault(platform).text == "lti-answer-unreadable"


def test_a_configuration_inside_is_not_fetched(platform: Registering) -> None:
    with pytest.raises(PlatformFault) as caught:
        platform.register(way=Outbound())
    assert caught.value.text == "lti-address-private"
    assert platform.site.asked == []
