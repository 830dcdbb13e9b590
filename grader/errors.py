"""Everything that grader raises on purpose.

    GraderError                 something the person at the keyboard can act on
    ├── UsageError              the request itself: no such exercise, a setting of the wrong type
    ├── UnreadableSubmission    the file handed in: missing, empty, no notebook, too large …
    ├── CourseError             the course folder: an exercise that is incomplete or malformed
    ├── GradebookError          the gradebook's database: it cannot be reached or written, or is another program's
    ├── LaunchRefused           a learner or teacher who comes from a learning platform in a way that is not let in
    ├── PlatformFault           a learning platform that cannot be reached, or answers otherwise than agreed
    └── KernelFault             our own machinery failed: the submission is ungradable, never a zero

Each carries the id of a text in the catalogue (`grader/text/`) and its parameters, so that the
message is written in the reader's language where it is shown.
"""

from functools import partial


class GraderError(Exception):
    """Base of all errors that are shown to people; `exit_code` is what the command line returns."""

    exit_code = 2

    def __init__(self, text: str, /, **params: object) -> None:
        """Keep the id of the text and its parameters; the words are chosen where they are shown."""
        super().__init__(text, params)
        self.text = text
        self.params = params

    def __reduce__(self) -> tuple[object, ...]:
        """So that it passes from one process to another."""
        return partial(type(self), **self.params), (self.text,)


class UsageError(GraderError):
    """The request cannot be carried out as asked."""


class UnreadableSubmission(GraderError):  # noqa: N818 - named for what it is, as the reports do
    """The file handed in is no notebook or module that can be run."""


class CourseError(GraderError):
    """An exercise of the course is incomplete or malformed."""


class GradebookError(GraderError):
    """The gradebook's database cannot be reached, read or written, or is none."""


class LaunchRefused(GraderError):  # noqa: N818 - named for what happens, not for what went wrong
    """What came from a learning platform is not let in; `status` is that of the page that says so: 400, 401 or 403."""

    def __init__(self, text: str, /, *, status: int, **params: object) -> None:
        """Keep the status beside the text; a sentence may name it, so it is a parameter too."""
        super().__init__(text, status=status, **params)
        self.status = status


class PlatformFault(GraderError):  # noqa: N818 - a fault of another's machine
    """A learning platform cannot be reached, or answers otherwise than agreed.

    retry: whether the same may work later; `after`: in how many seconds, where the platform said it.
    """

    def __init__(self, text: str, /, *, retry: bool, after: float | None = None, **params: object) -> None:
        """Keep beside the text whether trying again makes sense."""
        super().__init__(text, retry=retry, after=after, **params)
        self.retry = retry
        self.after = after


class KernelFault(GraderError):  # noqa: N818 - a fault of ours, told apart from learners' errors
    """The grader's own machinery failed; the submission cannot be graded and is not at fault."""

    exit_code = 3
