"""Grades what waits in the queue, by the executor of a batch, in a thread of its own."""

import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import NamedTuple, Self

from grader import __version__
from grader.batch import Graded, Task, grade_many, warming
from grader.errors import GradebookError, GraderError, KernelFault
from grader.executors import Way, opened
from grader.exercise import course_folder, load_exercise, slugs
from grader.grade import ungradable
from grader.gradebook.records import Identity
from grader.model import Report
from grader.settings import Settings
from grader.web.identities import identified
from grader.web.logs import Log
from grader.web.metrics import Metrics
from grader.web.store import jobs, regrades, trials
from grader.web.store.records import Leased, Outcome
from grader.web.store.store import Store

# Seconds: how often the queue is looked at while nobody says that there is something; how long a job is one process's own, and how
# often it says that it still lives; the waits after a failure of the database or of a cluster.
LOOK, LEASE, SIGN_OF_LIFE = 1.0, 30.0, 10.0
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
# A job that so many processes took and none brought to its end may have ended them.
MOST_TRIES = 5


class Means(NamedTuple):
    """What is graded with: settings, a cluster or None for this machine, and how many submissions at a time."""

    settings: Settings
    way: Way
    cluster: str | None = None
    jobs: int | None = None
    isolated: bool = True


class Engine:
    """The queue's worker, while it is entered. `ready` says whether it can grade; `fault` why it gave up for good.

    On leaving, what is under way is finished and kept, and the rest stays queued.
    """

    def __init__(
        self, store: Store, means: Means, log: Log, metrics: Metrics, gave_up: Callable[[], None]
    ) -> None:
        self._store, self._means, self._log, self._metrics, self._gave_up = (
            store,
            means,
            log,
            metrics,
            gave_up,
        )
        self._owner = secrets.token_hex(8)
        self._news, self._ending = threading.Event(), threading.Event()
        self._waiting: dict[str, list[tuple[Leased, Identity]]] = {}
        self._threads = [
            threading.Thread(target=work, name=work.__name__.strip("_"))
            for work in (self._grade, self._stay_alive)
        ]
        self.ready = threading.Event()
        self.fault: GraderError | None = None
        self._has_been_ready = False

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._news.set()
        for thread in self._threads:
            thread.join()

    def wake(self) -> None:
        """Say that something was queued."""
        self._news.set()

    # ---- in its thread --------------------------------------------------------------------------

    def _grade(self) -> None:
        wait = FIRST_WAIT
        while not self._ending.is_set():
            try:
                self._with_executor()
            except GraderError as error:
                self._log.failed("engine-failed", error)
                if not self._has_been_ready and not isinstance(error, GradebookError):
                    self._give_up(error)
                    return
                wait = FIRST_WAIT if self.ready.is_set() else min(2 * wait, LONGEST_WAIT)
                self.ready.clear()
                self._ending.wait(wait)
            except BaseException as error:
                self._log.failed("engine-broken", error)
                self._give_up(KernelFault("engine-broken", reason=type(error).__name__))
                raise

    def _give_up(self, error: GraderError) -> None:
        self.ready.clear()
        self.fault = error
        self._gave_up()

    def _with_executor(self) -> None:
        """Grade until the end. Raises GraderError where that cannot go on; what was under way is given back.

        Where that could not be noted, nobody renews it under the name of before: others take it when its lease ends.
        """
        self._owner = secrets.token_hex(8)
        means, course = self._means, course_folder(self._means.settings.course)
        trial = warming(load_exercise(course, slugs(course)[0]), means.settings, isolated=means.isolated)
        try:
            with opened(means.cluster, means.way, means.jobs, trial) as (executor, at_once):
                executor.submit(
                    trial.func, *trial.args
                ).result()  # others' files are isolated here, or none is graded
                self._has_been_ready = True
                self.ready.set()
                self._log.say("engine-ready", at_once=at_once())
                while not self._ending.is_set():
                    self._news.wait(LOOK)
                    self._news.clear()
                    self._count_what_is_to()
                    self._until_empty(executor, at_once)
        finally:
            self._give_back()

    def _until_empty(self, executor: Executor, at_once: Callable[[], int]) -> None:
        tasks = _Asked(self._next)
        settings, stopping = self._means.settings, self._ending.is_set
        for graded in grade_many(
            tasks, executor, settings, at_once=at_once, stopping=stopping, ask_again=LOOK / 2
        ):
            self._take(graded)

    def _count_what_is_to(self) -> None:
        """Go on with regrades that were let count, by a process that was lost meanwhile."""
        while self._store.read(regrades.any_confirmed) and self._store.write(regrades.proceed):
            pass

    def _next(self) -> Task | None:
        """What is to be graded next; what is known by its content is done with at once."""
        while self._store.read(jobs.any_free):
            if (leased := self._store.write(jobs.lease, self._owner, LEASE)) is None:
                return None
            if (task := self._task(leased)) is not None:
                return task
        return None

    def _task(self, leased: Leased) -> Task | None:
        settings = self._means.settings
        try:
            if leased.tries > MOST_TRIES:
                raise KernelFault("job-lost", times=MOST_TRIES)
            exercise = load_exercise(course_folder(settings.course), leased.exercise)
            identity = identified(leased.sha256, exercise, settings)
            content = self._store.files.get(leased.sha256)
        except GraderError as error:
            self._log.failed("job-not-graded", error)
            report = ungradable(leased.file, leased.sha256, leased.exercise, error)
            nobody = Identity(
                sha256=leased.sha256,
                exercise=leased.exercise,
                exercise_version=0,
                grader_version=__version__,
                seed=settings.seed,
                conditions="",
            )
            self._finish(leased, Outcome(identity=nobody, report=report))
            return None
        if (known := self._known(leased, identity)) is not None:
            self._finish(leased, Outcome(identity=identity, report=known))
            return None
        key = f"{leased.exercise} {leased.sha256} {leased.file.rpartition('.')[2]}"
        if key in self._waiting:  # the same file of somebody else is under way
            self._waiting[key].append((leased, identity))
            return None
        self._waiting[key] = [(leased, identity)]
        return Task(
            key=key,
            name=leased.file,
            path=leased.file,
            content=content,
            exercise=leased.exercise,
            conditions=identity.conditions,
            isolated=self._means.isolated,
        )

    def _known(self, leased: Leased, identity: Identity) -> Report | None:
        """What is known of a content already; of one that is graded anew, by the same regrade."""
        if leased.regrade is not None:
            found = self._store.read(trials.found, leased.regrade, identity, leased.file)
            if found is not None or leased.anew:
                return found
        return self._store.book.known(identity)

    def _take(self, graded: Graded) -> None:
        """Keep a result, with all whose it is."""
        for leased, identity in self._waiting.pop(graded.key):
            outcome = Outcome(identity=identity, report=graded.report, problem=graded.problem)
            self._finish(leased, outcome)

    def _finish(self, leased: Leased, outcome: Outcome) -> None:
        self._store.write(jobs.finish, leased.job, self._owner, outcome)
        status = "unreadable" if outcome.report is None else outcome.report.status
        seconds = 0.0 if outcome.report is None else outcome.report.seconds
        self._metrics.graded(status, seconds)
        self._log.say("job-done", job=leased.job, exercise=leased.exercise, status=status)

    def _give_back(self) -> None:
        """What is not done any more is for others; where the database is away, the leases end by themselves."""
        self._waiting.clear()
        try:
            self._store.write(jobs.give_back, self._owner)
        except GradebookError as error:
            self._log.failed("jobs-not-given-back", error)

    def _stay_alive(self) -> None:
        """Renew the leases as long as the other thread has any."""
        grading = self._threads[0]
        while grading.is_alive():
            try:
                self._store.write(jobs.renew, self._owner, LEASE)
            except GradebookError as error:
                self._log.failed("leases-not-renewed", error)
            grading.join(SIGN_OF_LIFE)


class _Asked(Iterator[Task]):
    """Tasks as long as there are some; asked later, there may be more."""

    def __init__(self, following: Callable[[], Task | None]) -> None:
        self._following = following

    def __next__(self) -> Task:
        if (task := self._following()) is None:
            raise StopIteration
        return task
