"""A service for tests: its store, its pages in this process, and browsers that walk through them."""

import asyncio
import io
import re
import threading
from pathlib import Path
from typing import Any

import httpx

from grader.gradebook.records import Identity
from grader.lms.lti.addresses import LOOPBACK
from grader.model import Report
from grader.settings import Settings
from grader.web.app import application
from grader.web.logs import Log
from grader.web.metrics import Metrics
from grader.web.platform import lti_at
from grader.web.rates import Rates
from grader.web.service import Service
from grader.web.store import attempts, courses, jobs, people
from grader.web.store.records import Asked, Outcome
from grader.web.store.store import Store
from tests.gradebooks import EXERCISE, graded, identity

NOTEBOOK = b'{"cells": [{"cell_type": "code", "source": "w = 1"}], "metadata": {}, "nbformat": 4}'
OTHER = NOTEBOOK.replace(b"w = 1", b"w = 2")
OWNER = "a process"


def outcome(score: float, sha256: str, *mistakes: str) -> Outcome:
    known: Identity = identity(sha256)
    report: Report = graded(score, *mistakes, sha256=sha256)
    return Outcome(identity=known, report=report)


def grade_next(store: Store, score: float, *mistakes: str) -> int:
    """Grade what waits longest, with a report made up; its job."""
    leased = store.write(jobs.lease, OWNER, 60.0)
    assert leased is not None
    assert store.write(jobs.finish, leased.job, OWNER, outcome(score, leased.sha256, *mistakes))
    return leased.job


class School:
    """A course with one assignment."""

    def __init__(
        self, store: Store, code: str = "dl101", *, most: int | None = None, deadline: str | None = None
    ) -> None:
        self.store, self.code = store, code
        self.teacher_code = store.write(courses.add, code, f"Deep learning {code}")
        self.asked: Asked = store.write(
            courses.assign, code, EXERCISE, points=None, deadline=deadline, most=most
        )

    def learner(self, name: str = "Ann") -> int:
        return self.store.write(people.join, self.asked.course, name)[0]

    def receive(self, person: int, content: bytes = NOTEBOOK, file: str = "work.ipynb") -> object:
        sha256 = self.store.files.put(content)
        return self.store.write(attempts.receive, self.asked, person, sha256, file)


class Pages:
    """The pages of a store, in this process."""

    def __init__(self, store: Store, *, secure: bool = False, ready: bool = True, address: str = "") -> None:
        self.log = io.StringIO()
        self.queued = 0
        self.address = address or f"http{'s' * secure}://localhost"
        self.service = Service(
            store=store,
            settings=Settings(),
            log=Log(self.log),
            metrics=Metrics(),
            rates=Rates(),
            queued=self._count,
            ready=lambda: ready,
            ending=lambda: False,
            reading=threading.Lock(),
            lti=lti_at(self.address, store, LOOPBACK),
            secure=secure,
        )
        self.app = application(self.service, frozenset({"localhost", "127.0.0.1"}))

    def _count(self) -> None:
        self.queued += 1

    def browser(self, host: str = "127.0.0.1", language: str = "en") -> "Browser":
        return Browser(self, host, language)


class Browser:
    """Somebody who looks at pages and sends their forms."""

    def __init__(self, pages: Pages, host: str, language: str) -> None:
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(pages.app, raise_app_exceptions=False, client=(host, 5000)),
            base_url=pages.address,
            headers={"accept-language": language},
            follow_redirects=True,
        )

    def get(self, path: str, **more: Any) -> httpx.Response:
        return asyncio.run(self.http.get(path, **more))

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        return asyncio.run(self.http.request(method, path, **more))

    def post(self, path: str, **more: Any) -> httpx.Response:
        return asyncio.run(self.http.post(path, **more))

    def csrf(self, path: str) -> str:
        found = re.search(r'name="csrf" value="(\w+)"', self.get(path).text)
        assert found is not None, path
        return found[1]

    def enter(self, code: str, name: str = "", own: str = "") -> str:
        """Sign in; the page that follows."""
        form = {"csrf": self.csrf("/"), "code": code, "name": name, "own": own}
        return self.post("/enter", data=form).text

    def own_code(self, page: str) -> str:
        found = re.search(r'class="own-code">([\w-]+)<', page)
        assert found is not None
        return found[1]

    def upload(
        self, asked: Asked, content: bytes = NOTEBOOK, name: str = "work.ipynb"
    ) -> "tuple[int, str, str]":
        """Hand in; the status, the path and the text of the page that follows."""
        answer = self.post(
            f"/assignments/{asked.id}/attempts",
            data={"csrf": self.csrf("/course")},
            files={"file": (name, content)},
        )
        return answer.status_code, answer.url.path, answer.text


def learner_in(pages: Pages, school: School, name: str = "Ann") -> Browser:
    browser = pages.browser()
    browser.enter(school.code, name)
    return browser


def teacher_in(pages: Pages, school: School) -> Browser:
    browser = pages.browser()
    browser.enter(school.teacher_code)
    return browser


def folder_of(path: Path) -> list[str]:
    """The files below a folder, by their paths in it."""
    return sorted(found.relative_to(path).as_posix() for found in path.rglob("*") if found.is_file())
