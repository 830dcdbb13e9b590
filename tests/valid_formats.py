"""What makes a text valid in each format: the system's contract as a schema, or a real parser."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import jsonschema
import msgspec
from junitparser import JUnitXml
from markdown_it import MarkdownIt

from grader.report.document import Document, json_schema
from tests.pages import addresses, elements, parsed

NUMBER, TEXT, FLAG = {"type": "number"}, {"type": "string"}, {"type": "boolean"}
SOME_TEXT = {"type": "string", "minLength": 1}
SHOWN = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
STYLE = {"enum": ["text", "simple_format", "html", "md", "ansi"]}


def record(required: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object that has these fields and no others."""
    return {
        "type": "object",
        "required": required.split(),
        "additionalProperties": False,
        "properties": fields,
    }


GRADESCOPE_TEST = record(
    "",
    {
        **{"score": NUMBER, "max_score": NUMBER, "status": {"enum": ["passed", "failed"]}, "name": SOME_TEXT},
        **{"name_format": STYLE, "number": TEXT, "output": TEXT, "output_format": STYLE, "visibility": SHOWN},
        **{"tags": {"type": "array", "items": TEXT}, "extra_data": {"type": "object"}},
    },
)
GRADESCOPE = record(
    "score",
    {
        **{"score": NUMBER, "execution_time": NUMBER, "output": TEXT, "output_format": STYLE},
        **{"test_output_format": STYLE, "test_name_format": STYLE, "visibility": SHOWN},
        **{"stdout_visibility": SHOWN, "extra_data": {"type": "object"}},
        "tests": {"type": "array", "items": GRADESCOPE_TEST},
    },
)
WHOLE = {"type": "integer", "minimum": 0}
CLASSROOM50_TEST = {
    **record("test-name passed score max-score", {}),
    "additionalProperties": True,
    "properties": {"test-name": SOME_TEXT, "passed": FLAG, "score": WHOLE, "max-score": WHOLE},
}
CLASSROOM50 = record(
    "schema classroom assignment assignment_type owner submission commit release review datetime score max-score tests",
    {
        "schema": {"const": "classroom50/result/v1"},
        **dict.fromkeys(("classroom", "assignment", "owner", "commit", "release", "review"), SOME_TEXT),
        "assignment_type": {"enum": ["individual", "group", "team"]},
        "submission": {"type": "string", "pattern": "^submit/"},
        "datetime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT[0-2]\d:[0-5]\d:[0-5]\dZ$"},
        **{"score": WHOLE, "max-score": WHOLE, "tests": {"type": "array", "items": CLASSROOM50_TEST}},
    },
)
PRAIRIELEARN_TEST = record(
    "name points max_points",
    {
        "name": TEXT,
        "description": TEXT,
        "points": NUMBER,
        "max_points": NUMBER,
        "message": TEXT,
        "output": TEXT,
    },
)
PRAIRIELEARN = {
    **record(
        "gradable",
        {
            **{"gradable": FLAG, "score": {"type": "number", "minimum": 0, "maximum": 1}, "message": TEXT},
            **{"output": TEXT, "format_errors": {"type": "array", "items": TEXT}},
            "tests": {"type": "array", "items": PRAIRIELEARN_TEST},
        },
    ),
    "if": {"properties": {"gradable": {"const": True}}},
    "then": {"required": ["score"]},
}

