"""The claims of a launch's token, by type; which of them have to be there is `grader.lms.lti.launch`'s affair.

Every claim may be missing or null here; one of another type is an error, and what is not named is passed over.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from grader.errors import LaunchRefused

_LTI = "https://purl.imsglobal.org/spec/lti/claim/"
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/"
NAMES = {
    "version": f"{_LTI}version",
    "message_type": f"{_LTI}message_type",
    "deployment_id": f"{_LTI}deployment_id",
    "target_link_uri": f"{_LTI}target_link_uri",
    "resource_link": f"{_LTI}resource_link",
    "roles": f"{_LTI}roles",
    "context": f"{_LTI}context",
    "presentation": f"{_LTI}launch_presentation",
    "custom": f"{_LTI}custom",
    "choice": f"{DEEP_LINKING}deep_linking_settings",
    "scores": "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint",
    "roster": "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice",
}
_PLACE = re.compile(r"`\$\.?([^`]*)`$")
_LONGEST_NAME = 120


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A course, or a link in it."""

    id: str | None = None
    title: str | None = None
    label: str | None = None


class Presentation(msgspec.Struct, frozen=True, kw_only=True):
    """How the platform shows us."""

    locale: str | None = None
    return_url: str | None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The deep-linking settings. Older Moodles say `"true"` and `"false"` for what is true and false."""

    deep_link_return_url: str | None = None
    accept_types: list[str] | None = None
    accept_multiple: bool | str | None = None
    accept_lineitem: bool | str | None = None
    data: str | None = None
    title: str | None = None


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """Where scores go (AGS)."""

    scope: list[str] | None = None
    lineitem: str | None = None
    lineitems: str | None = None


class Roster(msgspec.Struct, frozen=True, kw_only=True):
    """Where the names are (NRPS)."""

    context_memberships_url: str | None = None
    service_versions: list[str] | None = None


class Claims(msgspec.Struct, frozen=True, kw_only=True, rename=NAMES):
    """A token's claims, as far as they are read."""

    iss: str | None = None
    sub: str | None = None
    aud: str | list[str] | None = None
    azp: str | None = None
    exp: float | None = None
    iat: float | None = None
    nbf: float | None = None
    nonce: str | None = None
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    email: str | None = None
    locale: str | None = None
    version: str | None = None
    message_type: str | None = None
    deployment_id: str | None = None
    target_link_uri: str | None = None
    resource_link: Place | None = None
    roles: list[str] | None = None
    context: Place | None = None
    presentation: Presentation | None = None
    custom: dict[str, Any] | None = None
    choice: Choice | None = None
    scores: Scores | None = None
    roster: Roster | None = None


def read(payload: bytes) -> Claims:
    """A token's payload as claims. Raises LaunchRefused where it is no JSON object, or a claim has another type."""
    try:
        return msgspec.json.decode(payload, type=Claims)
    except msgspec.ValidationError as error:
        found = _PLACE.search(str(error))
        if found is None:
            raise LaunchRefused("lti-token-malformed", status=400) from None
        raise LaunchRefused("lti-claim-malformed", status=400, claim=found[1][:_LONGEST_NAME]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise LaunchRefused("lti-token-malformed", status=400) from None


def scalars(custom: Mapping[str, Any] | None) -> dict[str, str]:
    """Custom parameters as strings. Some platforms send numbers; what has parts of its own is none of ours."""
    return {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in (custom or {}).items()
        if isinstance(value, str | int | float)
    }
