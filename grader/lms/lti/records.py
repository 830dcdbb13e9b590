"""What travels between the modules of LTI, and out to the web service."""

from collections.abc import Mapping
from typing import Literal

import msgspec

Role = Literal["learner", "teacher", "administrator", "none"]
Message = Literal["exercise", "choose"]


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """A learning platform that this service is registered with.

    client_id: what the platform calls us. deployments: the ids under which it may launch us. login_url: where a browser is sent
    for its token; token_url: where we get ours; jwks_url: the platform's public keys. token_audience: whom our assertions are
    for, where that is not token_url. name: what people call it.
    """

    issuer: str
    client_id: str
    deployments: tuple[str, ...]
    login_url: str
    token_url: str
    jwks_url: str
    token_audience: str = ""
    name: str = ""


class LoginState(msgspec.Struct, frozen=True, kw_only=True):
    """What a login has to come back with, once and before it expires.

    state: its key. browser: SHA-256, in hex, of the secret that the browser keeps. deployment: empty where the platform did not
    say it yet. storage: the frame in which the platform keeps things for us, where it offers to; `origin` is that frame's.
    """

    state: str
    nonce: str
    browser: str
    issuer: str
    client_id: str
    deployment: str
    target: str
    expires: float
    storage: str | None = None
    origin: str = ""


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """What a page asks of the platform's frame by postMessage (`lti.put_data` with a value, `lti.get_data` without).

    target: the frame's name, or `_parent`; origin: where it must be from.
    """

    target: str
    origin: str
    key: str
    value: str | None = None


class LoginStart(msgspec.Struct, frozen=True, kw_only=True):
    """Where a browser goes for its token, and what it has to keep until it is back.

    cookie, secret: name and value of the cookie. storage: the other way to keep the secret, for a browser without cookies.
    """

    redirect: str
    cookie: str
    secret: str
    storage: Storage | None


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """The course that somebody comes from. title: may be empty."""

    id: str
    title: str = ""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """The place in the course that was clicked. title: may be empty."""

    id: str
    title: str = ""


class ChoiceWanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform asks for when a teacher chooses an exercise (its deep-linking settings).

    return_url: where the choice is posted to; data: given back as it came.
    """

    return_url: str
    multiple: bool
    line_items: bool
    data: str | None
    title: str = ""


class ScoreService(msgspec.Struct, frozen=True, kw_only=True):
    """Where scores go (AGS). line_item: the column of this link, if it has one. scopes: what we may ask for."""

    scopes: tuple[str, ...]
    line_item: str | None
    line_items: str | None


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who came from a platform, as its signed token says.

    subject: who it is, within the platform; name, email: where the platform gives them. message: to work on an exercise, or
    to choose one. target: the address of ours that the link leads to; custom: what the link carries. roster_url: where the
    names of the course are (NRPS). locale: as the platform says it, such as `zh_CN`.
    """

    issuer: str
    client_id: str
    deployment: str
    message: Message
    subject: str
    role: Role
    target: str
    name: str | None = None
    email: str | None = None
    course: Course | None = None
    link: Link | None = None
    locale: str | None = None
    return_url: str | None = None
    custom: Mapping[str, str] = {}
    choice: ChoiceWanted | None = None
    scores: ScoreService | None = None
    roster_url: str | None = None


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody on a course's roster. active: whether the platform still counts them in."""

    subject: str
    role: Role
    active: bool
    name: str | None = None
    email: str | None = None


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """A private key of ours. id: its thumbprint (RFC 7638); pem: PKCS 8, not encrypted; made: when."""

    id: str
    pem: str
    made: float


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """An exercise that a teacher chose. deadline: ISO 8601 with its offset; attempts, deadline: None for no limit."""

    exercise: str
    title: str
    points: float
    attempts: int | None = None
    deadline: str | None = None


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A final score. subject: the learner's; comment: never empty, since some platforms erase the old one then."""

    subject: str
    given: float
    maximum: float
    comment: str

    def __post_init__(self) -> None:
        """Raise ValueError for what platforms refuse, or answer by erasing something."""
        if not (self.subject and self.comment.strip() and self.given >= 0 and self.maximum > 0):
            raise ValueError(self)
