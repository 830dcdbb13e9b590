"""The arrows of the modules of `grader/report/`: a part of the map in `tests.test_structure`."""

REPORTS = {
    "report": "",
    "report.escape": "",
    "report.wrap": "",
    "report.document": "catalogue exercise model picture text",
    "report.browser": "",
    "report.html": "model picture report.document report.findings report.html.figures report.html.words text",
    "report.html.words": "model report.escape text",
    "report.html.plots": "picture valley",
    "report.html.graph": "model picture report.html.words text",
    "report.html.figures": "model picture report.html.graph report.html.plots report.html.words text valley",
    "report.findings": "report.document report.escape report.wrap text",
    "report.explain": "catalogue model",
    "report.json": "report.document report.escape",
    "report.terminal": "report.document report.escape report.findings report.wrap text",
    "report.writer": "errors exercise model report.document report.escape report.html report.json report.terminal text",
    "report.doctor": "doctor kernel.sandbox.landlock model report.escape report.wrap text",
}
