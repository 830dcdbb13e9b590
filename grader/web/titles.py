"""What assignments are called on the pages: by their exercise, and by their links where a course asks for one more than once."""

from collections.abc import Sequence

from grader.exercise import Wording
from grader.model import Language
from grader.web.service import Call
from grader.web.store import courses
from grader.web.store.records import Asked


def title(call: Call, asked: Asked, among: Sequence[Asked] | None = None) -> str:
    """What an assignment is called. among: all of its course, where they are known."""
    given = call.service.exercise(asked.exercise).manifest.title
    return told_apart(given, alike(call, asked, among), call.spoken)[asked.id]


def file_stem(call: Call, asked: Asked, among: Sequence[Asked] | None = None) -> str:
    """What a file about an assignment is called, in plain letters, without its suffix."""
    return asked.exercise if len(alike(call, asked, among)) == 1 else f"{asked.exercise}-{asked.id}"


def alike(call: Call, asked: Asked, among: Sequence[Asked] | None = None) -> list[Asked]:
    """All that ask for the same exercise in a course, the oldest first."""
    all = call.service.store.read(courses.assignments, asked.course) if among is None else among
    return [one for one in all if one.exercise == asked.exercise]


def told_apart(title: Wording, alike: Sequence[Asked], spoken: Language) -> dict[int, str]:
    """What each of some assignments to one exercise is called, by number: no two the same."""
    names = dict[int, str]()
    for one in alike:
        adds = len(alike) > 1 and one.title not in {"", *title.values()}
        name = f"{title[spoken]} – {one.title}" if adds else title[spoken]
        taken, count = set(names.values()), 1
        while (numbered := name if count == 1 else f"{name} ({count})") in taken:
            count += 1
        names[one.id] = numbered
    return names
