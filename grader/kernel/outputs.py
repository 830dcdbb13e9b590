"""nbclient's client with the length and number of what a run prints and displays bounded, and its form not relied upon."""

from collections.abc import Callable
from typing import Any, Final, Literal

from grader.jupyter import NotebookClient, NotebookNode
from grader.kernel.client import SIZE

Flood = Literal["output-limit", "message-limit"]
# The kind of an output that stands for one that is none of Jupyter's.
MALFORMED: Final = "malformed"
# Messages that the end of a cell depends on: one in another form is the end of the kernel.
OF_THE_RUN = ("status", "execute_input")


class BoundedClient(NotebookClient):  # type: ignore[misc]
    """Keeps outputs while there is room for them; calls `on_flood` for what is beyond, and drops it.

    Widgets are dropped always: their state is no part of a run, and has no bound.
    """

    output_left: int = 0
    messages_left: int = 0
    on_flood: Callable[[Flood], None]

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """Count a message of any kind; what says that a cell has ended always counts as heard.

        In the place of an output that is none, such as HTML that is a number, stands that it was malformed.
        """
        if msg["msg_type"] in OF_THE_RUN:
            return super().process_message(msg, cell, cell_index)
        self.messages_left -= 1
        self.output_left -= msg.get(SIZE, 0)
        if self.messages_left < 0 or self.output_left < 0:
            self.on_flood("message-limit" if self.messages_left < 0 else "output-limit")
            return None
        try:
            return super().process_message(msg, cell, cell_index)
        except Exception:  # noqa: BLE001 - the learner's process chose what is in it
            cell.outputs.append(NotebookNode(output_type=MALFORMED))
            return None

    def handle_comm_msg(self, outs: Any, msg: Any, cell_index: int) -> None:
        """Drop it."""
