"""The arrows of the modules of `grader/lms/`: a part of the map in `tests.test_structure`."""

LMS = {
    "lms": "",
    "lms.attempts": "",
    "lms.systems": "",
    "lms.trees": "archive errors files",
    "lms.recognise": "errors lms.attempts lms.systems lms.systems.nbgrader lms.trees load",
}
# What every learning platform may import; nothing but `lms.recognise` knows them.
OF_A_SYSTEM = "lms.attempts"
