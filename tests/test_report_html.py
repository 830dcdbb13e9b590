"""The report as a page: right for real gradings, and inert for a notebook that means harm."""

import itertools
import json
import re
import time

import pytest

from grader.exercise import course_folder, load_exercise
from grader.grade import grade, ungradable
from grader.kernel.pool import Kernels
from grader.load import load
from grader.model import Language, Printed, Report, Shown
from grader.settings import Settings
from grader.text import catalogue, say
from tests.conftest import CORPUS, SAMPLE
from tests.hostile import NAME, hostile
from tests.page_words import OF_A_PAGE
from tests.pages import SVG, addresses, elements, page, parsed, tag, text_of

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
ELEMENTS = {
    *[
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "main",
        "footer",
        "section",
        "article",
        "div",
        "figure",
        "figcaption",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
    ],
    *[
        "p",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "pre",
        "code",
        "span",
        "bdi",
        "strong",
        "em",
        "s",
        "a",
        "mark",
        "ins",
        "del",
        "br",
        "hr",
        "blockquote",
        "img",
    ],
    *(SVG + name for name in ["svg", "g", "path", "rect", "text", "tspan", "use", "defs", "clipPath"]),
}
ADDRESS = "http://127.0.0.1:9"
CASES = {
    "right": SAMPLE,
    "rebound": CORPUS / "linear_regression" / "s012.py",
    "cut": CORPUS / "linear_regression" / "s009.py",
    "kept": CORPUS / "linear_module" / "s002.ipynb",
}


@pytest.fixture(scope="module")
def reports(kernels: Kernels, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Report]:
    """Real gradings: a right submission, a leaf rebound, a graph cut, gradients kept, and the hostile notebook."""
    harmful = tmp_path_factory.mktemp("hostile") / NAME
    harmful.write_text(json.dumps(hostile(ADDRESS)), "utf-8")
    found = {}
    for name, path in {**CASES, "hostile": harmful}.items():
        slug = path.parent.name if path.parent.parent == CORPUS else "linear_regression"
        exercise = load_exercise(course_folder(None), slug)
        found[name] = grade(load(path), exercise, Settings(), kernels)
    return found


# ---- what every page owes -----------------------------------------------------------------------

ALL = ("right", "rebound", "cut", "kept", "hostile")


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_is_valid_and_holds_only_known_elements(
    reports: dict[str, Report], name: str, language: Language
) -> None:
    tree = parsed(page(reports[name], language))
    assert {tag(element) for element in tree.iter() if tag(element)} <= ELEMENTS
    assert tree.get("lang") == {"en": "en", "zh": "zh-Hans"}[language]


@pytest.mark.parametrize("name", ALL)
def test_runs_and_fetches_nothing(reports: dict[str, Report], name: str) -> None:
    text = page(reports[name])
    tree = parsed(text)
    policy, *_ = [meta.get("content") for meta in elements(tree, "meta") if meta.get("http-equiv")]
    assert policy == POLICY
    handlers = [key for element in tree.iter() for key in element.attrib if key.lower().startswith("on")]
    assert handlers == []
    for owner, address in addresses(tree):
        assert address.startswith("data:image/png;base64,") if owner == "img" else address.startswith("#")
    assert "url(http" not in text
    styles = "".join(element.get("style") or "" for element in tree.iter())
    assert "@import" not in text
    assert {
        match for match in re.findall(r"url\(([^)]*)\)", styles + text) if not match.startswith("#")
    } == set()


@pytest.mark.parametrize("name", ALL)
def test_ids_are_unique_and_links_lead_somewhere(reports: dict[str, Report], name: str) -> None:
    tree = parsed(page(reports[name]))
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert {address[1:] for _, address in addresses(tree) if address.startswith("#")} <= set(ids)


