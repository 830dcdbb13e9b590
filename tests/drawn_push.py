"""The arrows of the modules that hand grades and graders to other systems: a part of the map in `tests.test_structure`."""

GRADESCOPE = {
    "gradescope": "",
    "gradescope.wheel": "exercise",
    "gradescope.pins": "",
    "gradescope.pack": "errors exercise gradescope.pins gradescope.wheel limits model settings",
    "gradescope.run": "errors grade model report.discovery report.document settings text",
    "gradescope_commands": "answering errors exercise gradescope.pack options report.escape text",
}
