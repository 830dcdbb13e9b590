"""How long a browser may take to say what it wants: who begins a request and does not go on keeps no connection."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# Seconds from the first byte of a request, or from a connection without any, to the end of its headers.
HEAD_SECONDS = 20.0


class Patience(H11Protocol):
    """uvicorn's protocol, with an end to waiting for headers. What comes after them has an end of its own (`doors`)."""

    _waits: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has come, and has not said anything yet."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Something was said, perhaps all of a request's headers."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._go_on()
        elif self._waits is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever came has gone."""
        self._go_on()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._waits = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _go_on(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None
