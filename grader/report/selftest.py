"""What a self-test found, in a terminal: exercise × mistake, and each gap with what was planted."""

from collections.abc import Iterator

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from grader.catalogue import all_mistakes
from grader.model import Language
from grader.report.escape import one_line
from grader.report.wrap import Line
from grader.selftest import Outcome, Result
from grader.text import say

YES, NO, KNOWN = "✔", "✘", "○"
INDENTED = (0, 0, 0, 4)
MAX_CHANGED = 8


def show(result: Result, console: Console, language: Language) -> None:
    """Print a result."""
    exercises = list(dict.fromkeys(one.trial.exercise for one in result.outcomes))
    letters = {slug: chr(ord("A") + number % 26) for number, slug in enumerate(exercises)}
    for slug, letter in letters.items():
        console.print(Line(f"{letter}  {one_line(slug)}"))
    for kinds in (("reference", "starter", "rewrite"), ("mistake",)):
        rows = _rows(result, kinds)
        if rows:
            console.print(_table(rows, letters))
    console.print(Line(say("selftest-legend", language), style="dim"))
    if unplanted := _unplanted(result):
        console.print(Line(say("selftest-unplanted", language, {"names": ", ".join(unplanted)}), style="dim"))
    for one in result.gaps:
        _show_gap(one, console, language)
    for trial in result.stale:
        params = {"exercise": trial.exercise, "name": trial.name}
        console.print(Line(one_line(say("selftest-stale", language, params)), style="yellow"))
    counts = {
        "trials": len(result.outcomes),
        "gaps": len(result.gaps) + len(result.stale),
        "known": sum(one.trial.known is not None for one in result.outcomes),
    }
    sound = not result.gaps and not result.stale
    console.print(Line(say("selftest-total", language, counts), style="bold green" if sound else "bold red"))


def _rows(result: Result, kinds: tuple[str, ...]) -> dict[str, dict[str, list[Outcome]]]:
    """The outcomes of some kinds, by the row they stand in and the exercise."""
    rows: dict[str, dict[str, list[Outcome]]] = {}
    for kind in kinds:
        for one in (one for one in result.outcomes if one.trial.kind == kind):
            cells = rows.setdefault(one.trial.name or kind, {})
            cells.setdefault(one.trial.exercise, []).append(one)
    return dict(sorted(rows.items())) if kinds == ("mistake",) else rows


def _table(rows: dict[str, dict[str, list[Outcome]]], letters: dict[str, str]) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    table.add_column("")
    for letter in letters.values():
        table.add_column(letter, justify="center", no_wrap=True)
    for name, cells in rows.items():
        marks = [Line(_marks(cells[slug])) if slug in cells else Line("") for slug in letters]
        table.add_row(Line(one_line(name)), *marks)
    return table


def _marks(outcomes: list[Outcome]) -> str:
    """Whether all were caught, named, confirmed; or whether all came out as they must."""
    if outcomes[0].trial.kind != "mistake":
        return YES if all(one.as_wanted for one in outcomes) else NO
    no = KNOWN if outcomes[0].trial.known is not None else NO
    caught = all(not one.full for one in outcomes)
    named = all(one.named is not None for one in outcomes)
    confirmed = all(one.named == "confirmed" for one in outcomes)
    return "".join(YES if held else no for held in (caught, named)) + (YES if confirmed else "·")


def _unplanted(result: Result) -> list[str]:
    """The mistakes that no trial planted, where all were to be."""
    if all(one.trial.kind == "mistake" for one in result.outcomes):
        return []
    planted = {one.trial.name for one in result.outcomes}
    return [name for name in all_mistakes() if name not in planted]


def _show_gap(one: Outcome, console: Console, language: Language) -> None:
    trial = one.trial
    params: dict[str, str | float] = {
        "exercise": trial.exercise,
        "name": trial.name,
        "score": one.score,
        "max_score": one.max_score,
        "found": ", ".join(one.found) or "–",
        "reason": trial.reason,
    }
    console.print(Line(one_line(_sentence(one, params, language)), style="red"))
    for line in list(_changed(one))[:MAX_CHANGED]:
        console.print(Padding(Line(one_line(line), style="dim"), INDENTED))


def _sentence(one: Outcome, params: dict[str, str | float], language: Language) -> str:
    if one.trial.submission is None:
        return say("selftest-gap-broken", language, params)
    if one.ungradable:
        reasons = " ".join(say(text.id, language, text.params) for text in one.ungradable)
        return say("selftest-gap-ungradable", language, params | {"reason": reasons})
    if one.trial.kind == "mistake":
        return say("selftest-gap-missed" if one.full else "selftest-gap-unnamed", language, params)
    if one.trial.kind == "starter":
        return say("selftest-gap-starter", language, params)
    return say("selftest-gap-accused", language, params | {"name": one.trial.name or one.trial.kind})


def _changed(one: Outcome) -> Iterator[str]:
    for change in one.trial.changes:
        yield from (f"− {line.strip()}" for line in change.before)
        yield from (f"+ {line.strip()}" for line in change.after)
