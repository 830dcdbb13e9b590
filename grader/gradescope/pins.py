"""What grader stands on, in the versions that are installed here, as a constraints file for pip."""

from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

HEAD = "# What this autograder was made with.\n"


def constraints(name: str = "grader") -> str:
    """A line for each package that this one needs, directly or through others; what is not installed here is left open.

    Of a version only the public part is named: `2.13.0` is met by a build for CPUs, `2.13.0+cpu`, as well as by another.
    """
    found: dict[str, str] = {}
    waiting = [(name, frozenset[str]())]
    asked = set[tuple[str, frozenset[str]]]()
    while waiting:
        wanted = waiting.pop()
        if wanted in asked:
            continue
        asked.add(wanted)
        try:
            distribution = metadata.distribution(wanted[0])
        except metadata.PackageNotFoundError:
            continue
        found[canonicalize_name(wanted[0])] = Version(distribution.version).public
        waiting += _needs(distribution, wanted[1])
    found.pop(name, None)
    return HEAD + "".join(f"{package}=={version}\n" for package, version in sorted(found.items()))


def _needs(distribution: metadata.Distribution, extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    needed: list[tuple[str, frozenset[str]]] = []
    for line in distribution.requires or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            needed.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return needed
