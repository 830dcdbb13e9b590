"""The documentation as a site: it is built without a warning, and shows itself without asking anyone for anything."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import html5lib
import pytest

from tests.browser import Browser, View, found
from tests.examples import DOCS

pytest.importorskip("furo", reason="`make site` installs what it is built with")
pytestmark = pytest.mark.slow

# What a browser fetches by itself when it shows a page; an `a` waits for a click.
FETCHED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}
NARROW, WIDE = 320, 1280
STICKS_OUT = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FOUND = "Search._performSearch(...Search._parseQuery('{}')).length"
OTHER_HOST = re.compile(r"^(?:[a-z]+:)?//")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    options = ("--fail-on-warning", "--keep-going", "--nitpicky", "--quiet")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, DOCS, folder], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder


@pytest.fixture(scope="module")
def elements(site: Path) -> list[tuple[Path, str, dict[str, str]]]:
    """Each element of each page: the page, the tag, the attributes."""
    return [(page, *element) for page in sorted(site.rglob("*.html")) for element in elements_of(page)]


def elements_of(page: Path) -> Iterator[tuple[str, dict[str, str]]]:
    tree = html5lib.parse(page.read_text("utf-8"), namespaceHTMLElements=False)
    for element in tree.iter():
        if isinstance(element.tag, str):
            yield element.tag, dict(element.attrib)


def test_every_page_is_there(site: Path) -> None:
    for path in DOCS.rglob("*.md"):
        assert (site / path.relative_to(DOCS).with_suffix(".html")).exists(), path


def test_nothing_is_fetched_from_elsewhere(elements: list[tuple[Path, str, dict[str, str]]]) -> None:
    asked = [
        (page.name, attributes[FETCHED[tag]])
        for page, tag, attributes in elements
        if tag in FETCHED and FETCHED[tag] in attributes
    ]
    assert len(asked) > 100
    assert [where for where in asked if OTHER_HOST.match(where[1])] == []


def test_no_style_or_picture_fetches_anything(site: Path) -> None:
    styles = [*site.rglob("*.css"), *site.rglob("*.svg")]
    assert len(styles) > 3
    for path in styles:
        found = re.findall(r"(?:url\(|@import)\s*[\"']?\s*(?:[a-z]+:)?//[^)\"']*", path.read_text("utf-8"))
        assert found == [], path


def test_every_link_leads_to_a_page_and_its_part(
    site: Path, elements: list[tuple[Path, str, dict[str, str]]]
) -> None:
    parts: dict[Path, set[str]] = {}
    for page, _, attributes in elements:
        parts.setdefault(page, set()).add(attributes.get("id", ""))
    for page, tag, attributes in elements:
        to = urlsplit(attributes.get("href", "")) if tag == "a" else urlsplit("")
        if to.scheme or to.netloc or not (to.path or to.fragment):
            continue
        target = (page.parent / unquote(to.path)).resolve() if to.path else page
        assert target.exists(), f"{page.relative_to(site)} links to {to.path}"
        if to.fragment and target in parts:
            assert unquote(to.fragment) in parts[target], f"{page.relative_to(site)}: {to.path}#{to.fragment}"


def test_a_page_says_its_language(elements: list[tuple[Path, str, dict[str, str]]]) -> None:
    languages = {
        page.as_posix(): attributes.get("lang") for page, tag, attributes in elements if tag == "html"
    }
    chinese = {page for page, language in languages.items() if language == "zh-Hans"}
    assert chinese == {page for page in languages if page.endswith(".zh.html") or "/mistakes/zh/" in page}
    assert {language for page, language in languages.items() if page not in chinese} == {"en"}


def test_what_is_written_can_be_searched_for(site: Path) -> None:
    text = (site / "searchindex.js").read_text("utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    assert {"tutorials/learner", "tutorials/learner.zh"} <= set(index["docnames"])
    assert {"notebook", "gradient", "sandbox", "梯度", "直线"} <= index["terms"].keys()


@pytest.mark.skipif(found() is None, reason="needs Chromium")
def test_a_browser_shows_and_searches_it(site: Path) -> None:
    with Browser() as browser:
        for name in ("index", "tutorials/learner", "tutorials/learner.zh", "architecture", "report"):
            for view in (View(NARROW, dark=True), View(WIDE, dark=False)):
                seen = browser.look(site / f"{name}.html", view, [STICKS_OUT])
                assert [
                    address
                    for address in seen.asked
                    if not address.startswith((f"{site.as_uri()}/", "data:"))
                ] == []
                assert (seen.said, seen.answers) == ([], [0]), (name, view)
        words = ("gradient", "梯度", "最小二乘", "参数名 w", "nowheretobefound")
        seen = browser.look(
            site / "search.html", View(WIDE, dark=False), [FOUND.format(word) for word in words]
        )
    assert [count > 0 for count in seen.answers] == [True, True, True, True, False], seen.answers
