"""What grades a batch: the processes of this machine, or a cluster."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from grader.errors import GraderError, UsageError
from grader.model import Language, Text
from grader.report.writer import say_aside
from grader.scheduler import Certificates

# So many more than there are workers are on their way, so that none of them waits.
AHEAD = 2


class Way(NamedTuple):
    """How a cluster may be spoken to. spoken: the language in which it is told what there is to know of it."""

    certificates: Certificates | None
    unencrypted: bool
    spoken: Language


@contextmanager
def opened(
    cluster: str | None, way: Way, jobs: int | None, warming: "partial[Any]"
) -> Iterator[tuple[Executor, Callable[[], int]]]:
    """What grades, and how many submissions may be under way. warming: what a worker of a cluster does first.

    Raises UsageError if the cluster cannot be reached.
    """
    if cluster is None:
        from grader.workers import Workers  # noqa: PLC0415 - one of the two is needed

        with Workers(jobs) as workers:
            yield workers, lambda: AHEAD * workers.jobs
    else:
        from grader.cluster import connected  # noqa: PLC0415 - as above

        with connected(cluster, way.certificates, jobs, unencrypted=way.unencrypted) as dask:
            for note in dask.notes():
                say_aside(note, way.spoken)
            try:
                with dask.warmed(warming.func, *warming.args):
                    yield dask, lambda: AHEAD * dask.workers
            except GraderError as error:
                if worker := error.params.get("worker"):
                    say_aside(Text(id="cluster-worker-says", params={"worker": str(worker)}), way.spoken)
                raise


def certificates(authority: Path | None, certificate: Path | None, key: Path | None) -> Certificates | None:
    """The three files for TLS. Raises UsageError if only some are named."""
    if authority is None or certificate is None or key is None:
        if authority or certificate or key:
            raise UsageError("certificates-incomplete")
        return None
    return Certificates(authority, certificate, key)
