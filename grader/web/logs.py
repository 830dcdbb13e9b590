"""The service's log: a line of JSON for each event, without names, addresses, codes or what was handed in."""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import TextIO

from grader.errors import GraderError
from grader.text import say


class Log:
    """Writes events, a line each. Threads may share one."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def say(self, event: str, **more: str | float | None) -> None:
        """Note that something happened."""
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **more}
        self._out.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._out.flush()

    def failed(self, event: str, error: BaseException) -> None:
        """Note that something failed: in words where it is told in words, else with the lines that it came from."""
        if isinstance(error, GraderError):
            self.say(event, error=error.text, message=say(error.text, "en", error.params))
        else:
            lines = "".join(traceback.format_exception(type(error), error, error.__traceback__, chain=False))
            self.say(event, error=type(error).__name__, trace=lines)


class Handler(logging.Handler):
    """Brings what a library logs into the service's log."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Note it."""
        if record.exc_info is not None and record.exc_info[1] is not None:
            self._log.failed(record.name, record.exc_info[1])
        else:
            self._log.say(record.name, level=record.levelname.lower(), message=record.getMessage())
