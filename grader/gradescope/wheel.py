"""grader itself as a wheel, made from the package that is running, without the course: references go nowhere but into the zip."""

import base64
import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from grader.exercise import PACKAGE

NAME = "grader"
LEFT_OUT = {"__pycache__", "course"}
# What an installer writes for itself.
OF_THE_INSTALLER = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
# No file in the zip has the time it was made, so that the same grader makes the same wheel.
EARLIEST = (1980, 1, 1, 0, 0, 0)


def own_wheel() -> tuple[str, bytes]:
    """The name of the file, and its bytes."""
    distribution = metadata.distribution(NAME)
    version = distribution.version
    info = f"{NAME}-{version}.dist-info"
    files = dict(sorted([*_package(), *_described(distribution, info)]))
    files[f"{info}/RECORD"] = _record(files, f"{info}/RECORD")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(entry(name), content)
    return f"{NAME}-{version}-py3-none-any.whl", packed.getvalue()


def entry(name: str, mode: int = 0o644) -> zipfile.ZipInfo:
    """An entry of an archive: always the same for the same content."""
    made = zipfile.ZipInfo(name, EARLIEST)
    made.external_attr = (0o100000 | mode) << 16
    made.compress_type = zipfile.ZIP_DEFLATED
    return made


def _package() -> Iterator[tuple[str, bytes]]:
    for path in PACKAGE.rglob("*"):
        inside = path.relative_to(PACKAGE)
        if path.is_file() and not LEFT_OUT & set(inside.parts):
            yield f"{NAME}/{inside.as_posix()}", path.read_bytes()


def _described(distribution: metadata.Distribution, info: str) -> Iterator[tuple[str, bytes]]:
    for file in distribution.files or ():
        inside = Path(*file.parts[1:])
        if file.parts[0].endswith(".dist-info") and inside.name not in OF_THE_INSTALLER:
            yield f"{info}/{inside.as_posix()}", file.read_binary()


def _record(files: dict[str, bytes], own: str) -> bytes:
    """What an installer compares with: each file's hash and size; its own line has neither."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.writerow([name, f"sha256={digest}", len(content)])
    rows.writerow([own, "", ""])
    return text.getvalue().encode()
