"""A learner's pages: what the course asks for, handing in, and what became of it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import PurePosixPath

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import HTMLResponse, Response, StreamingResponse

from grader.errors import GradebookError, UnreadableSubmission
from grader.load import MAX_BYTES, load_content
from grader.model import Language, Report, Text, said_by
from grader.report.discovery import format_of
from grader.report.document import word
from grader.starter import starter_notebook
from grader.text import say
from grader.web.rendering import task
from grader.web.service import Call, Refusal
from grader.web.store import attempts, courses, reviews, standing
from grader.web.store.records import Asked, Tried, counts
from grader.web.titles import alike, title

# Besides the file: the fields, and what parts them.
UPLOAD_BYTES = MAX_BYTES + 64_000
MAX_NAME = 150
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")
# Seconds between two looks at an attempt, and after which a browser asks anew.
LOOK, STREAM_SECONDS = 1.0, 300.0
# Nothing in a report runs or is fetched, also where a submission's text should have got through as markup.
REPORT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)
# What is given out as a file is shown by no browser.
FILE_POLICY = "sandbox; default-src 'none'"


def course(call: Call) -> Response:
    """What the course asks for, and how one stands."""
    asked = call.service.store.read(courses.assignments, call.who.course)
    rows = []
    for one in asked:
        own = call.service.store.read(attempts.of_person, one.id, call.who.person)
        decided = call.service.store.read(standing.decided, one, call.who.pseudonym)
        rows.append((one, title(call, one, asked), len(own), counts(attempts.best(own), decided, one.points)))
    looks = call.service.store.read(reviews.counts, call.who.course) if call.who.role == "teacher" else {}
    return call.page("course", rows=rows, looks=looks)


def assignment(call: Call) -> Response:
    """The task, the form to hand in by, and all attempts."""
    return _assignment(call, call.assignment())


def starter(call: Call) -> Response:
    """The notebook to start from."""
    asked = call.assignment()
    notebook = starter_notebook(call.service.exercise(asked.exercise), call.spoken)
    return as_file(notebook.encode(), f"{asked.exercise}.ipynb")


def hand_in(call: Call) -> Response:
    """Take a file: it is on the disk and in the queue before this is answered."""
    asked = call.assignment()
    upload = None if call.form is None else call.form.get("file")
    if not isinstance(upload, UploadFile) or not upload.filename:
        return _assignment(call, asked, Text(id="web-file-missing"))
    name = file_name(upload.filename)
    content = upload.file.read()
    with call.service.reading:
        why = unreadable(name, content)
    if why is not None:
        return _assignment(call, asked, why)
    store = call.service.store
    sha256 = store.files.put(content)
    taken = store.write(attempts.receive, asked, call.who.person, sha256, name)
    if isinstance(taken, Text):
        return _assignment(call, asked, taken, 403)
    store.files.put(
        content
    )  # if somebody was forgotten just now who had handed in the same, it is there again
    call.service.metrics.received()
    call.service.queued()
    return call.go(f"/attempts/{taken}")


def attempt(call: Call) -> Response:
    """An attempt: how far it is, or what was found."""
    tried = own_attempt(call)
    asked = call.service.store.read(courses.assignment, call.who.course, tried.assignment)
    assert asked is not None
    return call.page(
        "attempt", tried=tried, asked=asked, title=title(call, asked), progress=progress(tried, call.spoken)
    )


def report(call: Call) -> Response:
    """What was found, as a page of its own that can do nothing."""
    tried = own_attempt(call)
    if tried.result is None:
        raise Refusal(404, Text(id="web-not-found"))
    found = call.service.store.read(attempts.report, tried.result, tried.file)
    return sandboxed(worded(call, found))


def file(call: Call) -> Response:
    """The file that was handed in, as it came."""
    tried = own_attempt(call)
    suffix = PurePosixPath(tried.file).suffix.lower()
    return as_file(call.service.store.files.get(tried.sha256), f"attempt-{tried.id}{suffix}")


async def events(call: Call) -> Response:
    """How far an attempt is, told each time that it changes, until it is done."""
    await run_in_threadpool(own_attempt, call)
    return StreamingResponse(_told(call), media_type="text/event-stream", headers={"x-accel-buffering": "no"})


def own_attempt(call: Call) -> Tried:
    """The attempt in the address: one's own, or a teacher's any of the course. Raises Refusal, which does not say which."""
    tried = call.service.store.read(attempts.in_course, call.who.course, call.number("attempt"))
    if tried is None or (call.who.role != "teacher" and tried.person != call.who.person):
        raise Refusal(404, Text(id="web-not-found"))
    return tried


def progress(tried: Tried, spoken: Language) -> str:
    """How far an attempt is, in words."""
    if tried.state != "waiting":
        return say("web-done", spoken)
    if tried.begun:
        return say("web-grading", spoken)
    return say("web-ahead", spoken, {"count": tried.ahead}) if tried.ahead else say("web-next", spoken)


def file_name(given: str) -> str:
    """What a learner's file is called: its last part, without what no name needs."""
    last = UNPRINTABLE.sub("", re.split(r"[/\\]", given)[-1]).strip()
    path = PurePosixPath(last or "submission")
    return path.stem[:MAX_NAME] + path.suffix[:MAX_NAME]


