"""The gradebook: every grading that was done, what each student handed in, and what a person decided.

`book` is its face. Below it, on one session of the database each: `results`, `batches`, `overrides`, `changes`.
"""
