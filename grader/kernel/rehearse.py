"""Tries each tier as a job would enter it, and finds the best that holds on this machine."""

import os
import secrets
import shutil
import tempfile

import msgspec

from grader.kernel import init
from grader.kernel.job import Ground, Opening
from grader.kernel.sandbox import bubblewrap, cgroup
from grader.kernel.sandbox.system import Unsupported
from grader.kernel.sandbox.tiers import Grounds, Held, finish, furnish, go_outside
from grader.model import Limits, SandboxChoice, Tier

CONFINING: tuple[Tier, ...] = ("namespaces", "bubblewrap", "landlock")
# What is tried for a choice that names no tier. `user` leaves open what everybody may read, so it has to be asked for.
TIERS: dict[str, tuple[Tier, ...]] = {"auto": (*CONFINING, "none"), "container": (*CONFINING, "user")}
MOST_BYTES = 8_192


def best(opening: Opening) -> Ground:
    """The strongest tier that holds here, or the one wanted. Raises Unsupported if that one is not to be had."""
    refused: dict[str, str] = {}
    for tier in _wanted(opening.wanted):
        try:
            return Ground(tier, attempt(tier, opening), refused)
        except Unsupported as error:
            refused[tier] = str(error)
    raise Unsupported("; ".join(refused.values()))


def _wanted(choice: SandboxChoice) -> tuple[Tier, ...]:
    return TIERS[choice] if choice == "auto" or choice == "container" else (choice,)  # noqa: PLR1714 - for mypy


def attempt(tier: Tier, opening: Opening) -> Held:
    """What would hold in a tier. Raises Unsupported if it is not to be had."""
    if tier == "none":
        return Held(("guardian",), {})
    if tier == "bubblewrap" and not opening.inside_bubblewrap:
        bubblewrap.attempt(opening.view)
        return Held((), {})  # known once inside
    held = _rehearse(Grounds(tier, opening.view))
    missing = dict(held.missing)
    layers = [*held.layers, "guardian"]
    try:
        cgroup.create(f"grader-try-{secrets.token_hex(8)}", 2**30, 64).remove()
        layers.append("cgroup")
    except Unsupported as error:
        missing["cgroup"] = str(error)
    return msgspec.structs.replace(held, layers=tuple(layers), missing=missing)


def _rehearse(grounds: Grounds) -> Held:
    """Confine a process that then ends. Raises Unsupported if the system forbids it, RuntimeError for a fault of ours."""
    status, status_end = os.pipe()
    scratch = tempfile.mkdtemp(prefix="grader-try-")
    actor = os.fork()
    if actor == 0:
        try:
            os.close(status)
            _act(grounds, scratch, status_end)
        finally:
            os._exit(1)
    os.close(status_end)
    try:
        with os.fdopen(status, "rb") as said:
            packet = said.read(MOST_BYTES)
        os.waitpid(actor, 0)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if not packet:
        raise Unsupported(f"{grounds.tier}: the attempt was killed")
    result = msgspec.json.decode(packet, type=init.Confined | init.Refusal)
    if isinstance(result, init.Refusal):
        raise Unsupported(result.reason) if result.by_system else RuntimeError(result.reason)
    return result.held


def _act(grounds: Grounds, scratch: str, status: int) -> None:
    """Play a guardian, then a first process, then a kernel that has nothing to do."""
    place = furnish(grounds, scratch, Limits())
    try:
        go_outside(grounds.tier)
    except (OSError, Unsupported) as error:
        os.write(status, msgspec.json.encode(init.Refusal(by_system=True, reason=str(error))))
        return
    alive, _alive_end = os.pipe()
    first = os.fork()
    if first == 0:
        try:
            os.close(_alive_end)
            held = init.confine_self(init.Start(grounds, place, status, alive))
            finish(grounds.tier, held)
        finally:
            os._exit(0)
    os.waitpid(first, 0)
