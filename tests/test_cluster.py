"""`grader batch --cluster`: real schedulers and workers, with certificates and without."""

import contextlib
import csv
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader import __version__
from grader.cluster import LOCAL, connected
from grader.errors import UsageError
from grader.exercise import PACKAGE, course_folder
from tests.classes import wait_for_results
from tests.clusters import OPENSSL, Files, scheduler, scheduler_process, signed, worker
from tests.command import Outcome, environment, grader
from tests.files import worded

RIGHT = (Path(__file__).parents[1] / "reference" / "minimise_parabola.py").read_text("utf-8")
WRONG = "def f(x): return x**2 + 2*x + 1\ndef derivative(x): return 2*x\n"
BATCH = ("batch", "class", "--exercise", "minimise_parabola", "--output", "grades", "--cluster")
NOBODY = "127.0.0.1:9"
SECRET = "of-nobody-else"

openssl = pytest.mark.skipif(shutil.which(OPENSSL) is None, reason="openssl makes the certificates")


@pytest.fixture
def class_of_two(tmp_path: Path) -> Path:
    """A folder with the submissions of two."""
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ana.py").write_text(RIGHT, "utf-8")
    (tmp_path / "class" / "wei.py").write_text(WRONG)
    return tmp_path


def scores(folder: Path) -> dict[str, float]:
    with (folder / "grades" / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["student"]: float(row["score"]) for row in csv.DictReader(file)}


def refused(done: Outcome, *words: str) -> None:
    """It ended as a request that cannot be carried out, in one line with these words."""
    assert done.code == 2, done.err
    assert all(word in done.err for word in words), done.err
    assert len(done.err.splitlines()) == 1, done.err


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("example.org:8786", "cluster-address"),
        ("https://example.org:8786", "cluster-address"),
        ("tls://example.org", "cluster-address"),
        ("tls://:8786", "cluster-address"),
        ("tls://example.org:port", "cluster-address"),
        (f"tls://{NOBODY}", "certificates-missing"),
        ("tcp://192.0.2.1:8786", "cluster-in-the-clear"),
        ("tcp://nowhere.invalid:8786", "cluster-unreachable"),
    ],
)
def test_an_address_that_will_not_do_is_named(address: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught, connected(address, None, None):
        pass
    assert all(address in sentence for sentence in worded(caught.value))


def test_nothing_is_sent_in_the_clear_unasked(class_of_two: Path) -> None:
    refused(
        grader(*BATCH, "tcp://192.0.2.1:8786", folder=class_of_two), "tcp://192.0.2.1:8786", "--unsafe-no-tls"
    )


@openssl
@pytest.mark.slow
def test_files_that_are_no_certificates_are_named(class_of_two: Path) -> None:
    ours, others = signed(class_of_two / "ours", "ours"), signed(class_of_two / "others", "others")
    for files in (
        ours._replace(authority=Path("missing.pem")),
        ours._replace(certificate=ours.key),
        ours._replace(key=others.key),
    ):
        done = grader(*BATCH, f"tls://{NOBODY}", *files.of_grader(), folder=class_of_two)
        refused(done, "cannot be used", *map(str, files))


@openssl
@pytest.mark.slow
def test_certificates_are_not_named_for_nothing(class_of_two: Path) -> None:
    files = signed(class_of_two, "ours").of_grader()
    refused(grader(*BATCH, f"tcp://{NOBODY}", *files, folder=class_of_two), "Write tls://")
    demanded = grader(
        *BATCH, f"tcp://{NOBODY}", folder=class_of_two, DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION="True"
    )
    refused(demanded, "Write tls://")


@contextlib.contextmanager
def stranger(words: bytes = b"") -> Iterator[str]:
    """Somebody who greets who calls with these words, and says no more; gives the address."""
    with socket.create_server(("127.0.0.1", 0)) as listening, contextlib.ExitStack() as calls:

        def answer() -> None:
            with contextlib.suppress(OSError):  # when the listener is closed
                while True:
                    call = calls.enter_context(listening.accept()[0])
                    call.sendall(words)

        answering = threading.Thread(target=answer)
        answering.start()
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            answering.join()


@pytest.mark.slow
def test_the_wait_for_a_scheduler_is_bounded(class_of_two: Path) -> None:
    refused(grader(*BATCH, f"tcp://{NOBODY}", folder=class_of_two), NOBODY, "Connection refused")
    with stranger() as address:
        refused(grader(*BATCH, f"tcp://{address}", folder=class_of_two), address, "Connection timed out")


@pytest.mark.parametrize("words", [b"SSH-2.0-OpenSSH\r\n", bytes(64), b"HTTP/1.0 200 OK\r\n\r\n"])
def test_whoever_else_answers_is_no_scheduler(words: bytes) -> None:
    with (
        stranger(words) as address,
        pytest.raises(UsageError, match="scheduler-unlike-dask"),
        connected(f"tcp://{address}", None, None),
    ):
        pass


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return signed(tmp_path_factory.mktemp("ours"), "ours")


@pytest.fixture(scope="module")
def encrypted(ours: Files, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler that speaks TLS."""
    with scheduler(tmp_path_factory.mktemp("tls"), "--protocol", "tls", *ours.of_dask()) as address:
        yield address


@openssl
@pytest.mark.slow
def test_a_class_is_graded_over_tls(class_of_two: Path, encrypted: str, ours: Files) -> None:
    with worker(class_of_two, encrypted, *ours.of_dask()):
        done = grader(*BATCH, encrypted, *ours.of_grader(), folder=class_of_two)
        assert done.code == 0, done.err
        first = scores(class_of_two)
        assert first["ana"] == 10 > first["wei"]
        configured = grader(
            *BATCH,
            encrypted,
            "--regrade",
            folder=class_of_two,
            DASK_DISTRIBUTED__COMM__TLS__CA_FILE=str(ours.authority),
            DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT=str(ours.certificate),
            DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY=str(ours.key),
        )
        assert configured.code == 0, configured.err
        assert "known from before" not in configured.err
        assert scores(class_of_two) == first


@openssl
@pytest.mark.slow
def test_without_the_right_certificate_nobody_comes_in(
    class_of_two: Path, encrypted: str, ours: Files, tmp_path: Path
) -> None:
    others = signed(tmp_path / "others", "others")
    refused(grader(*BATCH, encrypted, folder=class_of_two), encrypted, "needs a certificate")
    mixed = others._replace(authority=ours.authority)
    refused(grader(*BATCH, encrypted, *mixed.of_grader(), folder=class_of_two), "does not accept")
    mixed = ours._replace(authority=others.authority)
    refused(grader(*BATCH, encrypted, *mixed.of_grader(), folder=class_of_two), "is not signed by")
    plain = encrypted.replace("tls://", "tcp://")
    refused(grader(*BATCH, plain, folder=class_of_two), "write tls://")
    assert not (class_of_two / "grades" / "grades.csv").exists()


@openssl
@pytest.mark.slow
def test_a_scheduler_without_tls_is_told_from_one_with(class_of_two: Path, ours: Files) -> None:
    with scheduler(class_of_two) as address:
        plain = address.replace("tcp://", "tls://")
        done = grader(*BATCH, plain, *ours.of_grader(), folder=class_of_two)
    refused(done, "does not speak TLS")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler on this machine, in the clear."""
    with scheduler(tmp_path_factory.mktemp("plain")) as address:
        yield address


def elsewhere(folder: Path) -> Path:
    """A folder with another copy of grader in it, and the course that came with it."""
    copy = folder / "elsewhere" / "grader"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "course"))
    for part in ("exercises", "reference"):
        shutil.copytree(course_folder(None) / part, copy / "course" / part)
    return folder / "elsewhere"


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


