"""Everything that grader raises on purpose.

    GraderError                 something the person at the keyboard can act on
    ├── UsageError              the request itself: no such exercise, a setting of the wrong type
    ├── UnreadableSubmission    the file handed in: missing, empty, no notebook, too large …
    ├── CourseError             the course folder: an exercise that is incomplete or malformed
    ├── GradebookError          the gradebook's database: it cannot be reached or written, or is another program's
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


class KernelFault(GraderError):  # noqa: N818 - a fault of ours, told apart from learners' errors
    """The grader's own machinery failed; the submission cannot be graded and is not at fault."""

    exit_code = 3
