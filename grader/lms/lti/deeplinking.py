"""A teacher's choice on its way back to the platform (Deep Linking 2.0)."""

import secrets
from collections.abc import Sequence
from typing import Any

from grader.errors import LaunchRefused
from grader.lms.lti.claims import DEEP_LINKING, NAMES
from grader.lms.lti.records import ChoiceWanted, Chosen, Launch
from grader.lms.lti.signing import OurKeys
from grader.lms.lti.tool import Tool

# How long the answer holds, in seconds: a page posts it at once.
ANSWER_SECONDS = 240


def answer(launch: Launch, chosen: Sequence[Chosen], *, tool: Tool, keys: OurKeys, now: float) -> str:
    """The token that a page posts, as `JWT`, to the `return_url` of `launch.choice`. No choice at all is an answer, too.

    Raises LaunchRefused where nothing was asked for, or one exercise only.
    """
    wanted = launch.choice
    if wanted is None:
        raise LaunchRefused("lti-choice-unasked", status=400)
    if len(chosen) > 1 and not wanted.multiple:
        raise LaunchRefused("lti-choice-one", status=400)
    claims: dict[str, Any] = {
        "iss": launch.client_id,
        "aud": launch.issuer,
        "nonce": secrets.token_urlsafe(24),
        NAMES["deployment_id"]: launch.deployment,
        NAMES["message_type"]: "LtiDeepLinkingResponse",
        NAMES["version"]: "1.3.0",
        f"{DEEP_LINKING}content_items": [_item(one, wanted, tool) for one in chosen],
    }
    if wanted.data is not None:
        claims[f"{DEEP_LINKING}data"] = wanted.data
    return keys.sign(claims, now, ANSWER_SECONDS)


def _item(chosen: Chosen, wanted: ChoiceWanted, tool: Tool) -> dict[str, Any]:
    """The link, which carries what was chosen as custom parameters; these are strings.

    Its address is the same for all exercises: Open edX announces a login for the address that it is registered with, whatever the
    link's own is, and the two have to agree.
    """
    custom = {"exercise": chosen.exercise, "points": f"{chosen.points:g}"}
    if chosen.attempts is not None:
        custom["attempts"] = str(chosen.attempts)
    if chosen.deadline is not None:
        custom["deadline"] = chosen.deadline
    item: dict[str, Any] = {
        "type": "ltiResourceLink",
        "title": chosen.title,
        "url": tool.launch,
        "custom": custom,
    }
    if wanted.line_items:
        item["lineItem"] = {
            "label": chosen.title,
            "scoreMaximum": chosen.points,
            "resourceId": chosen.exercise,
        }
    if chosen.deadline is not None:
        item["submission"] = {"endDateTime": chosen.deadline}
    return item
