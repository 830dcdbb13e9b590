"""The arrows of the modules of `grader/evidence/`: a part of the map in `tests.test_structure`."""

EVIDENCE = {
    "evidence": "",
    "evidence.added": "evidence.case evidence.code evidence.edits evidence.updates trace",
    "evidence.case": "arrays evidence.code evidence.suspicion exercise model trace values",
    "evidence.clearings": "evidence.case evidence.code evidence.gradients",
    "evidence.code": "evidence.edits model",
    "evidence.creation": "evidence.case evidence.code evidence.edits evidence.handed evidence.scopes evidence.updates",
    "evidence.edits": "model",
    "evidence.exits": "evidence.case evidence.code evidence.edits evidence.knobs",
    "evidence.formulas": "evidence.code",
    "evidence.forward": "evidence.case evidence.code evidence.creation",
    "evidence.gradients": "evidence.code",
    "evidence.graph": "evidence.case picture trace",
    "evidence.handed": "evidence.code",
    "evidence.kept": "arrays evidence.case evidence.clearings evidence.edits"
    " evidence.optimizers evidence.scopes evidence.suspicion evidence.updates trace",
    "evidence.knobs": "evidence.case evidence.code evidence.edits"
    " evidence.gradients evidence.optimizers evidence.updates",
    "evidence.leaves": "evidence.case trace",
    "evidence.lines": "arrays evidence.case evidence.code evidence.edits exchange",
    "evidence.losses": "evidence.code evidence.edits evidence.forward evidence.rewrite",
    "evidence.models": "evidence.case evidence.code evidence.formulas evidence.lines",
    "evidence.modules": "evidence.case evidence.code evidence.creation evidence.motion evidence.optimizers values",
    "evidence.motion": "arrays evidence.case trace",
    "evidence.optimizers": "evidence.case evidence.code",
    "evidence.order": "evidence.case evidence.code evidence.updates trace",
    "evidence.planting": "evidence.case evidence.edits evidence.rewrite evidence.trainings",
    "evidence.reach": "evidence.case trace",
    "evidence.rebinding": "evidence.case evidence.clearings evidence.code evidence.creation evidence.edits"
    " evidence.gradients evidence.leaves evidence.rebound_loops evidence.scopes evidence.updates",
    "evidence.rebound_loops": "evidence.case evidence.code evidence.creation"
    " evidence.edits evidence.gradients evidence.leaves evidence.scopes",
    "evidence.results": "evidence.case evidence.edits evidence.gradients",
    "evidence.rewrite": "evidence.code evidence.edits",
    "evidence.scales": "arrays batches evidence.case evidence.lines",
    "evidence.scopes": "evidence.case evidence.code",
    "evidence.suspicion": "model",
    "evidence.training": "arrays evidence.case evidence.graph evidence.lines exchange exercise picture steps trace valley",
    "evidence.trainings": "evidence.case evidence.clearings evidence.code evidence.forward evidence.scopes evidence.updates",
    "evidence.updates": "evidence.case evidence.code evidence.edits evidence.gradients evidence.scopes",
}
