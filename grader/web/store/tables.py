"""The tables of the service. They stand in the gradebook's database, and what was handed in is graded into its tables.

Times are ISO 8601, UTC, as in all records. A change here needs a step in `gradebook/versions/`; a test compares the two.
"""

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grader.gradebook.tables import Table
from grader.web.store.teaching import Regrade


class Course(Table):
    """A course. code: what its learners enter by, in lower case; teacher: a digest of the code that its teachers enter by."""

    __tablename__ = "courses"
    __table_args__ = (UniqueConstraint("code"), UniqueConstraint("teacher"))

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    title: Mapped[str]
    teacher: Mapped[str]
    created: Mapped[str]


class Assignment(Table):
    """An exercise that a course asks for, once by itself, and once by each link of its platform. points: what full marks are worth; None: as many as the exercise has.

    deadline: after which nothing is taken; most: how many files one person may hand in. batch: where the gradebook has its grades.
    link: the platform's id of the link, empty of what the course asks for by itself; title: what the link is called, as far as it was said.
    """

    __tablename__ = "assignments"
    __table_args__ = (UniqueConstraint("course", "exercise", "link"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    course: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    exercise: Mapped[str]
    points: Mapped[float | None]
    deadline: Mapped[str | None]
    most: Mapped[int | None]
    batch: Mapped[int] = mapped_column(ForeignKey("batches.id"))
    link: Mapped[str]
    title: Mapped[str]


class Person(Table):
    """Somebody in one course. key: by whom they are known again; pseudonym: what they are called where no name should stand."""

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("course", "key"), UniqueConstraint("pseudonym"))

    id: Mapped[int] = mapped_column(primary_key=True)
    course: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    key: Mapped[str]
    pseudonym: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    created: Mapped[str]


class Visit(Table):
    """Somebody signed in. token: a digest of what their cookie holds.

    frames: of whose pages ours may be shown in, for who came from a learning platform: origins, parted by spaces; language: its.
    """

    __tablename__ = "visits"
    __table_args__ = (UniqueConstraint("token"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str]
    person: Mapped[int] = mapped_column(ForeignKey("people.id"))
    expires: Mapped[str]
    frames: Mapped[str | None]
    language: Mapped[str | None]


class Attempt(Table):
    """A file that somebody handed in. number: counts those of one person, from 1, so that two processes cannot both add the next.

    state: waiting, graded, ungradable or unreadable; problem: JSON of a Text, of one that cannot be read; review: a person should look.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("assignment", "person", "number"),
        Index("ix_attempts_person", "person"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment: Mapped[int] = mapped_column(ForeignKey("assignments.id"))
    person: Mapped[int] = mapped_column(ForeignKey("people.id"))
    number: Mapped[int]
    sha256: Mapped[str]
    file: Mapped[str]
    received: Mapped[str]
    state: Mapped[str]
    review: Mapped[bool]
    problem: Mapped[str | None]
    result: Mapped[int | None] = mapped_column(ForeignKey("results.id"))


class Job(Table):
    """An attempt that has to be graded. state: queued, leased or done; owner: the process that has it, until when; tries: how often it was taken.

    regrade: of which this is a trial; None of an attempt that was just handed in.
    """

    __tablename__ = "jobs"
    __table_args__ = (UniqueConstraint("attempt"), Index("ix_jobs_state", "state"))

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(ForeignKey("attempts.id"))
    state: Mapped[str]
    owner: Mapped[str | None]
    until: Mapped[str | None]
    tries: Mapped[int]
    regrade: Mapped[int | None] = mapped_column(ForeignKey(Regrade.id))


class Delivery(Table):
    """The score of somebody at an assignment, on its way to a gradebook elsewhere. destination: what its sender needs to know, as JSON.

    wanted: counts the scores that were to go there, and score is the last of them; sent: how far that is known there. due: when it is
    tried next, None where that is of no use; tries: how often in vain, for this score; error: JSON of a Text, why, the last time.
    """

    __tablename__ = "deliveries"
    __table_args__ = (UniqueConstraint("assignment", "person"), Index("ix_deliveries_due", "due"))

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment: Mapped[int] = mapped_column(ForeignKey("assignments.id"))
    person: Mapped[int] = mapped_column(ForeignKey("people.id"))
    destination: Mapped[str]
    score: Mapped[float | None]
    full: Mapped[float | None]
    wanted: Mapped[int]
    sent: Mapped[int]
    due: Mapped[str | None]
    tries: Mapped[int]
    error: Mapped[str | None]
    owner: Mapped[str | None]
    until: Mapped[str | None]


class RegisteredPlatform(Table):
    """A learning platform that people come from by LTI. deployments: a JSON list of the ids under which it may launch us.

    frames: where else than at its own addresses its pages are, which show ours in frames: origins, parted by spaces.
    """

    __tablename__ = "platforms"
    __table_args__ = (UniqueConstraint("issuer", "client_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    issuer: Mapped[str]
    client_id: Mapped[str]
    deployments: Mapped[str]
    login_url: Mapped[str]
    token_url: Mapped[str]
    jwks_url: Mapped[str]
    token_audience: Mapped[str]
    name: Mapped[str]
    frames: Mapped[str]


class Login(Table):
    """A login that is under way. record: it, as JSON; expires: seconds since 1970."""

    __tablename__ = "logins"
    __table_args__ = (UniqueConstraint("state"), Index("ix_logins_expires", "expires"))

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    record: Mapped[str]
    expires: Mapped[float]


class Chest(Table):
    """Our private keys, as a JSON list, in the one row that there is."""

    __tablename__ = "chests"

    id: Mapped[int] = mapped_column(primary_key=True)
    keys: Mapped[str]


class Stamp(Table):
    """When a learner's last score was sent to a column. of: a digest of both; last: milliseconds since 1970."""

    __tablename__ = "stamps"
    __table_args__ = (UniqueConstraint("of"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    of: Mapped[str]
    last: Mapped[int] = mapped_column(BigInteger)


class Context(Table):
    """Where a course is on a platform. context: its id there; roster: the address of its names, if there is one."""

    __tablename__ = "contexts"
    __table_args__ = (UniqueConstraint("platform", "deployment", "context"), UniqueConstraint("course"))

    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[int] = mapped_column(ForeignKey("platforms.id"))
    deployment: Mapped[str]
    context: Mapped[str]
    course: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    roster: Mapped[str | None]


class Choice(Table):
    """A teacher who chooses exercises for a course of a platform. record: the launch, as JSON; it is answered once."""

    __tablename__ = "choices"

    id: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[int] = mapped_column(ForeignKey("people.id"))
    record: Mapped[str]


class Invitation(Table):
    """An administrator of a platform may register it here, once. token: a digest; expires: seconds since 1970."""

    __tablename__ = "invitations"
    __table_args__ = (UniqueConstraint("token"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str]
    expires: Mapped[float]


class Origin(Table):
    """By what the folder of files knows this database, in the one row that there is."""

    __tablename__ = "origins"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
