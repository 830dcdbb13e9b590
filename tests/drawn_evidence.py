"""The arrows of the modules of `grader/evidence/`: a part of the map in `tests.test_structure`."""

EVIDENCE = {
    "evidence": "",
    "evidence.case": "arrays evidence.code model trace values",
    "evidence.code": "evidence.edits model",
    "evidence.creation": "evidence.case evidence.code evidence.edits evidence.update_lines",
    "evidence.edits": "model",
    "evidence.expressions": "evidence.case evidence.code evidence.update_lines",
    "evidence.formulas": "evidence.code",
    "evidence.forward": "evidence.case evidence.code",
    "evidence.kept": "arrays evidence.case evidence.edits evidence.update_lines model trace",
    "evidence.knobs": "evidence.case evidence.code evidence.edits evidence.updates",
    "evidence.lines": "arrays evidence.case evidence.code evidence.edits exchange",
    "evidence.losses": "evidence.code evidence.edits evidence.forward evidence.rewrite",
    "evidence.motion": "arrays evidence.case trace",
    "evidence.reach": "evidence.case trace",
    "evidence.rebinding": "evidence.case evidence.code evidence.edits evidence.update_lines trace",
    "evidence.rewrite": "evidence.code evidence.edits",
    "evidence.scales": "arrays batches evidence.case evidence.lines",
    "evidence.suspicion": "model",
    "evidence.update_lines": "evidence.case evidence.code trace",
    "evidence.updates": "evidence.case evidence.code evidence.edits",
}
