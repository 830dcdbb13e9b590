"""What is generated in docs/ is current, and the README's claims about files hold."""

import re

import pytest

from tests.measure.docs import DOCS, ROOT, command_line_text, formats_text, mistake_pages, schema_texts


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


def test_every_file_the_readme_links_to_is_there() -> None:
    for page in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([\w./-]+)\)", (ROOT / page).read_text("utf-8")):
            assert (ROOT / target).exists(), f"{page} links to {target}"


def test_every_make_target_named_in_the_pages_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in ("README.md", "CONTRIBUTING.md"):
        named = set(re.findall(r"\bmake ([a-z]+)\b", (ROOT / page).read_text("utf-8")))
        assert named <= targets, f"{page} names {named - targets}"
