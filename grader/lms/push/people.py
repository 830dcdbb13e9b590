"""Whose a grade is on the platform. Rather nobody's than somebody else's: whoever is not surely one person gets none."""

from collections.abc import Callable, Sequence

from grader.grades import Grade
from grader.lms.push.platform import Person
from grader.lms.roster import name_keys, unique

OWN_ID, NAME = "id", "name"


def candidates(
    grades: Sequence[Grade],
    people: Sequence[Person],
    kind_of: Callable[[Grade], str | None],
    by: str | None = None,
) -> dict[str, list[Person]]:
    """Who each student may be, by the student: one person is sure, several are not.

    Where the file handed in tells what the student is called by, or `by` does, that kind of key alone counts; else any of them, since
    a number of the platform's own may be somebody else's number at the school. A name counts where nothing else is found, and only
    one student and one person have it.
    """
    named = _by_name(grades, people)
    found = {}
    for grade in grades:
        kind = by or kind_of(grade)
        persons = [] if kind == NAME else [one for one in people if _called(one, grade.student, kind)]
        if not persons and by in (None, NAME):
            persons = named.get(grade.student, [])
        found[grade.student] = persons
    return found


def _called(person: Person, student: str, kind: str | None) -> bool:
    wanted = _same(student)
    keys = person.keys | {OWN_ID: person.id}
    counting = keys.values() if kind is None else [keys.get(kind, "")]
    return any(key and _same(key) == wanted for key in counting)


def _same(text: str) -> str:
    return text.strip().casefold()


def _by_name(grades: Sequence[Grade], people: Sequence[Person]) -> dict[str, list[Person]]:
    persons = unique({place: name_keys(person.name) for place, person in enumerate(people)})
    students = unique({place: name_keys(grade.name) for place, grade in enumerate(grades)})
    found: dict[str, list[Person]] = {}
    for key, place in students.items():
        if key in persons and people[persons[key]] not in found.setdefault(grades[place].student, []):
            found[grades[place].student].append(people[persons[key]])
    return found
