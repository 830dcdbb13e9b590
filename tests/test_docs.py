"""What is generated in docs/ is current, and what the pages link to and name is there."""

import re

import pytest

from tests.examples import examples, inline, pages
from tests.measure.docs import DOCS, ROOT, command_line_text, formats_text, mistake_pages, schema_texts
from tests.measure.report_page import report_text


@pytest.mark.parametrize(("name", "text"), schema_texts().items())
def test_a_schema_is_current(name: str, text: str) -> None:
    assert (DOCS / name).read_text("utf-8") == text, "run `make docs`"


@pytest.mark.parametrize(("name", "text"), mistake_pages().items())
def test_the_page_of_a_mistake_is_current(name: str, text: str) -> None:
    assert (DOCS / name).read_text("utf-8") == text, "run `make docs`"


def test_no_page_is_left_of_a_mistake_that_is_gone() -> None:
    kept = {path.relative_to(DOCS).as_posix() for path in (DOCS / "mistakes").rglob("*.md")}
    assert kept == set(mistake_pages())


def test_the_command_line_page_is_current() -> None:
    assert (DOCS / "command-line.md").read_text("utf-8") == command_line_text(), "run `make docs`"


def test_the_page_of_the_formats_is_current() -> None:
    assert (DOCS / "formats.md").read_text("utf-8") == formats_text(), "run `make docs`"


def test_the_page_of_the_report_is_current() -> None:
    assert (DOCS / "report.md").read_text("utf-8") == report_text(), "run `make docs`"


def test_the_picture_fetches_nothing() -> None:
    assert "url(" not in (DOCS / "report.svg").read_text("utf-8").replace("url(#", "")


@pytest.mark.parametrize("page", pages())
def test_every_file_that_a_page_links_to_is_there(page: str) -> None:
    for target in re.findall(r"\]\(([\w./-]+)(?:#[^)]*)?\)", (ROOT / page).read_text("utf-8")):
        assert ((ROOT / page).parent / target).exists(), f"{page} links to {target}"


@pytest.mark.parametrize("page", pages())
def test_every_make_target_named_in_a_page_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b", "\n".join(code_in(page))))
    assert named <= targets, f"{page} names {named - targets}"


def code_in(page: str) -> list[str]:
    """What a page marks as code, within its sentences and between them."""
    return [*inline(page), *(example.text for example in examples(page))]
