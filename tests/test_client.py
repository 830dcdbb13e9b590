"""The supervisor's end of a kernel's channels when the kernel's end breaks: what had arrived is heard, and no harm done."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq
from jupyter_client.session import Session

from grader.kernel.client import BoundedKernelClient

FRAMES = 7  # of a message of Jupyter's
SECONDS = 10.0


class Kernel:
    """The kernel's end of both channels, which says what it is told to and can be gone."""

    def __init__(self, folder: Path) -> None:
        self.context = zmq.Context()
        self.session = Session(key=b"secret")
        self.outputs, self.shell = self.context.socket(zmq.XPUB), self.context.socket(zmq.ROUTER)
        for number, channel in enumerate((self.outputs, self.shell), start=1):
            channel.bind(f"ipc://{folder}/k-{number}")

    def say(self, text: str) -> None:
        """Publish a message, when somebody has subscribed."""
        self.session.send(self.outputs, "stream", {"name": "stdout", "text": text}, ident=b"topic")

    def leave(self) -> None:
        """Be gone; what was said is sent first."""
        self.context.destroy(linger=int(SECONDS * 1000))


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    kernel = Kernel(tmp_path)
    yield kernel
    kernel.leave()


async def connected(kernel: Kernel, folder: Path) -> BoundedKernelClient:
    """A client that hears the kernel."""
    client = BoundedKernelClient(
        transport="ipc", ip=f"{folder}/k", iopub_port=1, shell_port=2, session=Session(key=b"secret")
    )
    client.output_characters = 1_000_000
    client.start_channels()
    await asyncio.to_thread(kernel.outputs.recv)  # its subscription
    return client


async def gone(client: BoundedKernelClient) -> None:
    """Wait until the client knows, and libzmq would."""
    await asyncio.wait_for(client.broken(), SECONDS)
    await asyncio.sleep(0.2)


def test_what_a_kernel_said_before_it_died_is_heard(kernel: Kernel, tmp_path: Path) -> None:
    async def story() -> dict[str, Any]:
        client = await connected(kernel, tmp_path)
        kernel.say("last words")
        await asyncio.to_thread(kernel.leave)
        await gone(client)
        message: dict[str, Any] = await client.iopub_channel.get_msg(timeout=SECONDS)
        client.stop_channels()
        return message

    assert asyncio.run(story())["content"]["text"] == "last words"


def test_a_kernel_that_dies_while_its_message_is_taken_ends_only_itself(
    kernel: Kernel, tmp_path: Path
) -> None:
    async def story() -> list[bytes]:
        client = await connected(kernel, tmp_path)
        kernel.say("last words")
        frames = [await client.iopub_channel.socket.recv()]
        await asyncio.to_thread(kernel.leave)
        await gone(client)
        frames += [await client.iopub_channel.socket.recv() for _ in range(FRAMES - 1)]
        client.stop_channels()
        return frames

    assert b"last words" in asyncio.run(story())[-1]
