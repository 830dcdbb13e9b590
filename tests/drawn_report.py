"""The arrows of the modules of `grader/report/`, `grader/outcome/` and `grader/notebook/`: a part of the map in `tests.test_structure`."""

REPORT = {
    "notebook": "",
    "notebook.working": "errors",
    "notebook.command": "errors",
    "notebook.here": "errors jupyter notebook.command report.escape text",
    "notebook.magic": "errors notebook.command notebook.working report.escape text",
    "report": "",
    "report.escape": "",
    "report.wrap": "",
    "report.document": "catalogue exercise model picture text",
    "report.browser": "errors",
    "report.html": "model picture report.document report.sentences report.html.figures report.html.words text",
    "report.html.words": "model report.escape text",
    "report.html.plots": "picture valley",
    "report.html.graph": "model picture report.html.words text",
    "report.html.figures": "model picture report.html.graph report.html.plots report.html.words text valley",
    "report.sentences": "report.document text",
    "report.findings": "report.document report.escape report.sentences report.wrap text",
    "report.explain": "catalogue model",
    "report.curve": "model report.wrap text",
    "report.formats": "",
    "report.discovery": "errors model report.document report.formats",
    "report.places": "errors report.discovery",
    "report.outlets": "errors model report.discovery report.document report.places report.terminal",
    "report.terminal": "report.curve report.document report.escape report.findings report.sentences report.wrap text",
    "report.writer": "errors exercise model report.document report.escape report.outlets report.places text",
    "report.progress": "model report.writer round text",
    "report.selftest": "catalogue model report.escape report.wrap selftest text",
    "report.overview": "model report.html report.html.words report.overview.document report.overview.histogram"
    " report.overview.pairs report.sentences text",
    "report.overview.document": "catalogue exercise grades model outcome.names outcome.standing outcome.table"
    " report.overview.excerpts similarity",
    "report.overview.excerpts": "grades model outcome.standing",
    "report.overview.histogram": "report.overview.document report.sentences",
    "report.overview.pairs": "report.html.words similarity",
    "report.doctor": "doctor kernel.sandbox.landlock model report.escape report.wrap text",
}
# What a batch leaves behind.
OUTCOME = {
    "outcome": "",
    "outcome.names": "",
    "outcome.standing": "grades model",
    "outcome.table": "exercise grades lms.filling lms.sheets model outcome.standing report.document report.escape text",
    "outcome.brief": "grades model similarity",
    "outcome.placing": "",
    "outcome.reports": "exercise grader grades model outcome.names outcome.placing report.discovery report.document",
    "outcome.tasks": "exercise grades lms.filling model outcome.standing",
    "outcome.write": "errors exercise grades lms.roster lms.sheets lms.upload model outcome.brief outcome.placing"
    " outcome.reports outcome.table outcome.tasks report.overview report.overview.document report.overview.pairs"
    " similarity starter",
}
# What every format may import; nothing but `report.discovery` knows them.
OF_A_FORMAT = "model report.document report.escape report.formats.terminal report.html report.terminal report.sentences text"
