"""The formats that a report is written in, one file each; `grader.report.discovery` finds them by their names.

A format owes

- a docstring: what it is for and how it says what, for `docs/formats.md`;
- `WORDS`: one sentence about it in each language, for `grader formats`;
- `SUFFIX`: what the name of its file ends in;
- `render(document) -> str`: one report as a whole text. What comes from a submission is escaped in it.

Where several reports make one text, it also has `part(document) -> str`, a report as one of several; `HEAD` and `TAIL` stand
around the parts, and `SUFFIX_TOGETHER` is the end of the file's name, where these are needed. Without `part`, each submission has
a file of its own. `DRAWS = True`: it shows more than words, so it is also `render(document, report)`. `SCORES = True`: whoever reads it waits for points, so there is nothing to write without an exercise.
"""
