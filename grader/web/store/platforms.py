"""The learning platforms that people come from, the logins that are under way, our keys, and when scores were sent."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from grader.errors import UsageError
from grader.lms.lti.records import Launch, LoginState, Platform, SigningKey
from grader.web.store.codes import digest, new_token
from grader.web.store.seals import Seal
from grader.web.store.tables import Chest, Choice, Context, Invitation, Login, RegisteredPlatform, Stamp

THE_CHEST = 1
INVITED_SECONDS = 86_400.0


def register(session: Session, platform: Platform, frames: str = "") -> None:
    """Add a platform; one of the same issuer and client is replaced, with the deployments of both.

    frames: where its pages are besides, as origins, parted by spaces; empty leaves what was said before.
    """
    row = _row(session, platform.issuer, platform.client_id)
    if row is None:
        row = RegisteredPlatform(
            issuer=platform.issuer, client_id=platform.client_id, deployments="[]", frames=""
        )
        session.add(row)
    known = msgspec.json.decode(row.deployments, type=list[str])
    row.deployments = msgspec.json.encode(list(dict.fromkeys([*known, *platform.deployments]))).decode()
    row.login_url, row.token_url, row.jwks_url = platform.login_url, platform.token_url, platform.jwks_url
    row.token_audience, row.name = platform.token_audience, platform.name
    row.frames = frames or row.frames


def add_deployment(session: Session, issuer: str, client_id: str, deployment: str) -> str:
    """Let a platform launch us under a further id; its name. Raises UsageError for an unknown platform."""
    row = _row(session, issuer, client_id)
    if row is None:
        raise UsageError("lti-platform-missing", issuer=issuer, client=client_id)
    known = msgspec.json.decode(row.deployments, type=list[str])
    row.deployments = msgspec.json.encode(list(dict.fromkeys([*known, deployment]))).decode()
    return row.name


def registered(session: Session, issuer: str | None = None, client_id: str | None = None) -> list[Platform]:
    """All platforms, in the order in which they came; those of an issuer, or of its one client, where these are said."""
    return [_platform(row) for row in session.scalars(_chosen(issuer, client_id))]


def frames(session: Session, issuer: str | None = None, client_id: str | None = None) -> list[str]:
    """Where platforms have pages, as far as it is known: addresses, of which the origins count."""
    found = []
    for row in session.scalars(_chosen(issuer, client_id)):
        found += [row.issuer, row.login_url, *row.frames.split()]
    return found


def roster(session: Session, course: int) -> tuple[Platform, str] | None:
    """Where the names of a course are, by its platform; None of a course that has none."""
    row = session.execute(
        select(RegisteredPlatform, Context.roster)
        .join(Context, Context.platform == RegisteredPlatform.id)
        .where(Context.course == course)
    ).one_or_none()
    return None if row is None or row[1] is None else (_platform(row[0]), row[1])


def invite(session: Session, now: float) -> str:
    """Let one platform register itself; the token by which it may, which is stored nowhere. now: seconds since 1970."""
    session.execute(delete(Invitation).where(Invitation.expires <= now))
    token = new_token()
    session.add(Invitation(token=digest("invitation", token), expires=now + INVITED_SECONDS))
    return token


def take_invitation(session: Session, token: str, now: float) -> bool:
    """Use up an invitation; False where there is none, or it is over."""
    own = delete(Invitation).where(Invitation.token == digest("invitation", token), Invitation.expires > now)
    return session.scalar(own.returning(Invitation.id)) is not None


def give_back(session: Session, token: str, now: float) -> None:
    """Let an invitation be used after all, which led to nothing: within a day from now."""
    session.add(Invitation(token=digest("invitation", token), expires=now + INVITED_SECONDS))


def keep_login(session: Session, state: LoginState, now: float) -> None:
    """Keep a login until it is taken or over; those that are over are forgotten. now: seconds since 1970."""
    session.execute(delete(Login).where(Login.expires <= now))
    record = msgspec.json.encode(state).decode()
    session.add(Login(state=state.state, record=record, expires=state.expires))


def login(session: Session, state: str) -> LoginState | None:
    """A login by its key, left where it is."""
    return _login(session.scalar(select(Login.record).where(Login.state == state)))


def take_login(session: Session, state: str) -> LoginState | None:
    """Take a login away: whoever comes second finds none."""
    return _login(session.scalar(delete(Login).where(Login.state == state).returning(Login.record)))


def keys(session: Session, seal: Seal) -> tuple[SigningKey, ...]:
    """Our keys. Raises GradebookError where they are sealed otherwise."""
    row = session.get(Chest, THE_CHEST)
    return () if row is None else _keys(row, seal)


def exchange_keys(session: Session, old: Sequence[SigningKey], new: Sequence[SigningKey], seal: Seal) -> bool:
    """Put keys in the place of others; False where these are no longer those that there are. Raises GradebookError as `keys` does."""
    row = session.get(Chest, THE_CHEST, with_for_update=True)
    if set(old) != (set() if row is None else set(_keys(row, seal))):
        return False
    if row is None:
        row = Chest(id=THE_CHEST)
        session.add(row)
    row.keys = seal.closed(msgspec.json.encode(new).decode())
    return True


def forget_keys(session: Session) -> None:
    """Forget our keys, also those that cannot be read any more."""
    session.execute(delete(Chest))


def keep_choice(session: Session, person: int, launch: Launch) -> int:
    """Keep what a teacher is asked to choose; its number. What they left open before is over."""
    session.execute(delete(Choice).where(Choice.person == person))
    row = Choice(person=person, record=msgspec.json.encode(launch).decode())
    session.add(row)
    session.flush()
    return row.id


def choice(session: Session, number: int, person: int) -> Launch | None:
    """What somebody is asked to choose; None where that is answered, or another's."""
    return _launch(session.scalar(select(Choice.record).where(Choice.id == number, Choice.person == person)))


