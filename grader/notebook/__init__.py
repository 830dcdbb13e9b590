"""Grading from within the notebook that is being worked on."""