def unreadable(name: str, content: bytes) -> Text | None:
    """Why a file is no submission; None where it is one. It is read, and nothing of it is run."""
    if not content.strip():
        return Text(id="file-empty", params={"path": name})
    if len(content) > MAX_BYTES:
        return Text(id="file-too-large", params={"path": name, "limit_mb": MAX_BYTES // 1_000_000})
    try:
        load_content(name, content, name)
    except UnreadableSubmission as error:
        return said_by(error)
    return None


def sandboxed(text: str) -> Response:
    """A page that runs nothing, fetches nothing, and is framed by us alone."""
    headers = {"content-security-policy": REPORT_POLICY, "x-frame-options": "SAMEORIGIN"}
    return HTMLResponse(text, headers=headers)


def as_file(content: bytes, name: str, kind: str = "application/octet-stream") -> Response:
    """Something to be saved. name: of plain letters."""
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "content-security-policy": FILE_POLICY,
    }
    return Response(content, media_type=kind, headers=headers)


def _assignment(call: Call, asked: Asked, why: Text | None = None, status: int = 422) -> Response:
    store = call.service.store
    exercise = call.service.exercise(asked.exercise)
    own = store.read(attempts.of_person, asked.id, call.who.person)
    return call.page(
        "assignment",
        200 if why is None else status,
        asked=asked,
        task=task(exercise.task(call.spoken)),
        title=title(call, asked),
        several=len(alike(call, asked)) > 1,
        tried=own,
        best=attempts.best(own),
        decided=store.read(standing.decided, asked, call.who.pseudonym),
        closed=store.read(attempts.closed, asked, call.who.person),
        counted=store.read(attempts.counted, asked.id, call.who.person),
        why=why,
        limit_mb=MAX_BYTES // 1_000_000,
    )


async def _told(call: Call) -> AsyncIterator[str]:
    before = ""
    for _ in range(int(STREAM_SECONDS / LOOK)):
        try:
            tried = await run_in_threadpool(own_attempt, call)
        except (Refusal, GradebookError):  # it is gone, or the database away: who asks anew is told
            return
        done = tried.state != "waiting"
        data = json.dumps({"words": progress(tried, call.spoken), "done": done})
        if data != before:
            yield f"data: {data}\n\n"
            before = data
        if done or call.service.ending():
            return
        await asyncio.sleep(LOOK)


def worded(call: Call, found: Report) -> str:
    """The page of a report."""
    document = word(found, call.service.exercise(found.exercise), call.spoken)
    return format_of("html").render(document, found)
