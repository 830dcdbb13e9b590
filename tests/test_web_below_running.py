"""The real service below a path, behind a web server that keeps the path or takes it away."""

import json
import re
from pathlib import Path

import httpx
import pytest

from grader.kernel.pool import Kernels
from tests.proxy import in_front
from tests.test_jupyterlab import free_port
from tests.test_web_below import ROOT
from tests.test_web_service import REFERENCE
from tests.web_running import Place, csrf, running, until

pytestmark = pytest.mark.slow


def way(address: str) -> None:
    """A learner's, over HTTP, at the address that people are told."""
    with httpx.Client(follow_redirects=True, timeout=60, trust_env=False) as ann:
        front = ann.get(f"{address}/")
        style = re.search(r'rel="stylesheet" href="([^"]*)"', front.text)
        assert style is not None
        assert ann.get(front.url.join(style[1])).status_code == 200
        form = {"csrf": csrf(front.text), "code": "dl101", "name": "Ann"}
        assert "shown only now" in ann.post(f"{address}/enter", data=form).text
        assignment = ann.get(f"{address}/assignments/1").text
        upload = {"file": ("a.py", REFERENCE.read_bytes())}
        sent = ann.post(f"{address}/assignments/1/attempts", data={"csrf": csrf(assignment)}, files=upload)
        assert str(sent.url) == f"{address}/attempts/1"
        events = re.search(r'data-events="([^"]*)"', sent.text)
        if events is not None:  # else it is graded already
            with ann.stream("GET", sent.url.join(events[1])) as stream:
                told = [json.loads(line[6:]) for line in stream.iter_lines() if line]
            assert told[-1] == {"words": "Done.", "done": True}
        until(lambda: "10 / 10" in ann.get(sent.url).text)
        report = re.search(r'iframe sandbox src="([^"]*)"', ann.get(sent.url).text)
        assert report is not None
        assert "<bdi>a.py</bdi>" in ann.get(sent.url.join(report[1])).text
        assert ann.get(address).url.path == f"{ROOT}/course"
        keys = ann.get(f"{address}/lti/keys").json()
        assert keys["keys"]


@pytest.mark.parametrize("inner", [ROOT, ""], ids=["kept", "taken away"])
def test_a_web_server_may_keep_the_path_or_take_it_away(tmp_path: Path, kernels: Kernels, inner: str) -> None:
    if kernels.sandbox.tier == "none":
        pytest.skip("nothing isolates submissions here")
    place, port = Place(tmp_path), free_port()
    with in_front(f"http://127.0.0.1:{port}", outer=ROOT, inner=inner) as front:
        address = f"http://127.0.0.1:{front}{ROOT}"
        with running(place, "--url", address, port=port) as service:
            service.ready()
            way(address)
            assert httpx.get(f"http://127.0.0.1:{front}/course").status_code == 404
            assert service.answers()  # a monitor on this machine needs no path
