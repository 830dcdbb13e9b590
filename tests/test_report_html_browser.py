"""The page in a real browser: axe-core finds nothing, nothing is asked for or refused, and nothing sticks out of a narrow screen.

`make slow` gets what this needs: Chromium, and axe-core and html-validate from npm.
"""

import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.exercise import course_folder, load_exercise
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.load import load
from grader.model import Language
from grader.report.document import word
from grader.report.html import render
from grader.settings import Settings
from tests.browser import Browser, View, found
from tests.conftest import CORPUS, SAMPLE
from tests.hostile import hostile

MODULES = Path(__file__).parents[1] / ".npm" / "node_modules"
AXE, VALIDATE = MODULES / "axe-core" / "axe.min.js", MODULES / ".bin" / "html-validate"
RULES = {"extends": ["html-validate:standard", "html-validate:a11y"], "root": True}
CASES = {
    "right": SAMPLE,
    "rebound": CORPUS / "linear_regression" / "s012.py",
    "cut": CORPUS / "linear_regression" / "s009.py",
}
NAMES = [f"{name}-{language}" for name in (*CASES, "hostile") for language in ("en", "zh")]
NARROW, WIDE = 320, 1280
VIOLATIONS = """axe.run(document).then(result => result.violations.map(
    one => [one.id, one.nodes.map(node => node.html.slice(0, 200) + node.failureSummary)]))"""
STICKS_OUT = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
RUNS = "[...document.querySelectorAll('script, iframe, object, embed, link, base, form')].length"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(found() is None or not AXE.exists(), reason="needs Chromium, and axe-core in .npm"),
]


class Server(http.server.ThreadingHTTPServer):
    """Counts who asks it for anything."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.asked.append(self.path)
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def pages(kernels: Kernels, server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each page, as a file."""
    folder = tmp_path_factory.mktemp("pages")
    harmful = folder / "hostile.ipynb"
    harmful.write_text(json.dumps(hostile(server.address)), "utf-8")
    exercise = load_exercise(course_folder(None), "linear_regression")
    found: dict[str, Path] = {}
    languages: tuple[Language, ...] = ("en", "zh")
    for name, path in {**CASES, "hostile": harmful}.items():
        report = grade(load(path), exercise, Settings(), kernels)
        for language in languages:
            page = folder / f"{name}-{language}.html"
            page.write_text(
                render(word(report, exercise, language), report.pictures, report.notebook), "utf-8"
            )
            found[page.stem] = page
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "view", [View(width, dark) for width in (NARROW, WIDE) for dark in (False, True)], ids=str
)
def test_a_page_is_accessible_and_asks_for_nothing(
    pages: dict[str, Path], browser: Browser, server: Server, name: str, view: View
) -> None:
    scripts = [f"{AXE.read_text('utf-8')};0", VIOLATIONS, STICKS_OUT, RUNS]
    seen = browser.look(pages[name], view, scripts)
    _, violations, sticks_out, runs = seen.answers
    assert violations == []
    assert (sticks_out, runs) == (0, 0)
    assert seen.said == []
    assert {address.partition(":")[0] for address in seen.asked} <= {"file", "data"}
    assert [address for address in seen.asked if address.startswith("file:")] == [pages[name].as_uri()]
    assert server.asked == []


def test_axe_would_find_a_violation(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    page.write_text(
        '<!DOCTYPE html><html><title>a</title><body><p style="color: #aaa">faint</p><img src="data:,">'
    )
    seen = browser.look(page, View(WIDE, dark=False), [f"{AXE.read_text('utf-8')};0", VIOLATIONS])
    assert {"html-has-lang", "image-alt", "color-contrast"} <= {id for id, _ in seen.answers[1]}


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_pages_are_valid(pages: dict[str, Path], tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps(RULES))
    broken = tmp_path / "broken.html"
    broken.write_text('<!DOCTYPE html><html lang="en"><title>a</title><p id="a"><div id="a"></p>')
    assert validated(rules, broken) != 0
    assert validated(rules, *pages.values()) == 0


def validated(rules: Path, *files: Path) -> int:
    done = subprocess.run(
        [VALIDATE, "--config", rules, *files], capture_output=True, text=True, check=False, cwd=rules.parent
    )
    print(done.stdout, done.stderr)
    return done.returncode
