"""How long each layer of the sandbox takes to put on, in a process forked for it."""

import json
import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

from grader.exercise import course_folder
from grader.kernel.ending import remove
from grader.kernel.sandbox import ceilings, filesystem, identity, landlock, namespaces, seccomp, tiers
from grader.kernel.sandbox.view import view_of_machine
from grader.model import Limits


def layers() -> dict[str, float]:
    """Milliseconds by layer, in the order in which the tier `namespaces` puts them on."""
    ours, theirs = os.pipe()
    scratch = tempfile.mkdtemp(prefix="grader-bench-")
    child = os.fork()
    if child == 0:
        try:
            _put_on(scratch, theirs)
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as said:
        result: dict[str, float] = json.loads(said.read())
    os.waitpid(child, 0)
    remove(scratch)
    return result


def _put_on(scratch: str, said: int) -> None:
    """In the child: go outside as a guardian, then fork and confine as a first process."""
    taken: dict[str, float] = {}

    def timed(name: str, work: Callable[..., Any], *arguments: object) -> Any:
        began = time.perf_counter()
        result = work(*arguments)
        taken[name] = (time.perf_counter() - began) * 1000
        return result

    grounds = tiers.Grounds("namespaces", view_of_machine(course_folder(None)))
    place = timed("folder", tiers.furnish, grounds, scratch, Limits())
    timed("namespaces", namespaces.enter)
    began = time.perf_counter()
    if os.fork():
        os.wait()
        return
    taken["fork"] = (time.perf_counter() - began) * 1000
    timed("file system", filesystem.build, grounds.view, place.limits.scratch_mb, place.uid, place.gid)
    ruleset = timed("Landlock, rules", landlock.prepare, tiers._rules(grounds, place))
    timed("identity", identity.become, place.uid, place.gid)
    timed("limits", ceilings.apply, place.limits)
    timed("Landlock, enforced", landlock.enforce, ruleset)
    timed("seccomp", seccomp.confine, seccomp.Profile(hosted=None))
    os.write(said, json.dumps(taken).encode())
    os._exit(0)
