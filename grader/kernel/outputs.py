"""nbclient's client with the length and number of what a run prints and displays bounded."""

from collections.abc import Callable
from typing import Any, Literal

from nbclient import NotebookClient

from grader.kernel.client import SIZE

Flood = Literal["output-limit", "message-limit"]


class BoundedClient(NotebookClient):  # type: ignore[misc]
    """Keeps outputs while there is room for them; calls `on_flood` for what is beyond, and drops it.

    Widgets are dropped always: their state is no part of a run, and has no bound.
    """

    output_left: int = 0
    messages_left: int = 0
    on_flood: Callable[[Flood], None]

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """Count a message of any kind; what says that a cell has ended always counts as heard."""
        if msg["msg_type"] not in ("status", "execute_input"):
            self.messages_left -= 1
            self.output_left -= msg.get(SIZE, 0)
            if self.messages_left < 0 or self.output_left < 0:
                self.on_flood("message-limit" if self.messages_left < 0 else "output-limit")
                return None
        return super().process_message(msg, cell, cell_index)

    def handle_comm_msg(self, outs: Any, msg: Any, cell_index: int) -> None:
        """Drop it."""
