"""A cluster as an executor: Dask distributed, whose schedulers run on SLURM, PBS, Kubernetes or a few machines by hand.

    dask scheduler --port 8786                           # on one machine
    dask worker tcp://…:8786 --nthreads 1 --nworkers 4   # on each; grader and the course are installed there

Each worker process grades one submission at a time, in kernels that its own warm parent confines. A worker that ends costs
nothing: the scheduler has another do its task. One that comes gets no task before it is warm.
"""

import logging
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from grader import __version__
from grader.errors import GraderError, KernelFault, UsageError
from grader.model import Text
from grader.scheduler import CONNECT_SECONDS, Access, Certificates, access
from grader.workers import usable_cores

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local"
# Dask serves pages about a cluster: here to this machine alone, at a port that nobody else has.
PAGES = "127.0.0.1:0"
R = TypeVar("R")


class Cluster(Executor):
    """A connected cluster. Work is done by any of its workers."""

    def __init__(self, client: "Client", address: str, *, in_the_clear: bool = False) -> None:
        self._client, self._address, self._in_the_clear = client, address, in_the_clear
        self._executor = client.get_executor(pure=False)
        self._travelling = _travelling(__version__)

    @property
    def workers(self) -> int:
        """How many tasks it does at a time, as far as is known now; more workers may come. Each does one, however many threads it has.

        Raises KernelFault if the scheduler is gone.
        """
        return max(1, self._known())

    def _known(self) -> int:
        self._demand_scheduler()
        try:
            return len(self._client.nthreads())
        except OSError:
            raise self._lost() from None

    def _demand_scheduler(self) -> None:
        if self._client.status != "running":
            raise self._lost()

    def _lost(self) -> KernelFault:
        return KernelFault("cluster-lost", address=self._address)

    def notes(self) -> list[Text]:
        """What whoever uses it should know."""
        notes = []
        if self._in_the_clear:
            notes.append(Text(id="cluster-is-in-the-clear", params={"address": self._address}))
        if not self._known():
            notes.append(Text(id="cluster-without-workers", params={"address": self._address}))
        return notes

    @contextmanager
    def warmed(self, work: Callable[..., Any], *arguments: Any) -> Iterator[None]:
        """Have every worker that is there or comes do this once before it is given anything else.

        What is slow only the first time is done then: a worker that is lost meanwhile had no task that could be blamed for it.
        """
        plugin = _warm_plugin(_name(work), arguments)
        with suppress(OSError):  # of a worker that is lost meanwhile; all that come later know
            self._client.register_plugin(plugin)
        try:
            yield
        finally:
            if self._client.status == "running":
                with suppress(OSError, ValueError):  # as above, or another command has taken it away
                    self._client.unregister_worker_plugin(plugin.name)

    def submit(self, work: Callable[..., R], /, *args: Any, **kwargs: Any) -> "Future[R]":
        """Have a function of a module done, with plain values. Raises KernelFault if the scheduler is gone."""
        self._demand_scheduler()
        future: Future[R] = self._executor.submit(self._travelling, _name(work), *args, **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Forget what was asked for; the cluster goes on."""
        if self._client.status == "running":
            self._executor.shutdown(wait=wait and not cancel_futures)


def _name(work: Callable[..., Any]) -> str:
    return f"{work.__module__}:{work.__qualname__}"


def _warm_plugin(work: str, arguments: tuple[Any, ...]) -> Any:
    """What has a worker do `MODULE:NAME` before it takes tasks. It travels by its code, as below."""
    from distributed import WorkerPlugin  # noqa: PLC0415 - an extra

    class Warm(WorkerPlugin):  # type: ignore[misc]  # Dask publishes no types
        name = "grader-warm"

        async def setup(self, worker: Any) -> None:
            import asyncio  # noqa: PLC0415 - on the worker
            import contextlib  # noqa: PLC0415 - on the worker
            from pkgutil import resolve_name  # noqa: PLC0415 - on the worker

            with contextlib.suppress(Exception):  # where it fails, so will the first task, which can say why
                await asyncio.to_thread(resolve_name(work), *arguments)

    return Warm()


def _travelling(version: str) -> Callable[..., Any]:
    """What does something on a worker: `MODULE:NAME`, with these arguments.

    A function made inside of another travels by its code. One that travels by its name would end a worker that lacks the module,
    one worker after the other, while the command waits. Where grader is missing there or of another version, ImportError says so.
    """

    def do(name: str, /, *arguments: Any, **named: Any) -> Any:
        import socket  # noqa: PLC0415 - on the worker
        from pkgutil import resolve_name  # noqa: PLC0415 - on the worker

        try:
            there = resolve_name("grader:__version__")
            signed, work = resolve_name("grader.cluster:signed"), resolve_name(name)
        except (ImportError, AttributeError) as error:
            raise ImportError(f"{socket.gethostname()}: {error}") from None
        if there != version:
            raise ImportError(f"{socket.gethostname()}: grader {there}")
        return signed(work, *arguments, **named)

    return do


def signed(work: Callable[..., R], /, *args: Any, **kwargs: Any) -> R:
    """Do something on a worker, which puts its name to what it finds wrong."""
    try:
        return work(*args, **kwargs)
    except GraderError as error:
        from distributed import get_worker  # noqa: PLC0415 - an extra

        error.params["worker"] = f"{socket.gethostname()} ({get_worker().address})"
        raise


@contextmanager
def connected(
    address: str, certificates: Certificates | None, jobs: int | None, *, unencrypted: bool = False
) -> Iterator[Cluster]:
    """Connect to the scheduler at an address (`tls://…`, `tcp://…`), or make a cluster of this machine's processes (`local`).

    jobs: how many processes that one has; one for each core by default. unencrypted: whether to speak with another machine in
    the clear. Raises UsageError where Dask is not installed, or for what `grader.scheduler.access` finds.
    """
    try:
        import distributed  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise UsageError("cluster-not-installed") from None
    with _in_our_words(), ExitStack() as ends:
        if address == LOCAL:
            here = distributed.LocalCluster(
                n_workers=jobs or usable_cores(), threads_per_worker=1, dashboard_address=PAGES
            )
            client = distributed.Client(ends.enter_context(here))
            yield Cluster(ends.enter_context(client), address)
            return
        way = access(address, certificates, unencrypted=unencrypted)
        client = ends.enter_context(_client(address, way))
        yield Cluster(client, address, in_the_clear=way.in_the_clear)


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Dask's client writes pages about a scheduler that is gone; whoever uses it is told in one sentence."""
    log = logging.getLogger("distributed.client")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


def _client(address: str, way: Access) -> "Client":
    from distributed import Client  # noqa: PLC0415 - as above

    try:
        return Client(address, security=way.security, timeout=CONNECT_SECONDS)
    except OSError as error:  # it answered a moment ago
        raise UsageError("cluster-unreachable", address=address, reason=str(error)) from None
