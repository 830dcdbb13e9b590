"""Runs the service: the pages in uvicorn, grading in a thread beside it, until it is told to stop."""

import contextlib
import gc
import ipaddress
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import FrameType
from typing import NamedTuple, TextIO
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from grader.errors import UsageError
from grader.lms.lti.tool import Tool
from grader.text import spoken_in
from grader.web.app import application
from grader.web.engine import Engine, Means
from grader.web.keeping import Keeper
from grader.web.logs import Handler, Log
from grader.web.metrics import Metrics
from grader.web.patience import Patience
from grader.web.platform import lti_at
from grader.web.rates import Rates
from grader.web.sending import Sender
from grader.web.service import Service
from grader.web.store.seals import Seal
from grader.web.store.store import Store

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
# Seconds: how long connections may go on once the service is to stop; what is graded then is finished after that.
PARTING = 5
WAITING_CONNECTIONS = 256
# What a shell says of a process that a signal ended, less the signal's number.
BY_SIGNAL = 128


class Place(NamedTuple):
    """Where the service listens; url: under which address browsers reach it, if not under that one.

    networks: in which learning platforms may be, beside the internet at large.
    """

    host: str
    port: int
    url: str | None = None
    networks: tuple[str, ...] = ()

    @property
    def hosts(self) -> frozenset[str]:
        """The names by which it may be asked. Raises UsageError where they cannot be known."""
        return LOCAL_NAMES if self.url is None else LOCAL_NAMES | {_host_of(self.url)}

    @property
    def secure(self) -> bool:
        """Whether browsers reach it by HTTPS."""
        return self.url is not None and urlsplit(self.url).scheme == "https"


class Keeping(NamedTuple):
    """How things are kept. days: for how long what was handed in is, None for ever; seal: by what our private keys are encrypted."""

    days: int | None
    seal: Seal


class _Server(uvicorn.Server):
    """uvicorn's, but for signals: they may come before it runs, and it would raise them again before what is being graded is finished."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """They are captured already."""
        yield


@contextlib.contextmanager
def _ended_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Take signals as a wish to end; a further one ends the process at once: what it holds, the next will take."""

    def heard(number: int, frame: FrameType | None) -> None:
        if not server.should_exit:
            server.handle_exit(number, frame)
        else:
            os._exit(BY_SIGNAL + number)

    before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def require_reachable(place: Place) -> None:
    """Raise UsageError where others can reach the service, and nobody said under which address, or that is malformed."""
    for network in place.networks:
        _require_network(network)
    if place.url is not None:
        _host_of(place.url)
    elif not _only_local(place.host):
        raise UsageError("service-needs-url", host=place.host)


def serve(  # noqa: PLR0913, PLR0917 - what a service is
    store: Store,
    means: Means,
    place: Place,
    out: TextIO,
    tell: Callable[[str], None],
    keeping: Keeping,
) -> None:
    """Serve until SIGINT or SIGTERM: then no more requests are taken, what is being graded is finished, and the rest stays queued.

    tell: hears the address, once it can be opened. Raises UsageError where the place cannot be had, and GraderError where this machine
    must not grade others' files.
    """
    log, metrics = Log(out), Metrics()

    def gave_up() -> None:
        server.should_exit = True

    engine = Engine(store, means, log, metrics, gave_up)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_logging(log))
        listening = stack.enter_context(_listening(place))
        address = _address(place, listening)
        lti = lti_at(address, store, place.networks, keeping.seal)
        lti.remembered.reseal()
        service = Service(
            store=store,
            settings=means.settings,
            log=log,
            metrics=metrics,
            rates=Rates(),
            queued=engine.wake,
            ready=engine.ready.is_set,
            ending=lambda: server.should_exit,
            reading=threading.Lock(),
            lti=lti,
            secure=place.secure,
        )
        server = _Server(_config(application(service, place.hosts)))
        stack.enter_context(_ended_by_signals(server))
        tell(address)
        log.say("service-begins", host=place.host, port=place.port)
        sender = Sender(store, lti, log, spoken_in(means.settings.language))
        gc.freeze()  # what is loaded by now stays, and need not be gone through again in the midst of a request
        with sender, Keeper(store, keeping.days, log), engine:
            server.run(sockets=[listening])
        log.say("service-ends")
    if engine.fault is not None:
        raise engine.fault


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Patience,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=PARTING,
    )


@contextlib.contextmanager
def _listening(place: Place) -> Iterator[socket.socket]:
    """A socket that listens. Raises UsageError where that cannot be had."""
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as opened:
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind((place.host, place.port))
            opened.listen(WAITING_CONNECTIONS)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UsageError("service-port-taken", host=place.host, port=place.port, reason=reason) from None
        yield opened


def _address(place: Place, listening: socket.socket) -> str:
    """What a browser is to be told."""
    if place.url is not None:
        return place.url
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def data_folder() -> Path:
    """Where the service keeps what it remembers, if nothing else is said."""
    from platformdirs import user_data_path  # noqa: PLC0415 - only then

    return user_data_path("grader", appauthor=False)


@contextlib.contextmanager
def _logging(log: Log) -> Iterator[None]:
    """What libraries log goes into the service's own log."""
    root, handler = logging.getLogger(), Handler(log)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


def _require_network(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        raise UsageError("network-malformed", text=text) from None


def _only_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _host_of(url: str) -> str:
    try:
        tool = Tool(base=url.rstrip("/"))
    except ValueError:
        raise UsageError("service-url-malformed", url=url) from None
    return urlsplit(tool.base).hostname or ""
