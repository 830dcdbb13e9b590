"""The service as one that a real JupyterHub starts, behind the hub's own proxy.

`make slow` gets what this needs: JupyterHub, and its proxy from npm.
"""

import importlib.util
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from grader.kernel.pool import Kernels
from tests.command import environment
from tests.test_jupyterlab import free_port
from tests.test_report_html_browser import MODULES
from tests.test_web_below import ROOT
from tests.test_web_below_running import way
from tests.web_running import Place, until

PROXY = MODULES / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("jupyterhub") is None or not PROXY.exists(),
        reason="needs JupyterHub, and configurable-http-proxy in .npm",
    ),
]
# What the page on JupyterHub says, with ports and folders of a test's own.
CONFIGURATION = """
c.JupyterHub.bind_url = c.JupyterHub.public_url = {address!r}
c.JupyterHub.hub_port, c.ConfigurableHTTPProxy.api_url = {hub}, "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.command = ["node", {proxy!r}]
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.services = [
    {{
        "name": "grader",
        "url": "http://127.0.0.1:{service}",
        "command": {command!r},
        "cwd": {folder!r},
    }}
]
"""


@contextmanager
def hub(place: Place) -> Iterator[str]:
    """The hub's address, until the test is over."""
    address = f"http://127.0.0.1:{free_port()}/"
    command = [sys.executable, "-m", "grader", "serve", "--files", "files", *place.options]
    said = CONFIGURATION.format(
        address=address,
        hub=free_port(),
        api=free_port(),
        service=free_port(),
        proxy=str(PROXY),
        command=command,
        folder=str(place.folder),
    )
    (place.folder / "jupyterhub_config.py").write_text(said)
    with (
        (place.folder / "hub.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "jupyterhub"],
            cwd=place.folder,
            env=environment(),
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        ) as process,
    ):
        try:
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_a_hub_starts_the_service_and_leads_learners_to_it(tmp_path: Path, kernels: Kernels) -> None:
    if kernels.sandbox.tier == "none":
        pytest.skip("nothing isolates submissions here")
    place = Place(tmp_path)
    with hub(place) as address:
        service = f"{address.rstrip('/')}{ROOT}"
        until(lambda: ready(service))
        assert httpx.get(f"{address}hub/login", trust_env=False).status_code == 200
        way(service)
    log = [line for line in (tmp_path / "hub.log").read_text().splitlines() if line.startswith("{")]
    events = [json.loads(line)["event"] for line in log]
    assert {"service-begins", "job-done", "service-ends"} <= set(events)
    assert not any(event.endswith(("failed", "broken")) for event in events)
