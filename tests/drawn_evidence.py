"""The arrows of the modules of `grader/evidence/`: a part of the map in `tests.test_structure`."""

EVIDENCE = {
    "evidence": "",
    "evidence.edits": "model",
    "evidence.code": "evidence.edits model",
    "evidence.case": "arrays evidence.code model trace values",
    "evidence.suspicion": "model",
    "evidence.updates": "evidence.case evidence.code trace",
    "evidence.creation": "evidence.case evidence.code evidence.edits evidence.updates",
    "evidence.forward": "evidence.case evidence.code evidence.updates",
    "evidence.kept": "arrays evidence.case evidence.edits evidence.updates model trace",
    "evidence.rebinding": "evidence.case evidence.code evidence.edits evidence.updates trace",
}
