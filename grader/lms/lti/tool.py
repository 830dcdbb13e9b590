"""The addresses of this service: where platforms send browsers, and which links are ours."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

# The paths below the service's own address.
LOGIN, LAUNCH, KEYS, REGISTER, EXERCISES = (
    "/lti/login",
    "/lti/launch",
    "/lti/keys",
    "/lti/register",
    "/lti/exercises/",
)
_SLUG = re.compile(r"[A-Za-z0-9_-]{1,100}")
# A path whose parts every browser, server and cookie takes as they are.
_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """The service as platforms know it. base: its address without a slash at the end, such as `https://grader.example.org`.

    It may lie below a path, as `https://hub.example.org/services/grader` does.
    """

    base: str
    name: str = "grader"

    def __post_init__(self) -> None:
        """Raise ValueError for an address that nothing can be appended to."""
        parts = urlsplit(self.base)
        whole = parts.scheme in {"http", "https"} and parts.hostname and not {"?", "#"} & set(self.base)
        if not whole or not _PATH.fullmatch(parts.path):
            raise ValueError(f"nothing can be appended to {self.base!r}")

    @property
    def login(self) -> str:
        """Where a login begins."""
        return self.base + LOGIN

    @property
    def launch(self) -> str:
        """Where tokens are posted to: the only redirect URI that is ever asked for."""
        return self.base + LAUNCH

    @property
    def keys(self) -> str:
        """Where our public keys are."""
        return self.base + KEYS

    def exercise(self, slug: str) -> str:
        """The link of an exercise."""
        return self.base + EXERCISES + slug

    def leads_here(self, target: str) -> bool:
        """Whether a link is one of ours, to the letter: the launch itself, or an exercise."""
        return target == self.launch or self.exercise_of(target) is not None

    def exercise_of(self, target: str) -> str | None:
        """The exercise that a link names; None for a link that names none. Whether there is such a one is not asked."""
        slug = target.removeprefix(self.base + EXERCISES)
        return slug if slug != target and _SLUG.fullmatch(slug) else None

    def exercise_meant(self, target: str, custom: Mapping[str, str]) -> str | None:
        """The exercise of a link: by its custom parameter, which a teacher's choice sets, else by its address; None for neither."""
        named = custom.get("exercise", "")
        return named if _SLUG.fullmatch(named) else self.exercise_of(target)
