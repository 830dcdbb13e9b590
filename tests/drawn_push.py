"""The arrows of the modules that hand grades and graders to other systems: a part of the map in `tests.test_structure`."""

PUSH = {
    "lms.push": "",
    "lms.push.platform": "grades",
    "lms.push.people": "grades lms.push.platform lms.roster",
    "lms.push.comment": "catalogue grades model text",
    "lms.push.plan": "gradebook.records grades lms.filling lms.push.comment lms.push.people lms.push.platform model",
    "lms.push.deliver": "errors lms.push.plan lms.push.platform model",
    "lms.push.canvas": "errors grades lms.filling lms.push.people lms.push.platform",
    "lms.push.moodle": "errors grades lms.filling lms.push.people lms.push.platform lms.roster lms.systems.moodle",
    "push_commands": "answering batch_commands errors gradebook.book gradebook.records lms.push.canvas lms.push.deliver lms.push.moodle"
    " lms.push.plan lms.push.platform model options report.escape report.writer text",
}
GRADESCOPE = {
    "gradescope": "",
    "gradescope.wheel": "exercise",
    "gradescope.pins": "",
    "gradescope.prepare": "kernel.warm",
    "gradescope.pack": "errors exercise gradescope.pins gradescope.wheel limits model settings",
    "gradescope.run": "errors grade model report.discovery report.document settings text",
    "gradescope_commands": "answering errors exercise gradescope.pack options report.escape text",
}
