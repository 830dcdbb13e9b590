"""What the gradebook may import of grader; part of the map in `test_structure.py`."""

# Rows, then transactions, then what is asked of them, then the face.
GRADEBOOK = {
    "gradebook": "",
    "gradebook.versions": "",
    "gradebook.records": "",
    "gradebook.stored": "model",
    "gradebook.tables": "gradebook.stored",
    "gradebook.address": "errors",
    "gradebook.faults": "errors",
    "gradebook.database": "gradebook.address gradebook.faults",
    "gradebook.schema": "errors gradebook.versions",
    "gradebook.results": "gradebook.records gradebook.stored gradebook.tables model",
    "gradebook.batches": "errors gradebook.records gradebook.results gradebook.stored gradebook.tables grades",
    "gradebook.overrides": "errors gradebook.batches gradebook.results gradebook.stored gradebook.tables grades",
    "gradebook.pushes": "gradebook.records gradebook.results gradebook.stored gradebook.tables",
    "gradebook.changes": "gradebook.batches gradebook.records gradebook.results gradebook.tables",
    "gradebook.forgetting": "gradebook.tables",
    "gradebook.book": "gradebook.address gradebook.batches gradebook.changes gradebook.database gradebook.overrides"
    " gradebook.pushes gradebook.records gradebook.results gradebook.schema gradebook.tables grades model",
}
# A step of the tables stands for itself: what it did once must not change with the rest.
OF_A_VERSION = ""
