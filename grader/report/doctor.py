"""What `grader doctor` says: schema `grader/doctor/v1`, and the same in a terminal.

Fields are added, never renamed. `reason` is what the system said, in its own words; all else is worded here.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table

from grader.doctor import Diagnosis, Layer
from grader.kernel.sandbox import landlock
from grader.model import Breach, Language, SandboxChoice, Tier
from grader.report.escape import as_json, one_line
from grader.report.wrap import Line
from grader.text import say

SCHEMA: Literal["grader/doctor/v1"] = "grader/doctor/v1"
HELD, ABSENT = ("✔", "green"), ("–", "yellow")
INDENTED = (0, 0, 0, 2)


class TierPart(msgspec.Struct, frozen=True):
    """One tier, the strongest first: whether it holds on this machine; if not, what the system said."""

    tier: Tier
    description: str
    held: bool
    used: bool
    reason: str


class LayerPart(msgspec.Struct, frozen=True):
    """One layer in the tier in use: what it guarantees, whether it holds; if not, why, and which remedies there are."""

    layer: str
    description: str
    held: bool
    reason: str
    remedies: list[str]


class LandlockPart(msgspec.Struct, frozen=True):
    """What Landlock confines in the tier in use, and what this Linux's version of it (0: none) does not."""

    abi: int
    held: list[str]
    missing: list[str]


class BreachPart(msgspec.Struct, frozen=True):
    """One thing that the canary could do. `detail`: to which path, or why it could not be tried."""

    kind: str
    detail: str
    message: str


class CanaryPart(msgspec.Struct, frozen=True):
    """The trial: a job that tries to get out. It is not sent where nothing would hold it."""

    sent: bool
    breaches: list[BreachPart]


class RemedyPart(msgspec.Struct, frozen=True):
    """One thing to do; layers name it by its id."""

    id: str
    message: str


class VersionsPart(msgspec.Struct, frozen=True):
    """What the sandbox depends on. `bubblewrap` is null where it is not installed."""

    grader: str
    python: str
    system: str
    machine: str
    landlock_abi: int
    bubblewrap: str | None


class Document(msgspec.Struct, frozen=True):
    """A diagnosis as it is written. `sound`: others' submissions can be graded here.

    `tier` is what grading uses for the setting `wanted`; null where it refuses to, and `refusal` says why.
    """

    schema: Literal["grader/doctor/v1"]
    sound: bool
    verdict: str
    wanted: SandboxChoice
    tier: Tier | None
    refusal: str
    tiers: list[TierPart]
    layers: list[LayerPart]
    landlock: LandlockPart
    canary: CanaryPart
    remedies: list[RemedyPart]
    versions: VersionsPart
    language: Language


def word(found: Diagnosis, version: str, language: Language) -> Document:
    """Put a diagnosis of this version of grader into words."""
    remedies = dict.fromkeys(remedy for layer in found.layers for remedy in layer.remedies)
    versions = found.versions
    return Document(
        schema=SCHEMA,
        sound=found.is_sound,
        verdict=_verdict(found, language),
        wanted=found.wanted,
        tier=found.tier,
        refusal=found.refusal,
        tiers=[
            TierPart(
                attempt.tier,
                say(f"doctor-tier-{attempt.tier}", language),
                attempt.held,
                attempt.tier == found.tier,
                attempt.reason,
            )
            for attempt in found.attempts
        ],
        layers=[_layer(layer, language) for layer in found.layers],
        landlock=LandlockPart(
            versions.landlock_abi,
            list(found.guarantees),
            [name for name in landlock.guarantees() if name not in found.guarantees],
        ),
        canary=CanaryPart(
            found.breaches is not None, [_breach(breach, language) for breach in found.breaches or ()]
        ),
        remedies=[RemedyPart(remedy, say(f"remedy-{remedy}", language)) for remedy in remedies],
        versions=VersionsPart(
            version,
            versions.python,
            versions.system,
            versions.machine,
            versions.landlock_abi,
            versions.bubblewrap,
        ),
        language=language,
    )


