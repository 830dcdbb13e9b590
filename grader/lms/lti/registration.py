"""Dynamic registration 1.0: a platform tells where its configuration is, we say what we are, and it takes us in."""

from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import msgspec

from grader.errors import PlatformFault
from grader.lms.lti.outbound import Answer, Outbound
from grader.lms.lti.records import Platform
from grader.lms.lti.roster import SCOPE as ROSTER
from grader.lms.lti.scores import SCOPE as SCORES
from grader.lms.lti.tool import Tool

_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-platform-configuration"
_TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
# What is asked of a person's token; a platform may leave out what it keeps to itself.
_CLAIMS = ("iss", "sub", "name", "given_name", "family_name", "email", "locale")


class _Family(msgspec.Struct, frozen=True):
    """What software the platform is."""

    product_family_code: str = ""


class _Configuration(msgspec.Struct, frozen=True, rename={"family": _CONFIGURATION}):
    """A platform's OpenID configuration, as far as it is read."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    registration_endpoint: str
    authorization_server: str | None = None
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("private_key_jwt",)
    scopes_supported: tuple[str, ...] = ()
    family: _Family | None = None


class _Deployed(msgspec.Struct, frozen=True):
    """What the platform made of our configuration."""

    deployment_id: str | None = None


class _Registered(msgspec.Struct, frozen=True, rename={"tool": _TOOL}):
    """The platform's answer."""

    client_id: str
    tool: _Deployed | None = None


def register(configuration_url: str, token: str | None, *, tool: Tool, outbound: Outbound) -> Platform:
    """Register with the platform that has its configuration there. token: the platform's, where it sent one.

    The platform has no deployments where it does not say one; then an administrator has to name it. Raises PlatformFault.
    """
    if token is not None and not (token.isascii() and token.isprintable()):
        raise PlatformFault("lti-registration-token", retry=False)
    fetched = outbound.get(configuration_url, "application/json")
    found = fetched.parsed(_Configuration)
    _hold(found, configuration_url, fetched.host)
    answer = outbound.post(
        found.registration_endpoint,
        msgspec.json.encode(_ourselves(tool, found.scopes_supported)),
        "application/json",
        accept="application/json",
        bearer=token,
    )
    return _platform(found, answer)


def _hold(found: _Configuration, url: str, host: str) -> None:
    """That a platform speaks for itself, and by the rules that launches are held to."""
    issuer = urlsplit(found.issuer)
    if (issuer.scheme, issuer.netloc) != (urlsplit(url).scheme, urlsplit(url).netloc):
        raise PlatformFault("lti-registration-issuer", retry=False, host=host, issuer=found.issuer[:120])
    if "RS256" not in found.id_token_signing_alg_values_supported:
        raise PlatformFault("lti-registration-unsuited", retry=False, host=host, lacks="RS256")
    if "private_key_jwt" not in found.token_endpoint_auth_methods_supported:
        raise PlatformFault("lti-registration-unsuited", retry=False, host=host, lacks="private_key_jwt")
    for place in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
        if urlsplit(place).scheme != issuer.scheme or not urlsplit(place).hostname:
            raise PlatformFault("lti-address-malformed", retry=False, url=place[:120])


def _platform(found: _Configuration, answer: Answer) -> Platform:
    registered = answer.parsed(_Registered)
    if not registered.client_id:
        raise PlatformFault("lti-answer-unreadable", retry=False, host=answer.host, detail="client_id")
    deployment = registered.tool and registered.tool.deployment_id
    return Platform(
        issuer=found.issuer,
        client_id=registered.client_id,
        deployments=(deployment,) if deployment else (),
        login_url=found.authorization_endpoint,
        token_url=found.token_endpoint,
        jwks_url=found.jwks_uri,
        token_audience=found.authorization_server or "",
        name=(found.family and found.family.product_family_code) or answer.host,
    )


def _ourselves(tool: Tool, scopes: Collection[str]) -> dict[str, Any]:
    """What we are. scopes: what the platform offers; where it says nothing, all that we use is asked for."""
    return {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": tool.login,
        "redirect_uris": [tool.launch],
        "client_name": tool.name,
        "jwks_uri": tool.keys,
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join(scope for scope in (SCORES, ROSTER) if not scopes or scope in scopes),
        _TOOL: {
            "domain": urlsplit(tool.base).netloc,
            "target_link_uri": tool.launch,
            "claims": list(_CLAIMS),
            "messages": [
                {"type": "LtiResourceLinkRequest", "target_link_uri": tool.launch},
                {"type": "LtiDeepLinkingRequest", "target_link_uri": tool.launch, "label": tool.name},
            ],
        },
    }
