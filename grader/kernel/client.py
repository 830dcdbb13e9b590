"""The supervisor's end of a kernel's channels, bounded: what comes out of a learner's process is not to be trusted.

No message is assembled that is longer than allowed, few wait in memory, a connection that was broken stays
broken, and there is no heartbeat: its thread would wait for ever on a kernel that answers with garbage. That a
kernel has died is the guardian's to say.
"""

import asyncio
from typing import Any

import zmq
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.connect import channel_socket_types

from grader.kernel.relay import Relay

# The longest answer to a request of the probe's: it holds values, of which each is bounded too.
ANSWER_BYTES = 64_000_000
# JSON writes a character in up to six bytes; most are written in one.
BYTES_PER_CHARACTER = 2
ENVELOPE_BYTES = 1_000_000
# Beyond what a run prints: that a cell begins and ends.
STATUS_BYTES = 10_000
# Members of arrays and objects in one message. Python takes up to seventy bytes for what JSON writes in three.
MOST_MEMBERS = 2_000_000
MOST_WAITING = {"iopub": 4, "shell": 4}
# A connection that is broken is not made again while a kernel lives. With -1, which says so, libzmq drops what has
# arrived as well, and aborts the process if that is a message of which it has handed out the first frame.
NEVER_AGAIN_MS = 86_400_000
SIZE = "bytes"


class BoundedChannel(AsyncZMQSocketChannel):  # type: ignore[misc]
    """A channel that says how long each message was, and lets others work between two messages."""

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """The next message; the event loop's timers run first, though a flood of messages were waiting."""
        await asyncio.sleep(0)
        message: dict[str, Any] = await super().get_msg(timeout)
        return message

    async def _recv(self, **kwargs: Any) -> dict[str, Any]:
        parts = await self.socket.recv_multipart(**kwargs)
        if sum(part.count(sign) for part in parts for sign in (b"[", b"{", b",")) > MOST_MEMBERS:
            raise ValueError("too many members")
        _, rest = self.session.feed_identities(parts)
        message: dict[str, Any] = self.session.deserialize(rest)
        message[SIZE] = sum(map(len, parts))
        return message


class BoundedKernelClient(AsyncKernelClient):  # type: ignore[misc]
    """A client with the two channels that a run needs, shell and iopub."""

    iopub_channel_class = shell_channel_class = BoundedChannel
    output_characters: int = 0
    _shell_channel: BoundedChannel | None
    _iopub_channel: BoundedChannel | None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._relays: dict[str, Relay] = {}

    def expect_answer(self, published: int = 0) -> None:
        """Let the kernel answer one request more, and publish so many characters beside its outputs."""
        if self._relays:
            self._relays["shell"].left = ANSWER_BYTES
            self._relays["iopub"].left += published * BYTES_PER_CHARACTER + STATUS_BYTES

    def start_channels(
        self,
        shell: bool = True,
        iopub: bool = True,
        stdin: bool = False,
        hb: bool = False,
        control: bool = False,
    ) -> None:
        """Connect."""
        super().start_channels(shell=shell, iopub=iopub, stdin=stdin, hb=hb, control=control)
        self.allow_stdin = False

    def stop_channels(self) -> None:
        """Close the channels that there are, and libzmq with them; they cannot be started again."""
        channels: tuple[BoundedChannel | None, ...] = (self._shell_channel, self._iopub_channel)
        for channel in channels:
            if channel is not None:
                channel.close()
        self._shell_channel = self._iopub_channel = None
        # Here, and not when the collector comes by, in whatever thread; and before a relay's end is closed.
        self.context.destroy(linger=0)
        while self._relays:
            self._relays.popitem()[1].close()

    async def broken(self) -> None:
        """Return when the kernel's end of a channel is gone, or closed since too much came; never without relays."""
        waits = [asyncio.create_task(relay.broken.wait()) for relay in self._relays.values()]
        try:
            await asyncio.wait(waits or [asyncio.Future()], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _create_connected_socket(self, channel: str, identity: bytes | None = None) -> Any:
        longest = ANSWER_BYTES
        if channel == "iopub":
            longest = self.output_characters * BYTES_PER_CHARACTER + ENVELOPE_BYTES
        bounded = self.context.socket(channel_socket_types[channel])
        bounded.linger = 0
        bounded.setsockopt(zmq.MAXMSGSIZE, longest)
        bounded.setsockopt(zmq.RCVHWM, MOST_WAITING[channel])
        if self.transport == "ipc":  # over TCP the kernel may not listen yet
            bounded.setsockopt(zmq.RECONNECT_IVL, NEVER_AGAIN_MS)
        if identity:
            bounded.identity = identity
        bounded.connect(self._relayed(channel, longest))
        return bounded

    def _relayed(self, channel: str, longest: int) -> str:
        """The address at which a channel's bytes are counted; a kernel that nothing confines needs no count."""
        url = str(self._make_url(channel))
        if self.transport != "ipc":
            return url
        kernel = url.removeprefix("ipc://")
        self._relays[channel] = Relay(kernel, f"{kernel}r", longest)
        return f"{url}r"
