"""Runs Python in a process of its own that may take only so much memory and processor time."""

from pathlib import Path

from tests.command import Outcome, python

# Set after the imports, so that what is bounded is the work.
PRELUDE = """
import resource
from pathlib import Path
{imports}
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
"""
MEMORY_MB = 1_000
SECONDS = 60


def bounded(imports: str, code: str, folder: Path, *, megabytes: int = MEMORY_MB) -> Outcome:
    """Run `code` in a folder; the limits begin after `imports`."""
    prelude = PRELUDE.format(imports=imports, memory=megabytes * 1_000_000, seconds=SECONDS)
    return python("-c", prelude + code, folder=folder)
