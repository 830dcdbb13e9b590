"""nbclient's client with the size and number of what a run prints and displays bounded."""

from collections.abc import Callable
from typing import Any

from nbclient import NotebookClient


class BoundedClient(NotebookClient):  # type: ignore[misc]
    """Keeps outputs while there is room for them; calls `on_flood` or `on_many_messages` for what is beyond, and drops it."""

    output_left: int = 0
    messages_left: int = 0
    on_flood: Callable[[], None]
    on_many_messages: Callable[[], None]

    def output(self, outs: Any, msg: Any, display_id: Any, cell_index: int) -> Any:
        """Keep an output while there is room for it."""
        self.messages_left -= 1
        if self.messages_left < 0:
            self.on_many_messages()
            return None
        self.output_left -= sum(len(text) for text in _strings(msg["content"]))
        if self.output_left < 0:
            self.on_flood()
            return None
        return super().output(outs, msg, display_id, cell_index)


def _strings(content: Any) -> list[str]:
    if isinstance(content, str):
        return [content]
    if isinstance(content, dict):
        return [text for value in content.values() for text in _strings(value)]
    if isinstance(content, list):
        return [text for value in content for text in _strings(value)]
    return []
