"""The ids of the sentences that the page of a report is worded by."""

import re
from typing import get_args

from grader.exercise import PACKAGE
from grader.model import Confidence, Status
from grader.outcome.standing import Standing
from grader.web.store.records import Change, State

# What the pages of reports and of the service are worded by: in their templates, and by the kind of what is shown.
PAGES = [path.read_text("utf-8") for part in ("report", "web") for path in (PACKAGE / part).rglob("*.html")]
OF_A_PAGE = {
    *(id for page in PAGES for id in re.findall(r'(?:say|plainly|people)\("([\w-]*\w)"', page)),
    *(f"html-{word}" for word in (*get_args(Confidence), *get_args(Status))),
    *(f"html-{stream}" for stream in ("stderr", "result", "error", "malformed")),
    *(f"html-{of}" for of in ("own", "mended", "reference", "right", "best", "removed", "added")),
    *(f"html-loss-{of}" for of in ("own", "mended", "reference")),
    *(f"html-{what}-{of}" for what in ("slope", "graph") for of in ("own", "mended")),
    *(f"regrade-change-{change}" for change in get_args(Change) if change != "nothing"),
    *(f"web-state-{state}" for state in get_args(State)),
    *(f"class-{standing}" for standing in get_args(Standing)),
}