def take_choice(session: Session, number: int, person: int) -> Launch | None:
    """The same, taken away: whoever comes second finds none."""
    own = delete(Choice).where(Choice.id == number, Choice.person == person)
    return _launch(session.scalar(own.returning(Choice.record)))


def next_stamp(session: Session, line_item: str, subject: str, now: int) -> int:
    """`now`, or one more than the last answer for this column and learner where that is later; in milliseconds since 1970."""
    of = stamp_of(line_item, subject)
    row = session.scalar(select(Stamp).where(Stamp.of == of).with_for_update())
    if row is None:
        row = Stamp(of=of, last=now - 1)
        session.add(row)
    row.last = max(now, row.last + 1)
    return row.last


def stamp_of(line_item: str, subject: str) -> str:
    """What the stamp of a column and learner is found by."""
    return digest("stamp", line_item, subject)


def _chosen(issuer: str | None, client_id: str | None) -> Select[RegisteredPlatform]:
    query = select(RegisteredPlatform).order_by(RegisteredPlatform.id)
    if issuer is not None:
        query = query.where(RegisteredPlatform.issuer == issuer)
    return query if client_id is None else query.where(RegisteredPlatform.client_id == client_id)


def _row(session: Session, issuer: str, client_id: str) -> RegisteredPlatform | None:
    return session.scalar(
        select(RegisteredPlatform).where(
            RegisteredPlatform.issuer == issuer, RegisteredPlatform.client_id == client_id
        )
    )


def _platform(row: RegisteredPlatform) -> Platform:
    return Platform(
        issuer=row.issuer,
        client_id=row.client_id,
        deployments=msgspec.json.decode(row.deployments, type=tuple[str, ...]),
        login_url=row.login_url,
        token_url=row.token_url,
        jwks_url=row.jwks_url,
        token_audience=row.token_audience,
        name=row.name,
    )


def _login(record: str | None) -> LoginState | None:
    return None if record is None else msgspec.json.decode(record, type=LoginState)


def _launch(record: str | None) -> Launch | None:
    return None if record is None else msgspec.json.decode(record, type=Launch)


def _keys(row: Chest, seal: Seal) -> tuple[SigningKey, ...]:
    return msgspec.json.decode(seal.opened(row.keys), type=tuple[SigningKey, ...])
