"""The arrows of the modules of `grader/evidence/`: a part of the map in `tests.test_structure`."""

EVIDENCE = {
    "evidence": "",
    "evidence.edits": "model",
    "evidence.code": "evidence.edits model",
    "evidence.case": "arrays evidence.code model trace values",
    "evidence.suspicion": "model",
    "evidence.update_lines": "evidence.case evidence.code trace",
    "evidence.creation": "evidence.case evidence.code evidence.edits evidence.update_lines",
    "evidence.expressions": "evidence.case evidence.code evidence.update_lines",
    "evidence.kept": "arrays evidence.case evidence.edits evidence.update_lines model trace",
    "evidence.rebinding": "evidence.case evidence.code evidence.edits evidence.update_lines trace",
}
