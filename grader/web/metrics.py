"""What a monitor asks for, in Prometheus's format: numbers about the service, none about a person."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.5, 1, 2, 5, 10, 20, 60)
REQUEST_SECONDS = (0.005, 0.02, 0.1, 0.5, 2, 10)


class Metrics:
    """Counters of one service, in a registry of their own. Threads may share them."""

    def __init__(self) -> None:
        self._registry = own = CollectorRegistry()
        self._requests = Counter(
            "grader_requests", "Requests answered.", ["method", "route", "status"], registry=own
        )
        self._answering = Histogram(
            "grader_request_seconds",
            "Seconds until an answer.",
            ["route"],
            buckets=REQUEST_SECONDS,
            registry=own,
        )
        self._received = Counter("grader_attempts_received", "Files taken in.", registry=own)
        self._graded = Counter("grader_attempts_graded", "Attempts graded.", ["status"], registry=own)
        self._seconds = Histogram(
            "grader_run_seconds", "Seconds that submissions' cells took.", buckets=SECONDS, registry=own
        )
        self._jobs = Gauge("grader_jobs", "Attempts that wait, and that are graded.", ["state"], registry=own)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(method, route, status).inc()
        self._answering.labels(route).observe(seconds)

    def received(self) -> None:
        """Count a file that was taken in."""
        self._received.inc()

    def graded(self, status: str, seconds: float) -> None:
        """Count an attempt that was graded."""
        self._graded.labels(status).inc()
        self._seconds.observe(seconds)

    def render(self, waiting: Callable[[], tuple[int, int]]) -> bytes:
        """All of them as text; `waiting`: how many jobs are queued and being done."""
        queued, leased = waiting()
        self._jobs.labels("queued").set(queued)
        self._jobs.labels("leased").set(leased)
        return generate_latest(self._registry)