@pytest.mark.parametrize("name", ALL)
def test_headings_skip_no_level_and_pictures_have_words(reports: dict[str, Report], name: str) -> None:
    tree = parsed(page(reports[name]))
    levels = [int(tag(element)[1]) for element in tree.iter() if re.fullmatch("h[1-6]", tag(element))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert all(picture.get("aria-label") for picture in elements(tree, f"{SVG}svg"))
    assert all(picture.get("alt") for picture in elements(tree, "img"))
    assert all(
        region.get("aria-label") and region.get("tabindex") == "0"
        for region in tree.iter()
        if region.get("class") == "scroll"
    )


def test_the_sample_is_small(reports: dict[str, Report]) -> None:
    assert len(page(reports["right"]).encode()) < 400_000


def test_the_sample_is_made_in_half_a_second(reports: dict[str, Report]) -> None:
    """By the processor's clock, since others may be at work here; matplotlib is imported while the warm parent warms up."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        page(reports["right"])
        taken.append(time.process_time() - began)
    assert min(taken) < 0.5


def test_every_id_in_a_page_has_words() -> None:
    assert set(catalogue("en")) >= OF_A_PAGE
    assert len(OF_A_PAGE) > 50


# ---- what is told -------------------------------------------------------------------------------


def test_full_marks_are_praised_and_nothing_is_marked(reports: dict[str, Report]) -> None:
    tree = parsed(page(reports["right"]))
    main = text_of(elements(tree, "main")[0])
    assert say("label-all-passed", "en") in main
    assert elements(tree, "article") == elements(tree, "mark") == elements(tree, "ins") == []
    assert [element for element in tree.iter() if element.get("class") == "lost"] == []
    titles = [text_of(heading) for heading in elements(tree, "h3")]
    assert say("html-loss-title", "en") in titles
    assert say("html-way-title", "en") in titles
    assert say("html-slope-staircase", "en") not in main


def test_kept_gradients_are_called_a_staircase(reports: dict[str, Report]) -> None:
    assert say("html-slope-staircase", "zh") in page(reports["kept"], "zh")


def test_a_finding_has_its_line_its_mend_and_what_that_is_worth(reports: dict[str, Report]) -> None:
    tree = parsed(page(reports["rebound"]))
    finding, *_ = elements(tree, "article")
    (marked,) = elements(finding, "mark")
    assert "w = w - learning_rate * w.grad" in text_of(marked)
    assert say("html-this-line", "en") in text_of(marked)
    assert say("html-removed", "en") in text_of(elements(finding, "del")[0])
    assert "w.data -= learning_rate * w.grad" in " ".join(map(text_of, elements(finding, "ins")))
    assert "the score is 4 of 10" in text_of(finding)


def lost(report: Report, language: Language = "en") -> list[str]:
    """What the graph of a page marks."""
    tree = parsed(page(report, language))
    return [text_of(element) for element in tree.iter() if element.get("class") == "lost"]


def test_the_graph_marks_a_name_that_was_rebound(reports: dict[str, Report]) -> None:
    assert lost(reports["rebound"]) == [f"⚠ sub{say('html-graph-now', 'en', {'names': 'b, w'})}"] * 2
    assert say("html-graph-now", "zh", {"names": "b, w"}) in lost(reports["rebound"], "zh")[0]


def test_the_graph_marks_where_it_was_cut(reports: dict[str, Report]) -> None:
    nothing = say("html-graph-unreached", "en")
    assert sorted(lost(reports["cut"])) == sorted(
        [f"✂ loss{say('html-graph-cut', 'en')}", f"✂ b{nothing}", f"✂ w{nothing}"]
    )


def test_what_cannot_be_graded_has_a_page_too() -> None:
    from grader.errors import UnreadableSubmission

    text = page(ungradable("a.ipynb", "", "", UnreadableSubmission("file-empty", path="a.ipynb")), "zh")
    assert say("label-ungradable", "zh") in text_of(parsed(text))


# ---- a notebook that means harm -----------------------------------------------------------------


def test_nothing_hostile_is_more_than_text(reports: dict[str, Report]) -> None:
    text = page(reports["hostile"])
    tree = parsed(text)
    shown = text_of(elements(tree, "main")[0])
    for needle in (
        "<script>alert(1)</script>",
        "onerror=alert(13)",
        "<b>not a picture</b>",
        "a bomb",
        "</style></main>",
    ):
        assert needle in shown
    assert elements(tree, "img") == []
    assert f"({ADDRESS}/d)" in shown
    # As in a browser, where one is shown the address that a link would lead to.
    assert [link for link in elements(tree, "a") if not (link.get("href") or "").startswith("#")] == []


def test_nothing_in_a_page_controls_a_terminal_or_the_reading_order(reports: dict[str, Report]) -> None:
    text = page(reports["hostile"])
    assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]", text) == []
    assert r"\u202e" in text
    shown = [
        text_of(output) for output in elements(parsed(text), "pre") if "output" in (output.get("class") or "")
    ]
    (printed,) = (output for output in shown if "100%" in output)
    assert printed.startswith(r"red home \u202eesrever\u202c ]]> </pre></main><script>")
    assert "50%" not in printed
    assert "[31m" not in printed


def test_long_output_is_cut_and_says_so(reports: dict[str, Report]) -> None:
    assert len(page(reports["hostile"]).encode()) < 400_000
    assert re.search(r"x… \[\+\d{5}\]", page(reports["hostile"]))


def test_what_is_no_output_is_told_of() -> None:
    cell = Shown(number=1, source="display(…)", outputs=(Printed(stream="malformed", text=""),))
    report = Report(
        exercise="",
        submission="a.ipynb",
        sha256="",
        status="graded",
        score=None,
        max_score=0,
        notebook=(cell,),
    )
    words = text_of(
        next(
            one
            for one in elements(parsed(page(report)), "section")
            if one.get("aria-labelledby") == "notebook"
        )
    )
    assert say("html-malformed", "en") in words
