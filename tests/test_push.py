"""Whose a grade is, what there is to send, and what is done where a platform fails for a while."""

from collections.abc import Callable

import pytest

from grader.errors import UsageError
from grader.gradebook.book import Gradebook
from grader.gradebook.records import Pushed
from grader.grades import Grade, HandedIn, Override
from grader.lms.push.deliver import TRIES, deliver, patiently
from grader.lms.push.people import candidates
from grader.lms.push.plan import Delivery, plan
from grader.lms.push.platform import Assignment, Passing, Person, Refused
from tests.gradebooks import EXERCISE
from tests.pushing import report

JANE = Person(id="101", name="Jane Doe", keys={"sis": "s1", "login": "jane", "email": "Jane@example.org"})
WEI = Person(id="102", name="Wei Li", keys={"sis": "101", "login": "wei"})
OTHER_WEI = Person(id="103", name="Li, Wei", keys={"sis": "s3", "login": ""})
PEOPLE = (JANE, WEI, OTHER_WEI)
TASK = Assignment(title="Task 1", most=20.0)


def of(student: str, name: str = "", score: float = 5.0, path: str = "a.ipynb") -> Grade:
    file = HandedIn(file="a.ipynb", path=path, sha256="0" * 64)
    return Grade(student=student, name=name, handed_in=file, report=report(student, score))


WHO: list[tuple[Grade, str | None, str | None, list[Person]]] = [
    (of("s1"), None, None, [JANE]),
    (of(" JANE@example.org"), None, None, [JANE]),
    (of("101"), None, None, [JANE, WEI]),
    (of("101"), "id", None, [JANE]),
    (of("101"), "id", "sis", [WEI]),
    (of("101"), None, "login", []),
    (of("x", "Doe, Jane"), None, None, [JANE]),
    (of("x", "doejane"), "id", None, [JANE]),
    (of("x", "Doe, Jane"), None, "sis", []),
    (of("101", "Doe, Jane"), None, "name", [JANE]),
    (of("x", "Wei Li"), None, None, []),
    (of("", ""), None, None, []),
    (of("x"), None, None, []),
]


@pytest.mark.parametrize(("grade", "kind", "by", "persons"), WHO, ids=range(len(WHO)))
def test_whose_a_grade_is(grade: Grade, kind: str | None, by: str | None, persons: list[Person]) -> None:
    assert candidates([grade], PEOPLE, lambda _: kind, by) == {grade.student: persons}


def test_a_name_that_two_students_have_is_nobodys() -> None:
    two = [of("a", "Jane Doe"), of("b", "Doe, Jane")]
    assert candidates(two, PEOPLE, lambda _: None) == {"a": [], "b": []}


def planned(*grades: Grade, sent: dict[str, Pushed] | None = None) -> tuple[Delivery, ...]:
    return plan(grades, TASK, PEOPLE, lambda _: None, sent or {}, "en").deliveries


def test_what_was_sent_is_not_sent_again_unless_it_says_something_else() -> None:
    (first,) = planned(of("s1"))
    assert (first.points, first.again) == (10.0, False)
    sent = {"s1": Pushed(student="s1", person="101", points=10, says=first.says, delivered=True)}
    assert planned(of("s1"), sent=sent) == ()
    assert len(planned(of("s1", score=6), sent=sent)) == 1
    decided = Override(score=5, reason="oral exam", when="")
    (other,) = planned(
        Grade(student="s1", handed_in=of("s1").handed_in, report=report("s1", 5), override=decided), sent=sent
    )
    assert other.comment == "5 of 10 points.\noral exam"
    lost = {"s1": Pushed(student="s1", person="101", points=10, says=first.says, delivered=False)}
    (again,) = planned(of("s1"), sent=lost)
    assert again.again


class Scripted:
    """A platform that fails as told, then takes everything."""

    place = "here"

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.taken = list(failures), list[tuple[str, bool]]()

    def assignment(self) -> Assignment:
        return TASK

    def people(self) -> list[Person]:
        return list(PEOPLE)

    def kind(self, grade: Grade) -> str | None:
        return None

    def send(self, person: Person, points: float, comment: str, *, again: bool) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append((person.id, again))


def sent_to(platform: Scripted, *grades: Grade) -> tuple[list[str | None], list[float], list[str]]:
    waits, arrived = list[float](), list[str]()

    def begun(delivery: Delivery) -> Callable[[], None]:
        return lambda: arrived.append(delivery.student)

    troubles = [
        None if trouble is None else trouble.id
        for _, trouble in deliver(planned(*grades), platform, begun, waits.append)
    ]
    return troubles, waits, arrived


def test_a_request_is_tried_again_with_longer_waits() -> None:
    platform = Scripted(
        Passing("HTTP 429", wait=7.0),
        Passing("HTTP 429", wait=9e9),
        Passing("HTTP 503"),
        Passing("gone", uncertain=True),
    )
    troubles, waits, arrived = sent_to(platform, of("s1"))
    assert (troubles, arrived) == ([None], ["s1"])
    assert waits == [7.0, 120.0, 2.0, 4.0]
    assert platform.taken == [("101", True)]


def test_who_is_refused_does_not_keep_the_others_from_theirs() -> None:
    platform = Scripted(Refused("locked"))
    assert sent_to(platform, of("s1"), of("wei")) == (["push-refused", None], [], ["wei"])


def test_a_platform_that_does_not_come_back_is_not_asked_on() -> None:
    platform = Scripted(*[Passing("no connection")] * (2 * TRIES))
    troubles, waits, arrived = sent_to(platform, of("s1"), of("wei"))
    assert (troubles, len(waits), arrived) == (["push-unreached"] * 2, TRIES - 1, [])
    with pytest.raises(UsageError, match="platform-unreached"):
        patiently(lambda: platform.send(JANE, 1, "", again=False), waits.append)


def test_the_gradebook_remembers_what_was_sent_where(book: Gradebook) -> None:
    first = Pushed(student="s1", person="101", points=10.0, says="a")
    number = book.push(EXERCISE, "here", first)
    assert book.pushed(EXERCISE, "here") == {"s1": first}
    book.arrived(number)
    assert book.pushed(EXERCISE, "here")["s1"].delivered
    book.push(EXERCISE, "here", Pushed(student="s1", person="101", points=9.0, says="b"))
    assert book.pushed(EXERCISE, "here")["s1"].says == "b"
    assert book.pushed(EXERCISE, "elsewhere") == book.pushed("another", "here") == {}
