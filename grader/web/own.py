"""A learner's own page: what is kept of them, and a copy of all of it."""

import tempfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec
from starlette.responses import Response, StreamingResponse

from grader.web.learner import FILE_POLICY, worded
from grader.web.service import Call
from grader.web.store import attempts, courses, own
from grader.web.titles import file_stem

CHUNK = 1 << 16


def mine(call: Call) -> Response:
    """What is kept, and how to get it."""
    tried = call.service.store.read(own.attempts, call.who.course, call.who.person)
    return call.page("own", count=len(tried))


def copy(call: Call) -> Response:
    """A zip: `kept.json`, and of each attempt the file as it was handed in and its report, to read and as data."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by who reads it
    try:
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            _write(call, archive)
    except BaseException:
        file.close()
        raise
    headers = {
        "content-disposition": 'attachment; filename="kept.zip"',
        "content-security-policy": FILE_POLICY,
        "content-length": str(file.tell()),
    }
    file.seek(0)
    return StreamingResponse(_read(file), media_type="application/zip", headers=headers)


def _write(call: Call, archive: ZipFile) -> None:
    store = call.service.store
    kept, listed = store.read(own.records, call.who.person), []
    all = store.read(courses.assignments, call.who.course)
    for asked, tried in store.read(own.attempts, call.who.course, call.who.person):
        folder = f"{file_stem(call, asked, all)}/attempt-{tried.number}"
        archive.writestr(
            f"{folder}/submission{PurePosixPath(tried.file).suffix.lower()}", store.files.get(tried.sha256)
        )
        if tried.result is not None:
            report = store.read(attempts.report, tried.result, tried.file)
            archive.writestr(f"{folder}/report.html", worded(call, report))
            archive.writestr(f"{folder}/report.json", msgspec.json.encode(report))
        listed.append(
            {"folder": folder, "exercise": asked.exercise, "title": asked.title, **msgspec.to_builtins(tried)}
        )
    text = msgspec.json.format(msgspec.json.encode(kept | {"attempts": listed}))
    archive.writestr("kept.json", text)


def _read(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk
