"""The people and links of the course in `tests.moodle_platform`, and what Moodle 4.3 says of them in its tokens and on its roster."""

from typing import Any, NamedTuple

from tests.lti_visit import AGS, IN_COURSE, LTI, NRPS, SETTINGS

COURSE, TYPE = "2", "3"
OVER_COURSES = "http://purl.imsglobal.org/vocab/lis/v2"
EDITORS = {"editingteacher", "admin"}


class User(NamedTuple):
    """Somebody with an account. role: `student`, `teacher` (who edits nothing), `editingteacher`, or `admin` with none in the course."""

    id: str
    given: str
    family: str
    role: str
    language: str = "en"


PEOPLE = {
    "root": User("2", "Admin", "User", "admin"),
    "wei": User("4", "Wei", "Li", "student", "zh_cn"),
    "mei": User("5", "Mei", "Wang", "student"),
    "ana": User("6", "Ana", "García", "editingteacher"),
    "tom": User("7", "Tom", "Brown", "teacher"),
}


class Link(NamedTuple):
    """An external tool in the course. custom: as the form has it, a line each; item: its column, None where it is not graded."""

    module: str
    id: str
    name: str
    url: str
    custom: str
    item: str | None


class Shared(NamedTuple):
    """What the tool may be told. scopes: of Moodle's services; names: whether people's names are shared."""

    client_id: str
    scopes: frozenset[str]
    names: bool


def claims(user: User, shared: Shared, link: Link | None, url: str) -> dict[str, Any]:
    """What a token says beside its times and its nonce. link: None where an exercise is being chosen."""
    services = f"{url}/mod/lti/services.php"
    roster = f"{services}/CourseSection/{COURSE}/bindings/{TYPE}/memberships"
    found: dict[str, Any] = {
        "iss": url,
        "aud": shared.client_id,
        "sub": user.id,
        LTI + "deployment_id": TYPE,
        LTI + "version": "1.3.0",
        LTI + "lis": {"person_sourcedid": "", "course_section_sourcedid": ""},
        LTI + "roles": sorted(_roles(user)),
        LTI + "context": {
            "id": COURSE,
            "label": "ML",
            "title": "Machine learning",
            "type": ["CourseSection"],
        },
        LTI + "tool_platform": {
            "product_family_code": "moodle",
            "version": "2023100900",
            "guid": "0123456789abcdef",
            "name": "School",
            "description": "A school",
        },
        LTI + "ext": {"lms": "moodle-2"},
        LTI + "launch_presentation": {"locale": user.language},
        LTI + "custom": {"context_memberships_url": roster},
    }
    if shared.names:
        named = {"given_name": user.given, "family_name": user.family, "name": f"{user.given} {user.family}"}
        found |= named | {"email": f"{user.given.lower()}@example.org"}
    grades = sorted(scope for scope in shared.scopes if "/lti-ags/" in scope)
    if grades:
        found[AGS] = {"scope": grades, "lineitems": f"{services}/{COURSE}/lineitems?type_id={TYPE}"}
        if link is not None and link.item is not None:
            found[AGS]["lineitem"] = f"{services}/{COURSE}/lineitems/{link.item}/lineitem?type_id={TYPE}"
    if link is not None and any("/lti-nrps/" in scope for scope in shared.scopes):
        found[NRPS] = {"context_memberships_url": roster, "service_versions": ["1.0", "2.0"]}
    return found | (_choosing(url) if link is None else _opening(link, found, url))


def _opening(link: Link, found: dict[str, Any], url: str) -> dict[str, Any]:
    custom = dict(line.split("=", 1) for line in link.custom.splitlines() if "=" in line)
    back = f"{url}/mod/lti/return.php?course={COURSE}&launch_container=3&instanceid={link.id}&sesskey=x"
    return {
        LTI + "message_type": "LtiResourceLinkRequest",
        LTI + "target_link_uri": link.url,
        LTI + "resource_link": {"title": link.name, "description": "", "id": link.id},
        LTI + "custom": custom | found[LTI + "custom"],
        LTI + "launch_presentation": found[LTI + "launch_presentation"]
        | {"document_target": "iframe", "return_url": back},
    }


def _choosing(url: str) -> dict[str, Any]:
    return {
        LTI + "message_type": "LtiDeepLinkingRequest",
        SETTINGS: {
            "accept_types": ["ltiResourceLink"],
            "accept_presentation_document_targets": ["frame", "iframe", "window"],
            "accept_copy_advice": False,
            "accept_multiple": True,
            "accept_unsigned": False,
            "auto_create": False,
            "can_confirm": False,
            "deep_link_return_url": f"{url}/mod/lti/contentitem_return.php?course={COURSE}&id={TYPE}&sesskey=%s",
            "title": "grader",
            "text": "",
        },
    }


def _roles(user: User) -> list[str]:
    if user.role == "admin":
        over = [
            f"{OVER_COURSES}/system/person#Administrator",
            f"{OVER_COURSES}/institution/person#Administrator",
        ]
        return [f"{IN_COURSE}#Instructor", *over]
    return [f"{IN_COURSE}#Learner" if user.role == "student" else f"{IN_COURSE}#Instructor"]


def member(user: User, *, names: bool) -> dict[str, Any]:
    """A line of the roster: who edits nothing is a learner there, whatever a token says."""
    found = {
        "status": "Active",
        "roles": ["Instructor" if user.role == "editingteacher" else "Learner"],
        "user_id": user.id,
        "lis_person_sourcedid": "",
    }
    named = {"name": f"{user.given} {user.family}", "given_name": user.given, "family_name": user.family}
    return found | (named if names else {})
