"""What grades in Gradescope's container: finds the submission, has `grader check` grade it, and sees to the results.

    python -m grader.gradescope.run ROOT SLUG

It is called in the folder of the settings. The grading is a process of its own, so that whatever ends it, results are left that
say so: without a score, since a fault of the grader is never a zero.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from grader.model import Language
from grader.settings import load_settings
from grader.text import say, spoken_in

SUFFIXES = (".ipynb", ".py")
SECONDS = 540  # Gradescope waits ten minutes unless it is told otherwise
UNGRADABLE = 3


def main() -> int:
    """Grade what was handed in."""
    root, slug = Path(sys.argv[1]), sys.argv[2]
    results = root / "results" / "results.json"
    found = _submissions(root / "submission")
    if len(found) == 1:
        code = _check(found[0], slug, results)
        if code == UNGRADABLE or not _written(results):
            _say(results, say("gradescope-fault", _language()))
    else:
        _refuse(found, root / "submission", slug, results)
    _tell_the_teacher(results)
    return 0


def _submissions(folder: Path) -> list[Path]:
    """What may be meant: the notebooks, or the modules where there is no notebook."""
    files = sorted(_visible(folder))
    return next(
        (chosen for suffix in SUFFIXES if (chosen := [one for one in files if one.suffix == suffix])), []
    )


def _visible(folder: Path) -> Iterator[Path]:
    """The files in a folder and below it, but for what programs keep there for themselves."""
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        if path.is_file() and not any(part.startswith((".", "__")) for part in inside.parts):
            yield path


def _check(path: Path, slug: str, results: Path) -> int:
    """Grade one file; the exit code of `grader check`, or that of a fault where it did not come to its end."""
    chosen = ("--exercise", slug, "--format", "gradescope", "--output", str(results))
    command = [sys.executable, "-P", "-m", "grader", "check", *chosen, "--", str(path)]
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, timeout=SECONDS, check=False).returncode  # noqa: S603
    except subprocess.TimeoutExpired:
        return UNGRADABLE


def _refuse(found: list[Path], folder: Path, slug: str, results: Path) -> None:
    """Say that there is nothing to grade, or more than one file, as of a file that cannot be read."""
    from grader.errors import UnreadableSubmission  # noqa: PLC0415 - not beside a grading: memory is scarce
    from grader.grade import ungradable  # noqa: PLC0415
    from grader.report.discovery import format_of  # noqa: PLC0415
    from grader.report.document import word  # noqa: PLC0415

    names = ", ".join(path.relative_to(folder).as_posix() for path in found)
    error = (
        UnreadableSubmission("gradescope-several", names=names)
        if found
        else UnreadableSubmission("gradescope-nothing")
    )
    document = word(ungradable(names, "", slug, error), None, _language())
    results.write_text(format_of("gradescope").render(document), "utf-8")


def _written(results: Path) -> bool:
    try:
        return isinstance(json.loads(results.read_text("utf-8")), dict)
    except (OSError, ValueError):
        return False


def _say(results: Path, words: str) -> None:
    said = {
        "output": words,
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"status": "ungradable"},
    }
    results.write_text(json.dumps(said, ensure_ascii=False, indent=2) + "\n", "utf-8")


def _language() -> Language:
    return spoken_in(load_settings(Path.cwd()).language)


def _tell_the_teacher(results: Path) -> None:
    """What Gradescope keeps of the standard output is for teachers: how the submission was confined, and what became of it."""
    told = json.loads(results.read_text("utf-8")).get("extra_data", {})
    sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