@pytest.mark.slow
def test_a_worker_with_another_grader_is_noticed(class_of_two: Path, plain: str) -> None:
    other = elsewhere(class_of_two)
    changed(other / "grader" / "__init__.py", __version__, "0.0.9")
    with worker(class_of_two, plain, PYTHONPATH=str(other)):
        done = grader(*BATCH, plain, folder=class_of_two, GRADER_SECRET=SECRET)
    assert done.code == 3, done.err
    assert f"({socket.gethostname()}: grader 0.0.9). Install grader {__version__} where" in done.err
    assert "Traceback" not in done.err
    assert SECRET not in (class_of_two / "worker.log").read_text("utf-8")


@pytest.mark.slow
def test_a_worker_without_grader_is_noticed(class_of_two: Path, plain: str) -> None:
    (class_of_two / "elsewhere" / "grader").mkdir(parents=True)
    (class_of_two / "elsewhere" / "grader" / "__init__.py").write_text(f"__version__ = {__version__!r}")
    with worker(class_of_two, plain, PYTHONPATH=str(class_of_two / "elsewhere")):
        done = grader(*BATCH, plain, folder=class_of_two)
    assert done.code == 3, done.err
    assert "No module named 'grader.cluster'). Install grader" in done.err
    assert "Traceback" not in done.err


@pytest.mark.slow
def test_a_course_that_differs_on_a_worker_is_noticed(class_of_two: Path, plain: str) -> None:
    other = elsewhere(class_of_two)
    checks = other / "grader" / "course" / "exercises" / "minimise_parabola" / "checks.py"
    changed(checks, "import pytest", "import pytest  # of last year")
    with worker(class_of_two, plain, PYTHONPATH=str(other)):
        done = grader(*BATCH, plain, folder=class_of_two)
    assert done.code == 3, done.err
    assert f"The worker {socket.gethostname()} (tcp://127.0.0.1:" in done.err
    assert f"it has {checks.parent}" in done.err
    assert "Traceback" not in done.err


def begin(folder: Path, address: str) -> "subprocess.Popen[str]":
    """Start grading the class."""
    command = [sys.executable, "-m", "grader", *BATCH, address]
    return subprocess.Popen(command, cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_workers_may_come_later(class_of_two: Path, plain: str) -> None:
    with begin(class_of_two, plain) as begun:
        assert begun.stderr is not None
        assert "has no workers yet" in begun.stderr.readline()
        with worker(class_of_two, plain):
            _, said = begun.communicate(timeout=120)
    assert begun.returncode == 0, said
    assert scores(class_of_two)["ana"] == 10


@pytest.mark.slow
def test_a_scheduler_that_is_killed_ends_the_batch_and_no_result(class_of_two: Path) -> None:
    (class_of_two / "class" / "zoe.py").write_text(f"import time\ntime.sleep(5)\n{WRONG}")
    with (
        scheduler_process(class_of_two) as (address, process),
        worker(class_of_two, address),
        begin(class_of_two, address) as begun,
    ):
        wait_for_results(class_of_two, 2)
        process.kill()
        _, said = begun.communicate(timeout=60)
    assert begun.returncode == 3, said
    assert f"The scheduler at {address} is gone" in said
    assert "Traceback" not in said
    with scheduler(class_of_two) as address, worker(class_of_two, address):
        done = grader(*BATCH, address, folder=class_of_two)
    assert done.code == 0, done.err
    assert "2 known from before" in done.err


@pytest.mark.slow
def test_a_cluster_of_this_machine_needs_no_port_that_others_have() -> None:
    with contextlib.ExitStack() as taken:
        with contextlib.suppress(OSError):  # somebody else has it, which is as good
            taken.enter_context(socket.create_server(("", 8787)))
        with connected(LOCAL, None, 1) as cluster:
            assert cluster.workers == 1
