"""The report's schema as a page to read: each record, each field, its type and what it means."""

from typing import Any

from grader.report.document import json_schema

HEAD = """# A report, field by field

This page is generated from the schema by `make docs`. The schema itself is [report.schema.json](report.schema.json), which
`grader schema` prints. Fields are added, never renamed. Cells and lines count from 1, and only cells with code are counted. Text is in
the report's language; whatever a submission wrote stands in it as text, to be escaped where it is shown.

"""
TITLES = {
    "Document": "The report",
    "SubmissionPart": "The submission",
    "CheckPart": "A check",
    "RunPart": "The run",
    "ErrorPart": "The error",
    "SandboxPart": "The sandbox",
    "FindingPart": "A finding",
    "ChangePart": "A change",
    "Curves": "Curves",
}
INTRODUCED = {
    "Document": "Everything stands in one object.",
    "SubmissionPart": "The file that was graded.",
    "CheckPart": "A check gives points. It passes, fails, or is skipped because one that it builds on did not pass.",
    "RunPart": "The submission's own run, from top to bottom in a fresh kernel.",
    "ErrorPart": "What stopped a cell, or the whole run. The cells after it were run all the same, unless a limit was passed.",
    "SandboxPart": "How the run was confined; [the sandbox](sandbox.md) says what each layer guarantees.",
    "FindingPart": "A mistake that was found. Findings give no points and take none.",
    "ChangePart": "Lines to replace; together, the changes of a finding mend it.",
    "Curves": "How a training went, at the steps that were looked at.",
}
MEANINGS = {
    "Document": {
        "schema": "the version of this schema",
        "exercise": "the exercise's slug; empty where there is none",
        "title": "its title",
        "submission": "the file",
        "status": "`ungradable` where the grader failed or the file could not be read: never a zero",
        "needs_review": "reasons why a person should look; empty for most",
        "notes": "what else there is to know, such as a magic command that was left out",
        "score": "the sum of the checks' scores; null where it could not be graded, or has no exercise",
        "max_score": "what could be reached",
        "language": "of all sentences in it",
        "checks": "in the order of the check file",
        "run": "the run",
        "findings": "the mistakes, in the order in which they are worth reading",
        "untried": "how many possible causes were left when the time for reruns was over",
        "curves": "of the training that made the result, as far as it was seen",
        "curves_mended": "of the last rerun that proved a mend",
        "curves_reference": "what the exercise's own descent does on the learner's data",
    },
    "SubmissionPart": {
        "name": "the file's name; `archive.zip/entry` for an entry of an archive",
        "sha256": "of the file's bytes, in hexadecimal",
    },
    "CheckPart": {
        "id": "the name of the check's function, the same in every report",
        "title": "what the check wants, in one sentence",
        "status": "a skipped check was not looked at",
        "score": "points given",
        "max_score": "points that could be had",
        "message": "why it did not pass; empty where it did",
        "hint": "what may help; may be empty",
        "reason": "the id of `message`, for programs",
        "params": "the numbers and names in `message`",
        "because": "the id of the check for which this one was skipped",
    },
    "RunPart": {
        "seconds": "wall-clock time of the submission's own cells",
        "error": "the one to show: a limit before all, since it ended the run, else the first",
        "reruns": "how often it was run again, for other data and for mends",
        "sandbox": "null where nothing was run",
    },
    "ErrorPart": {
        "kind": "an id: `error` for an exception of the learner's own code; others name what was missing, or a limit",
        "message": "a sentence",
        "cell": "where; null where it is not known",
        "line": "the line in that cell",
        "first_line": "the number of the excerpt's first line",
        "excerpt": "the learner's lines around it",
    },
    "SandboxPart": {
        "tier": "the tier that held",
        "layers": "the layers that held",
        "missing": "those that this machine lacks",
    },
    "FindingPart": {
        "mistake": "its name, as in the [list of mistakes](mistakes/en/README.md)",
        "title": "its title",
        "confidence": "`confirmed` by a rerun of the mended submission, `likely` by what the run showed, `possible` by the source alone",
        "cell": "where; null where it is not known",
        "line": "the line in that cell",
        "first_line": "the number of the excerpt's first line",
        "excerpt": "the learner's lines around it",
        "message": "what was seen, with the learner's own names and numbers",
        "why": "what comes of it",
        "advice": "how to mend it, in words",
        "params": "the names and numbers in the sentences",
        "evidence": "what else was seen, for programs",
        "fix": "how to mend it, as changes of the learner's own text; may be empty",
        "score_after": "what the rerun with this mend, and with those of the findings before it, was given; null without one",
    },
    "ChangePart": {
        "cell": "the cell",
        "line": "the first line that is replaced",
        "before": "the lines as they are",
        "after": "the lines in their place",
    },
    "Curves": {
        "loss": "pairs of a step, counted from 0, and a value; null where it was not finite",
        "parameters": "such pairs for each parameter, by the learner's own name for it",
    },
}
# What JSON Schema calls its types, in words.
PLAIN = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
}


def report_text() -> str:
    """The page. Raises KeyError for a record or a field that nothing is said of."""
    records = json_schema()["$defs"]
    return HEAD + "\n".join(_record(name, records[name]) for name in TITLES | records)


def _record(name: str, record: dict[str, Any]) -> str:
    rows = [f"## {TITLES[name]}\n", f"{INTRODUCED[name]}\n", "| field | type | what it is |", "|---|---|---|"]
    for field, described in record["properties"].items():
        always = (
            "" if field in record.get("required", ()) else " (may be missing in reports of older versions)"
        )
        rows.append(f"| `{field}` | {_type(described)} | {MEANINGS[name][field]}{always} |")
    return "\n".join(rows) + "\n"


def _type(described: dict[str, Any]) -> str:
    """A type of JSON Schema in words; `Curve`s are the only lists of pairs."""
    if "anyOf" in described:
        kinds = [_type(each) for each in described["anyOf"]]
        return " or ".join(
            dict.fromkeys(
                "number" if kind == "whole number" and "number" in kinds else kind for kind in kinds
            )
        )
    if "$ref" in described:
        title = TITLES[described["$ref"].rpartition("/")[2]]
        return f"[{title.removeprefix('The ').removeprefix('A ')}](#{title.lower().replace(' ', '-')})"
    if "enum" in described:
        return ", ".join(f"`{value}`" for value in described["enum"])
    if described["type"] == "array":
        return "pair" if "prefixItems" in described else f"list of {_plural(_type(described['items']))}"
    if described["type"] == "object":
        return f"object: name → {_type(described['additionalProperties'])}"
    return PLAIN[described["type"]]


def _plural(kind: str) -> str:
    return {"text": "texts", "pair": "pairs"}.get(kind, kind)