# Jenkins' junit-10 in a table: what an element may have as attributes (those with ! it must have) and as children.
OUTCOME = ("type message", "")
JUNIT = {
    "testsuites": ("name time tests failures errors", "testsuite"),
    "testsuite": ("name! tests! failures! errors! skipped time timestamp hostname id package file log url group",
                  "testsuite properties testcase system-out system-err"),
    "testcase": ("name! classname time group", "skipped error failure system-out system-err"),
    "properties": ("", "property"),
    "property": ("name! value!", ""),
    **{"failure": OUTCOME, "error": OUTCOME, "skipped": OUTCOME, "system-out": ("", ""), "system-err": ("", "")},
}  # fmt: skip
MARKDOWN_TAGS = {
    *("h2", "h3", "p", "strong", "em", "code", "pre", "blockquote"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


def demand(schema: dict[str, Any], text: str) -> Any:
    """What a JSON text holds, which has to fit a schema."""
    found = json.loads(text, parse_constant=lambda name: 1 / 0)
    jsonschema.Draft202012Validator(schema).validate(found)
    return found


def valid_json(text: str) -> None:
    for line in [text] if text.startswith("{\n") else text.splitlines():
        demand(json_schema(), line)
        msgspec.json.decode(line, type=Document)


def valid_terminal(text: str) -> None:
    assert "\x1b" not in text


def valid_gradescope(text: str) -> None:
    found = demand(GRADESCOPE, text)
    assert re.fullmatch(r"<pre>[^<>]*</pre>", found["output"])
    assert {test["visibility"] for test in found["tests"]} <= {"visible"}


def valid_classroom50(text: str) -> None:
    found = demand(CLASSROOM50, text)
    for kind in ("score", "max-score"):
        assert found[kind] == sum(test[kind] for test in found["tests"])
    assert all(part["score"] <= part["max-score"] for part in (found, *found["tests"]))


def valid_prairielearn(text: str) -> None:
    demand(PRAIRIELEARN, text)
    assert len(text.encode()) <= 1_000_000


def valid_autolab(text: str) -> None:
    """As Autolab reads it: bare words before a colon in the last line are quoted, then it is parsed."""
    last = text.rstrip().splitlines()[-1]
    scores = json.loads(re.sub("([a-zA-Z0-9]+):", r'"\1":', last))["scores"]
    assert all(isinstance(score, float | int) for score in scores.values())
    assert len(scores) <= 1


def valid_junit(text: str) -> None:
    root = ElementTree.fromstring(text)
    assert root.tag == "testsuites"
    for element in root.iter():
        attributes, children = (part.split() for part in JUNIT[element.tag])
        assert set(element.attrib) <= {name.rstrip("!") for name in attributes}, element.tag
        assert {name.rstrip("!") for name in attributes if name.endswith("!")} <= set(element.attrib)
        assert {child.tag for child in element} <= set(children), element.tag
    for suite in JUnitXml.fromstring(text.encode()):
        counted = (suite.tests, suite.failures, suite.errors, suite.skipped)
        suite.update_statistics()  # type: ignore[no-untyped-call]
        assert counted == (suite.tests, suite.failures, suite.errors, suite.skipped)


class _Tags(HTMLParser):
    """Collects the elements of a page, and its text outside code."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.text: list[str] = []
        self._code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert {name for name, _ in attrs} <= {"class", "style"}
        self._code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag == "code"

    def handle_data(self, data: str) -> None:
        if not self._code:
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def valid_markdown(text: str) -> None:
    """No element but those of the report, and nothing outside code that GitHub would link."""
    tags = _Tags()
    tags.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))
    assert tags.seen <= MARKDOWN_TAGS
    assert not [words for words in tags.text if re.search(r"@\w|\w@|#\d", words)]
    raw = re.sub(r"^(`{3,})[^`\n]*\n.*?^\1$|(?<!\\)`[^`]*`", "", text, flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"://|www\.|(?<!\\)\$", raw)


def valid_html(text: str) -> None:
    """Valid HTML that runs nothing, fetches nothing, and says so to the browser."""
    tree = parsed(text)
    assert not [name for name in ("script", "iframe", "object", "embed", "form") if elements(tree, name)]
    assert not [key for each in tree.iter() for key in each.attrib if key.lower().startswith("on")]
    assert all(to.startswith(("#", "data:image/")) for _, to in addresses(tree))
    assert "default-src 'none'" in text


VALID: dict[str, Callable[[str], None]] = {
    name.removeprefix("valid_"): check for name, check in globals().items() if name.startswith("valid_")
}
