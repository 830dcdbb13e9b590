"""The arrows of the modules of `grader/lms/lti/`: a part of the map in `tests.test_structure`."""

# Records and addresses, then the way out and the keys, then what is done with them.
LTI = {
    "lms.lti": "",
    "lms.lti.records": "",
    "lms.lti.remembered": "lms.lti.records",
    "lms.lti.tool": "",
    "lms.lti.addresses": "",
    "lms.lti.deadline": "",
    "lms.lti.roles": "lms.lti.records",
    "lms.lti.claims": "errors",
    "lms.lti.outbound": "errors lms.lti.addresses lms.lti.deadline",
    "lms.lti.signing": "lms.lti.records lms.lti.remembered",
    "lms.lti.keys": "errors lms.lti.outbound lms.lti.records",
    "lms.lti.login": "errors lms.lti.records lms.lti.remembered lms.lti.tool",
    "lms.lti.launch": "errors lms.lti.claims lms.lti.keys lms.lti.login lms.lti.records lms.lti.remembered lms.lti.roles",
    "lms.lti.tokens": "errors lms.lti.outbound lms.lti.records lms.lti.signing",
    "lms.lti.scores": "errors lms.lti.outbound lms.lti.records lms.lti.remembered lms.lti.tokens",
    "lms.lti.roster": "errors lms.lti.outbound lms.lti.records lms.lti.roles lms.lti.tokens",
    "lms.lti.deeplinking": "errors lms.lti.claims lms.lti.records lms.lti.signing lms.lti.tool",
    "lms.lti.registration": "errors lms.lti.outbound lms.lti.records lms.lti.roster lms.lti.scores lms.lti.tool",
}
