"""A cluster as an executor: Dask distributed, whose schedulers run on SLURM, PBS, Kubernetes or a few machines by hand.

    dask scheduler --port 8786                           # on one machine
    dask worker tcp://…:8786 --nthreads 1 --nworkers 4   # on each; grader and the course are installed there

Each worker process grades one submission at a time, in kernels that its own warm parent confines. A worker that ends costs
nothing: the scheduler has another do its task.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from grader.errors import KernelFault, UsageError
from grader.model import Text
from grader.scheduler import CONNECT_SECONDS, Access, Certificates, access
from grader.workers import usable_cores

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local"
R = TypeVar("R")


class Cluster(Executor):
    """A connected cluster. Work is done by any of its workers."""

    def __init__(self, client: "Client", address: str, *, in_the_clear: bool = False) -> None:
        self._client, self._address, self._in_the_clear = client, address, in_the_clear
        self._executor = client.get_executor(pure=False)

    @property
    def workers(self) -> int:
        """How many tasks it does at a time, as far as is known now; more workers may come. Each does one, however many threads it has."""
        return max(1, len(self._client.nthreads()))

    def notes(self) -> list[Text]:
        """What whoever uses it should know."""
        notes = []
        if self._in_the_clear:
            notes.append(Text(id="cluster-is-in-the-clear", params={"address": self._address}))
        if not self._client.nthreads():
            notes.append(Text(id="cluster-without-workers", params={"address": self._address}))
        return notes

    def submit(self, work: Callable[..., R], /, *args: Any, **kwargs: Any) -> "Future[R]":
        """Have something done. Raises KernelFault if the scheduler is gone."""
        if self._client.status != "running":
            raise KernelFault("cluster-lost", address=self._address)
        future: Future[R] = self._executor.submit(work, *args, **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Forget what was asked for; the cluster goes on."""
        if self._client.status == "running":
            self._executor.shutdown(wait=wait and not cancel_futures)


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
    with ExitStack() as ends:
        if address == LOCAL:
            here = distributed.LocalCluster(
                n_workers=jobs or usable_cores(), threads_per_worker=1, dashboard_address=None
            )
            client = distributed.Client(ends.enter_context(here))
            yield Cluster(ends.enter_context(client), address)
            return
        way = access(address, certificates, unencrypted=unencrypted)
        client = ends.enter_context(_client(address, way))
        yield Cluster(client, address, in_the_clear=way.in_the_clear)


def _client(address: str, way: Access) -> "Client":
    from distributed import Client  # noqa: PLC0415 - as above

    try:
        return Client(address, security=way.security, timeout=CONNECT_SECONDS)
    except OSError as error:  # it answered a moment ago
        raise UsageError("cluster-unreachable", address=address, reason=str(error)) from None
