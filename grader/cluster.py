"""A cluster as an executor: Dask distributed, whose schedulers run on SLURM, PBS, Kubernetes or a few machines by hand.

    dask scheduler --port 8786                           # on one machine
    dask worker tcp://…:8786 --nthreads 1 --nworkers 4   # on each; grader and the course are installed there

Each worker process grades one submission at a time, in kernels that its own warm parent confines. A worker that ends costs
nothing: the scheduler has another do its task. One that comes gets no task before it is warm.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from grader.errors import KernelFault, UsageError
from grader.workers import usable_cores

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local"
# Of the HTTP server that a scheduler has in any case: without one it would take Dask's own, which may be in use.
ANY_PORT = "127.0.0.1:0"
CONNECT_SECONDS = 10
R = TypeVar("R")


class Certificates(NamedTuple):
    """Files for TLS, in PEM: who is trusted, and this side's certificate and key."""

    authority: Path
    certificate: Path
    key: Path


class Cluster(Executor):
    """A connected cluster. Work is done by any of its workers."""

    def __init__(self, client: "Client", address: str) -> None:
        self._client, self._address = client, address
        self._executor = client.get_executor(pure=False)

    @property
    def workers(self) -> int:
        """How many tasks it does at a time, as far as is known now; more workers may come."""
        threads: int = sum(self._client.nthreads().values())
        return max(1, threads)

    @contextmanager
    def warmed(self, work: Callable[[], object]) -> Iterator[None]:
        """Have every worker that is there or comes do this once before it is given anything else.

        Raises UsageError if a worker does not know how.
        """
        from grader.cluster_worker import Warm  # noqa: PLC0415 - imports the extra

        try:
            with suppress(OSError):  # of a worker that is lost meanwhile; all that come later know
                self._client.register_plugin(Warm(work))
        except Exception as error:  # noqa: BLE001 - as such Dask passes on whatever a worker says that it lacks
            raise UsageError("cluster-without-grader", address=self._address, reason=str(error)) from None
        try:
            yield
        finally:
            if self._client.status == "running":
                with suppress(OSError, ValueError):  # as above, or another command has taken it away
                    self._client.unregister_worker_plugin(Warm.name)

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
def connected(address: str, certificates: Certificates | None, jobs: int | None) -> Iterator[Cluster]:
    """Connect to the scheduler at an address (`tcp://…`, `tls://…`), or make a cluster of this machine's processes (`local`).

    jobs: how many processes that one has; one for each core by default. Raises UsageError where Dask is not installed, a certificate
    cannot be read, or nobody answers at the address.
    """
    try:
        import distributed  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise UsageError("cluster-not-installed") from None
    with ExitStack() as ends:
        if address == LOCAL:
            scheduler = distributed.LocalCluster(
                n_workers=jobs or usable_cores(), threads_per_worker=1, dashboard_address=ANY_PORT
            )
            client = distributed.Client(ends.enter_context(scheduler))
        else:
            try:
                client = distributed.Client(
                    address, security=_security(certificates), timeout=CONNECT_SECONDS
                )
            except (OSError, ValueError, TypeError) as error:
                raise UsageError("cluster-unreachable", address=address, reason=str(error)) from None
        yield Cluster(ends.enter_context(client), address)


def _security(certificates: Certificates | None) -> Any:
    """What Dask takes for TLS; None for a connection in the clear."""
    if certificates is None:
        return None
    from distributed import Security  # noqa: PLC0415 - as above

    return Security(
        require_encryption=True,
        tls_ca_file=str(certificates.authority),
        tls_client_cert=str(certificates.certificate),
        tls_client_key=str(certificates.key),
    )
