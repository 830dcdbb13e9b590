"""The arrows of the modules of `grader/lms/lti/`: a part of the map in `tests.test_structure`."""

# Records and addresses, then the way out and the keys, then what is done with them.
LTI = {
    "lms.lti": "",
    "lms.lti.records": "",
    "lms.lti.remembered": "lms.lti.records",
    "lms.lti.tool": "",
    "lms.lti.addresses": "",
    "lms.lti.roles": "lms.lti.records",
    "lms.lti.claims": "errors",
    "lms.lti.outbound": "errors lms.lti.addresses",
    "lms.lti.keys": "errors lms.lti.outbound lms.lti.records",
    "lms.lti.login": "errors lms.lti.records lms.lti.remembered lms.lti.tool",
    "lms.lti.launch": "errors lms.lti.claims lms.lti.keys lms.lti.login lms.lti.records lms.lti.remembered lms.lti.roles",
}
