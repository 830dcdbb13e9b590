"""The page as the command line writes it, and opens it."""

from pathlib import Path

import pytest

from grader.text import say
from tests.command import grader
from tests.conftest import SAMPLE
from tests.pages import elements, parsed, text_of


def test_the_command_writes_a_page(tmp_path: Path) -> None:
    done = grader(
        "check",
        SAMPLE,
        "--exercise",
        "linear_regression",
        "--format",
        "html",
        "--output",
        "a.html",
        folder=tmp_path,
    )
    assert (done.code, done.out, done.err) == (0, "", "")
    assert "10" in text_of(elements(parsed((tmp_path / "a.html").read_text("utf-8")), "header")[0])


@pytest.mark.slow
def test_open_hands_the_page_to_the_browser(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("w = 1")
    browser = tmp_path / "browser"
    browser.write_text('#!/bin/sh\nprintf %s "$1" > "$(dirname "$0")/asked"\n')
    browser.chmod(0o755)
    done = grader(
        "diagnose",
        "a.py",
        "--open",
        "--language",
        "zh",
        folder=tmp_path,
        BROWSER=f"{browser} %s",
        TMPDIR=str(tmp_path),
    )
    assert done.code == 0, done.err
    asked = (tmp_path / "asked").read_text("utf-8")
    assert asked.startswith("file://")
    assert asked.endswith("/a.html")
    assert '<html lang="zh-Hans">' in Path(asked.removeprefix("file://")).read_text("utf-8")


@pytest.mark.slow
def test_each_submission_has_a_page_of_its_own(tmp_path: Path) -> None:
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("w = 1")
    done = grader("diagnose", "a.py", "b.py", "--format", "html", "--output", "pages", folder=tmp_path)
    assert (done.code, done.out) == (0, ""), done.err
    assert sorted(path.name for path in (tmp_path / "pages").iterdir()) == ["a.html", "b.html"]


def test_one_page_is_opened_at_a_time(tmp_path: Path) -> None:
    done = grader("diagnose", "a.py", "b.py", "--open", folder=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err.strip() == say("open-one", "en")
