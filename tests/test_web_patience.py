"""Who keeps a service waiting, and who may look at what it remembers."""

import os
import socket
import time
from pathlib import Path

import pytest

from grader.gradebook.book import open_gradebook
from grader.kernel.pool import Kernels
from grader.web.patience import HEAD_SECONDS
from tests.web_running import Place, running


@pytest.mark.slow
@pytest.mark.parametrize(
    "said", [b"", b"GET / HTTP/1.1\r\nHost: ", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET / HT"]
)
def test_who_begins_a_request_and_does_not_go_on_keeps_no_connection(
    tmp_path: Path, kernels: Kernels, said: bytes
) -> None:
    if kernels.sandbox.tier == "none":
        pytest.skip("nothing isolates submissions here")
    with running(Place(tmp_path)) as service:
        host, port = service.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=2 * HEAD_SECONDS) as connection:
            connection.sendall(said)
            began = time.monotonic()
            while connection.recv(1000):
                pass
            assert time.monotonic() - began < HEAD_SECONDS + 5
            assert service.answers()


@pytest.mark.skipif(os.name == "nt", reason="files have no such modes there")
def test_a_database_is_for_ones_own_account_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with open_gradebook(str(tmp_path / "grades.db")) as book:
            book.begin("linear_regression", "here")
            modes = {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == {0o600}
