"""What `grader doctor` finds, says and advises, and the trial before a batch is graded."""

import io
import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import jsonschema
import msgspec
import pytest
from rich.console import Console
from typer.testing import CliRunner

from grader import __version__, doctor
from grader.cli import app
from grader.doctor import CONFINING, Attempt, Diagnosis, Layer, Remedy, Versions, examine
from grader.kernel import canary
from grader.kernel.sandbox import landlock
from grader.kernel.warm import LAYERS
from grader.model import Breach, BreachKind, Language
from grader.report.doctor import json_schema, render, sentences, show, word
from grader.settings import Settings
from grader.text import catalogue
from tests.command import grader

LANGUAGES: tuple[Language, ...] = get_args(Language)
NO_NAMESPACES = "namespaces: Operation not permitted"
VERSIONS = Versions(python="3.12.1", system="Linux 6.8.0", machine="x86_64", landlock_abi=4, bubblewrap=None)


def diagnosis(**changes: Any) -> Diagnosis:
    """What a machine without namespaces and bubblewrap shows, changed."""
    absent = {"namespaces", "file-system", "cgroup"}
    found = Diagnosis(
        wanted="auto",
        tier="landlock",
        refusal="",
        attempts=(
            Attempt(tier="namespaces", held=False, reason=NO_NAMESPACES),
            Attempt(tier="bubblewrap", held=False, reason="bubblewrap: there is no such program"),
            Attempt(tier="landlock", held=True),
        ),
        layers=tuple(
            Layer(
                name=name,
                held=name not in absent,
                reason=NO_NAMESPACES if name in absent else "",
                remedies=("apparmor", "bubblewrap") if name in absent else (),
            )
            for name in LAYERS
        ),
        guarantees=("files", "moves", "tcp", "truncation"),
        breaches=(),
        versions=VERSIONS,
    )
    return msgspec.structs.replace(found, **changes)


CASES = {
    "sound": diagnosis(),
    "leaks": diagnosis(
        breaches=tuple(Breach(kind=kind, detail="/etc/\x1b[2Jx") for kind in get_args(BreachKind))
    ),
    "not to be had": diagnosis(tier=None, wanted="namespaces", refusal=NO_NAMESPACES, breaches=None),
    "nothing": diagnosis(tier="none", breaches=None, guarantees=()),
    "another system": diagnosis(
        tier="none",
        breaches=None,
        attempts=tuple(Attempt(tier=tier, held=False, reason="Darwin") for tier in CONFINING),
        layers=tuple(Layer(name=name, held=False, reason="Darwin", remedies=("linux",)) for name in LAYERS),
    ),
    "all advice": diagnosis(layers=(Layer(name="cgroup", held=False, remedies=get_args(Remedy)),)),
}


