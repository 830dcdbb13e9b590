"""Where the service is to be when JupyterHub starts it as one of its own, by what the hub says in the environment; and below a path."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.types import Scope

from grader.errors import UsageError

# Where nobody says anything.
HOST, PORT = "127.0.0.1", 8000


class Where(NamedTuple):
    """host, port: where to listen; url: under which address browsers come, None where that is not known."""

    host: str
    port: int
    url: str | None


def where(host: str | None, port: int | None, url: str | None, said: Mapping[str, str]) -> Where:
    """What was asked for goes first, then what the hub says. Raises UsageError where it does not say how people reach it.

    said: the environment. A learner's own server on the hub has some of these variables too, but is no service and has no such name.
    """
    listening = said.get("JUPYTERHUB_SERVICE_URL") if "JUPYTERHUB_SERVICE_NAME" in said else None
    if not listening:
        return Where(host or HOST, PORT if port is None else port, url)
    url = url or said.get("JUPYTERHUB_PUBLIC_URL")
    if not url:
        raise UsageError("service-hub-unsaid", prefix=said.get("JUPYTERHUB_SERVICE_PREFIX", "/"))
    parts = urlsplit(listening)
    return Where(host or parts.hostname or HOST, (parts.port or PORT) if port is None else port, url)


def below(root: str, scope: Scope) -> Scope:
    """A request as ASGI has it below a path, whether the web server in front kept that path or took it away."""
    path = scope["path"]
    if path == root or path.startswith(f"{root}/"):
        path = path.removeprefix(root)
    return {**scope, "root_path": root, "path": f"{root}{path or '/'}"}
