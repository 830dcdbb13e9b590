"""What was named in a labelled corpus: per mistake how many files, named, named first, confirmed; and false names."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from grader.model import Finding
from tests.measure.corpus_records import Graded


def shown(graded: Graded) -> list[Finding]:
    """The findings that accuse: confirmed or likely."""
    return [finding for finding in graded.report.findings if finding.confidence != "possible"]


def is_true(graded: Graded, finding: Finding) -> bool:
    """Whether a finding is one that the label accepts."""
    return finding.mistake in {*graded.label.mistakes, *graded.label.also_ok}


def is_named(graded: Graded) -> bool:
    """Whether one of the accepted mistakes was found."""
    return any(finding.mistake in graded.label.mistakes for finding in shown(graded))


def is_named_first(graded: Graded) -> bool:
    """Whether the first finding is an accepted one."""
    findings = shown(graded)
    return bool(findings) and findings[0].mistake in graded.label.mistakes


def is_confirmed(graded: Graded) -> bool:
    """Whether any true finding was confirmed."""
    return any(finding.confidence == "confirmed" and is_true(graded, finding) for finding in shown(graded))


def false_names(graded: Graded) -> list[str]:
    """What was named and is not so."""
    return [finding.mistake for finding in shown(graded) if not is_true(graded, finding)]


def table(graded: Sequence[Graded]) -> str:
    """The table mistake × files, named, named first, confirmed, false; and the four figures that count."""
    wrong = [one for one in graded if not one.label.right]
    groups: dict[str, list[Graded]] = defaultdict(list)
    for one in wrong:
        groups[one.label.mistakes[0]].append(one)
    falsely: dict[str, int] = defaultdict(int)
    for one in graded:
        for name in false_names(one):
            falsely[name] += 1
    lines = ["| mistake | gradings | named | named first | confirmed | false |", "|---|---|---|---|---|---|"]
    for name in sorted({*groups, *falsely}):
        rows = groups.get(name, [])
        counts = [sum(map(test, rows)) for test in (is_named, is_named_first, is_confirmed)]
        lines.append(f"| {name} | {len(rows)} | {' | '.join(map(str, counts))} | {falsely.get(name, 0)} |")
    return "\n".join([*lines, "", *_figures(graded, wrong)])


def _figures(graded: Sequence[Graded], wrong: Sequence[Graded]) -> Iterable[str]:
    for title, test in (("named", is_named), ("named first", is_named_first), ("confirmed", is_confirmed)):
        yield f"- wrong gradings {title}: {_share(sum(map(test, wrong)), len(wrong))}"
    accusations = sum(len(shown(one)) for one in graded)
    false = sum(len(false_names(one)) for one in graded)
    yield f"- precision of confirmed and likely findings: {_share(accusations - false, accusations)}"
    right = [one for one in graded if one.label.right]
    yield f"- right gradings accused: {sum(bool(false_names(one)) for one in right)} of {len(right)}"


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "none"