def shown(found: Diagnosis, language: Language, width: int = 400) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show(word(found, "1.0", language), console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


# ---- words --------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", CASES)
def test_every_finding_has_words_and_fits_the_schema(case: str, language: Language) -> None:
    found = CASES[case]
    document = word(found, "1.0", language)
    jsonschema.validate(json.loads(render(document)), json_schema())
    text = shown(found, language)
    assert document.verdict in text
    assert document.sound == (case in {"sound", "all advice"})
    reasons = [attempt.reason for attempt in found.attempts] + [layer.reason for layer in found.layers]
    assert all(reason in text for reason in reasons)
    assert all(remedy.message in text for remedy in document.remedies)
    assert all(
        breach.kind in {part.kind for part in document.canary.breaches} for breach in found.breaches or ()
    )
    assert "\x1b" not in text + render(document)
    assert max(map(len, shown(found, language, 80).splitlines())) <= 80


def test_what_landlock_does_not_confine_is_told() -> None:
    document = word(CASES["sound"], "1.0", "en")
    assert set(document.landlock.held) | set(document.landlock.missing) == set(landlock.guarantees())
    assert "Not by this Linux: device-ioctl, abstract-sockets, signals, unix-sockets" in shown(
        CASES["sound"], "en"
    )


def test_a_kind_of_breach_is_told_once() -> None:
    several = [Breach(kind="read-course", detail=f"/c/{n}.py") for n in range(9)] + [Breach(kind="udp")]
    assert sentences(several, "en") == [
        "It read a reference or check of the course: /c/0.py.",
        "It reached a UDP port.",
    ]


# ---- this machine -------------------------------------------------------------------------------


def test_the_command_tells_of_this_machine(tmp_path: Path) -> None:
    """In one language, since all have words for every finding."""
    language: Language = "zh"
    done = grader("doctor", "--language", language, folder=tmp_path)
    assert done.err == ""
    assert all(name in done.out for name in (*CONFINING, *LAYERS, platform.release(), __version__))
    sound = catalogue(language)["doctor-sound"].partition("`")[0]
    assert done.code == (0 if sound in done.out else 1)


@pytest.mark.parametrize(
    "choice", ["auto", *(pytest.param(tier, marks=pytest.mark.slow) for tier in CONFINING), "none"]
)
def test_the_command_writes_json(choice: str, tmp_path: Path) -> None:
    done = grader("doctor", "--json", folder=tmp_path, GRADER_SANDBOX=choice)
    assert done.err == ""
    found = json.loads(done.out)
    jsonschema.validate(found, json_schema())
    held = {tier["tier"]: tier["held"] for tier in found["tiers"]}
    assert list(held) == list(CONFINING)
    assert done.code == (0 if found["sound"] else 1)
    if choice == "none":
        assert (found["tier"], found["sound"], found["canary"]) == (
            "none",
            False,
            {"sent": False, "breaches": []},
        )
    elif choice == "auto":
        assert found["tier"] == next((tier for tier in CONFINING if held[tier]), "none")
    else:
        assert found["tier"] == (choice if held[choice] else None)
    if found["tier"] in CONFINING:
        assert found["canary"] == {"sent": True, "breaches": []}
        assert {"limits", "seccomp", "guardian"} <= {
            part["layer"] for part in found["layers"] if part["held"]
        }
    absent = [part for part in found["layers"] if not part["held"]]
    assert all(part["remedies"] for part in absent)
    assert {remedy["id"] for remedy in found["remedies"]} == {
        id for part in absent for id in part["remedies"]
    }


def test_where_kernels_cannot_be_forked_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.kernel.warm.can_fork", lambda: False)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    found = examine(Settings())
    assert (found.tier, found.breaches, found.is_sound) == ("none", None, False)
    assert {attempt.reason for attempt in found.attempts} == {"Darwin"}
    assert [(layer.held, layer.remedies) for layer in found.layers] == [(False, ("linux",))] * len(LAYERS)


# ---- advice -------------------------------------------------------------------------------------

NAMESPACES: list[tuple[dict[str, str], bool, bool, list[str]]] = [
    ({"kernel/apparmor_restrict_unprivileged_userns": "1"}, False, False, ["apparmor", "bubblewrap"]),
    ({"kernel/apparmor_restrict_unprivileged_userns": "0"}, False, True, ["namespaces"]),
    ({"user/max_user_namespaces": "0", "kernel/unprivileged_userns_clone": "0"}, False, True,
     ["max-user-namespaces", "userns-clone"]),
    ({"user/max_user_namespaces": "0"}, True, False, ["max-user-namespaces", "container"]),
    ({}, True, True, ["container"]),
    ({}, False, False, ["bubblewrap", "namespaces"]),
]  # fmt: skip


@pytest.mark.parametrize(("switches", "container", "bubblewrap", "advice"), NAMESPACES)
def test_advice_on_namespaces(
    switches: dict[str, str],
    container: bool,
    bubblewrap: bool,
    advice: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor, "_system_setting", switches.get)
    monkeypatch.setattr(doctor, "in_container", lambda: container)
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/bwrap" if bubblewrap else None)
    assert list(doctor._remedies("file-system", lacking=False, refused=True)) == advice


@pytest.mark.parametrize(
    ("layer", "why", "machine", "advice"),
    [
        ("landlock", "lacking", (0, "5.10.0-28-amd64"), "landlock-linux"),
        ("landlock", "lacking", (0, "6.1.0"), "landlock-lsm"),
        ("limits", "refused", (0, "4.18.0"), "landlock-linux"),
        ("seccomp", "refused", (5, "6.1.0"), "machine"),
        ("cgroup", "lacking", (5, "6.1.0"), "cgroup"),
        ("identity", "lacking", (5, "6.1.0"), "identity"),
        ("identity", "chosen", (5, "6.1.0"), "chosen"),
        ("namespaces", "chosen", (5, "6.1.0"), "chosen"),
    ],
)
def test_advice_on_other_layers(
    layer: str, why: str, machine: tuple[int, str], advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    abi, release = machine
    monkeypatch.setattr(landlock, "abi", lambda: abi)
    monkeypatch.setattr(platform, "release", lambda: release)
    assert list(doctor._remedies(layer, lacking=why == "lacking", refused=why == "refused")) == [advice]


# ---- before a batch -----------------------------------------------------------------------------


@pytest.fixture
def leaking(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A sandbox that a canary gets out of; holds a word for each one sent."""
    sent: list[str] = []

    def canary_gets_out(*_: object) -> tuple[Breach, ...]:
        sent.append("sent")
        return (Breach(kind="tcp"), Breach(kind="read-file", detail="/a/token"))

    monkeypatch.setattr(canary, "canary", canary_gets_out)
    return sent


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_batch_is_not_graded_where_a_trial_job_gets_out(
    language: Language,
    leaking: list[str],
    write_notebook: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    files = [write_notebook("x = 1", name=name).name for name in ("a.ipynb", "b.ipynb")]
    Path("kept.txt").write_text("kept")
    options = ("--exercise", "minimise_parabola", "--output", "kept.txt", "--language", language)
    done = CliRunner().invoke(app, ["check", *files, *options])
    assert (done.exit_code, done.stdout, leaking) == (3, "", ["sent"])
    told = [catalogue(language)["sandbox-leaks"].partition("{")[0], "TCP", "/a/token", "grader doctor"]
    assert all(word in done.stderr for word in told)
    assert done.stderr.count("\n") == 1
    assert Path("kept.txt").read_text() == "kept"


def test_one_file_needs_no_trial_and_neither_do_files_that_nothing_confines(
    leaking: list[str], write_notebook: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_notebook("x = 1", name="a.ipynb")
    command = ["check", "a.ipynb", "--exercise", "minimise_parabola"]
    assert CliRunner().invoke(app, command).exit_code == 1
    unsafe = [*command, "a.ipynb", "--unsafe-no-sandbox"]
    assert CliRunner().invoke(app, unsafe, env={"GRADER_SANDBOX": "none"}).exit_code == 1
    assert leaking == []


@pytest.mark.slow
def test_a_batch_is_graded_after_its_trial(write_notebook: Callable[..., Path], tmp_path: Path) -> None:
    for name in ("a.ipynb", "b.ipynb"):
        write_notebook("x = 1", name=name)
    done = grader("check", "a.ipynb", "b.ipynb", "--exercise", "minimise_parabola", "--format", "json",
                  "--unsafe-no-sandbox", folder=tmp_path)  # fmt: skip
    assert (done.code, done.err) == (1, "")
    assert [json.loads(line)["score"] is not None for line in done.out.splitlines()] == [True, True]
