"""What is generated in docs/ is current, and the README's claims about files hold."""

import re

from tests.measure.docs import DOCS, ROOT, command_line_text, schema_text


def test_the_schema_is_current() -> None:
    assert (DOCS / "report.schema.json").read_text("utf-8") == schema_text(), "run `make docs`"


def test_the_command_line_page_is_current() -> None:
    assert (DOCS / "command-line.md").read_text("utf-8") == command_line_text(), "run `make docs`"


def test_every_file_the_readme_links_to_is_there() -> None:
    for page in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([\w./-]+)\)", (ROOT / page).read_text("utf-8")):
            assert (ROOT / target).exists(), f"{page} links to {target}"


def test_every_make_target_named_in_the_pages_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in ("README.md", "CONTRIBUTING.md"):
        named = set(re.findall(r"\bmake ([a-z]+)\b", (ROOT / page).read_text("utf-8")))
        assert named <= targets, f"{page} names {named - targets}"
