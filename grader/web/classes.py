"""The grades of a class."""

from grader.grades import Grade
from grader.web.service import Call
from grader.web.store import standing
from grader.web.store.records import Asked


def grades_of(call: Call, asked: Asked) -> list[Grade]:
    """The grades of everybody in the course, also of who has handed in nothing, by name."""
    store = call.service.store
    known = {grade.student: grade for grade in store.book.each_grade(asked.exercise, asked.batch)}
    everyone = store.read(standing.lines, asked)
    return [known.get(line.pseudonym) or Grade(student=line.pseudonym, name=line.name) for line in everyone]
