"""One page for a browser: nothing in it is run, and nothing is fetched.

The mistakes come first, with the cell, the mended line as a diff and what it gives; then the checks, the training as pictures
(the loss, the way of the parameters, the gradients, the autograd graph), and the notebook as it was executed.
"""

from grader.model import Report
from grader.report import html as pages
from grader.report.document import Document

WORDS = {
    "en": "a page for a browser, with pictures of the training and the notebook as executed",
    "zh": "给浏览器看的网页，带训练过程的图和运行后的笔记本",
}
SUFFIX = ".html"
DRAWS = True


def render(document: Document, report: Report | None = None) -> str:
    """The page of a report; without the report itself, its words alone."""
    if report is None:
        return pages.render(document) + "\n"
    return pages.render(document, report.pictures, report.notebook) + "\n"
