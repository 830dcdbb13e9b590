"""The arrows of the modules of `grader/lms/`: a part of the map in `tests.test_structure`."""

LMS = {
    "lms": "",
    "lms.attempts": "",
    "lms.systems": "",
    "lms.trees": "archive errors files",
    "lms.recognise": "errors lms.attempts lms.systems lms.systems.nbgrader lms.trees load",
    "lms.sheets": "errors files",
    "lms.roster": "grades lms.sheets",
    "lms.filling": "grades model",
    "lms.uploads": "",
    "lms.upload": "errors grades lms.filling lms.sheets lms.uploads",
}
# What every learning platform may import; nothing but `lms.recognise` knows them.
OF_A_SYSTEM = "lms.attempts"
# What every file that a platform takes back may import; nothing but `lms.upload` knows them.
OF_AN_UPLOAD = (
    "catalogue errors grades lms.filling lms.roster lms.sheets lms.systems.moodle model report.escape"
)