def sentences(breaches: Sequence[Breach], language: Language) -> list[str]:
    """What a canary could do: one sentence for each kind, with the first of its examples."""
    first = {breach.kind: breach for breach in reversed(breaches)}
    return [_breach(breach, language).message for breach in breaches if breach is first[breach.kind]]


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a diagnosis."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "grader doctor",
        **msgspec.json.schema(Document),
    }


def render(document: Document) -> str:
    """Encode it as JSON that can also be read in a terminal."""
    return as_json(document, indented=True)


def _verdict(found: Diagnosis, language: Language) -> str:
    if found.tier is None:
        return say("doctor-refused", language, {"tier": found.wanted})
    if found.tier == "none":
        return say("doctor-none", language)
    if found.breaches != ():
        return say("doctor-leaks", language, {"tier": found.tier})
    return say("doctor-sound", language, {"tier": found.tier})


def _layer(layer: Layer, language: Language) -> LayerPart:
    description = say(f"doctor-layer-{layer.name}", language)
    return LayerPart(layer.name, description, layer.held, layer.reason, list(layer.remedies))


def _breach(breach: Breach, language: Language) -> BreachPart:
    return BreachPart(
        breach.kind, breach.detail, say(f"breach-{breach.kind}", language, {"detail": breach.detail})
    )


# ---- in a terminal ------------------------------------------------------------------------------


def show(document: Document, console: Console) -> None:
    """Print a diagnosis."""
    spoken = document.language
    style = "bold green" if document.sound else "bold red"
    console.print(Panel(Line(document.verdict, style=style), expand=False, padding=(0, 2)))
    if document.refusal:
        console.print(Padding(Line(one_line(document.refusal), style="red"), INDENTED))
    for heading, rows in (
        ("doctor-tiers", [(part.tier, part) for part in document.tiers]),
        ("doctor-layers", [(part.layer, part) for part in document.layers]),
    ):
        console.print(Line(say(heading, spoken), style="bold"))
        console.print(_table(rows, spoken))
    for heading, lines in (
        ("doctor-landlock", list(_landlock(document))),
        ("doctor-canary", _canary(document)),
        ("doctor-remedies", [f"• {remedy.message}" for remedy in document.remedies]),
        ("doctor-versions", [_versions(document.versions)]),
    ):
        if lines:
            console.print(Line(say(heading, spoken), style="bold"))
            for line in lines:
                console.print(Padding(Line(one_line(line)), INDENTED))


def _table(rows: Sequence[tuple[str, TierPart | LayerPart]], language: Language) -> Padding:
    table = Table(box=None, padding=(0, 1), pad_edge=False, show_header=False)
    table.add_column(width=1, no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for name, part in rows:
        mark, colour = HELD if part.held else ABSENT
        sentence = Line(part.description)
        if isinstance(part, TierPart) and part.used:
            sentence.append(f" {say('doctor-used', language)}", style="bold green")
        table.add_row(Line(mark, style=colour), Line(name, style=colour), sentence)
        if not part.held:
            reason = part.reason or say("doctor-not-chosen", language)
            table.add_row("", "", Line(one_line(reason), style="yellow"))
    return Padding(table, INDENTED)


def _landlock(document: Document) -> Iterator[str]:
    for label, names in (("held", document.landlock.held), ("missing", document.landlock.missing)):
        if names and document.landlock.held:
            yield say(f"doctor-landlock-{label}", document.language, {"names": ", ".join(names)})


def _canary(document: Document) -> list[str]:
    if not document.canary.sent:
        return [say("doctor-canary-not-sent", document.language)]
    if not document.canary.breaches:
        return [say("doctor-canary-nothing", document.language)]
    return [f"✘ {breach.message}" for breach in document.canary.breaches]


def _versions(versions: VersionsPart) -> str:
    bubblewrap = versions.bubblewrap or "–"
    return (
        f"grader {versions.grader} · Python {versions.python} · {versions.system} {versions.machine} · "
        f"Landlock ABI {versions.landlock_abi or '–'} · bubblewrap {bubblewrap}"
    )
