"""What a platform's roles come down to here."""

from collections.abc import Iterable

from grader.lms.lti.records import Role

_IN_COURSE = "http://purl.imsglobal.org/vocab/lis/v2/membership"
_OVER_COURSES = (
    "http://purl.imsglobal.org/vocab/lis/v2/system/person#",
    "http://purl.imsglobal.org/vocab/lis/v2/institution/person#",
)
# The principal roles of a course that mean something here, the strongest first; a sub-role counts as its principal one.
_MEANING: tuple[tuple[str, Role], ...] = (
    ("Administrator", "administrator"),
    ("Instructor", "teacher"),
    ("Learner", "learner"),
)
_ADMINISTER = {"Administrator", "SysAdmin", "AccountAdmin"}


def reduced(roles: Iterable[str]) -> Role:
    """The strongest role in the course; where there is none, whether somebody administers the platform.

    A professor who learns in a course is a learner in it, whatever the institution calls them. A short name, such as `Learner`, is
    a role in the course; unknown ones are nobody's.
    """
    given = list(roles)
    principal = {_principal(role) for role in given}
    for name, role in _MEANING:
        if name in principal:
            return role
    over = {
        role.removeprefix(vocabulary)
        for role in given
        for vocabulary in _OVER_COURSES
        if role.startswith(vocabulary)
    }
    return "administrator" if over & _ADMINISTER and not principal - {""} else "none"


def _principal(role: str) -> str:
    """`Instructor` for `Instructor`, `…/membership#Instructor` and `…/membership/Instructor#Grader`; empty for other vocabularies."""
    if role.startswith(f"{_IN_COURSE}#"):
        return role.removeprefix(f"{_IN_COURSE}#")
    if role.startswith(f"{_IN_COURSE}/"):
        return role.removeprefix(f"{_IN_COURSE}/").partition("#")[0]
    return "" if ":" in role else role
