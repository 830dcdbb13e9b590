"""Stands between a kernel's socket and the supervisor's, and counts what comes out.

libzmq bounds the length of a frame and the number of whole messages that wait. A message may have frames without
end, though, and all of them are kept until the last has come; so a kernel's bytes are counted before libzmq has them.

Nor does libzmq learn that a kernel is gone: its end of the connection stays open until it has closed it itself, so
that what it does when a connection breaks never meets what it does when a socket is closed.
"""

import asyncio
import contextlib
import socket

CHUNK_BYTES = 65_536


class Relay:
    """One connection to a kernel. `left` bytes may still come out; beyond them the kernel's end is closed.

    `broken` is set when it is, whoever closed it.
    """

    def __init__(self, kernel: str, path: str, left: int) -> None:
        """Listen at `path` for the one client of the socket at `kernel`. Called in a running loop."""
        self.left = left
        self.broken = asyncio.Event()
        self._kernel = kernel
        self._loop = asyncio.get_running_loop()
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.setblocking(False)
        self._listening.bind(path)
        self._listening.listen(1)
        self._serving = self._loop.create_task(self._serve())

    def close(self) -> None:
        """End the connection, of which libzmq's end is closed."""
        self._serving.cancel()
        self._listening.close()

    async def _serve(self) -> None:
        with self._listening:
            client, _ = await self._loop.sock_accept(self._listening)
        with client:
            try:
                await self._pass_on(client)
            finally:
                self.broken.set()
            await asyncio.Event().wait()  # until it is closed

    async def _pass_on(self, client: socket.socket) -> None:
        with socket.socket(socket.AF_UNIX) as kernel, contextlib.suppress(OSError):
            kernel.setblocking(False)
            await self._loop.sock_connect(kernel, self._kernel)
            ways = [
                self._loop.create_task(way)
                for way in (self._copy(client, kernel), self._count(kernel, client))
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)

    async def _copy(self, source: socket.socket, target: socket.socket) -> None:
        while data := await self._loop.sock_recv(source, CHUNK_BYTES):
            await self._loop.sock_sendall(target, data)

    async def _count(self, source: socket.socket, target: socket.socket) -> None:
        while data := await self._loop.sock_recv(source, CHUNK_BYTES):
            self.left -= len(data)
            if self.left < 0:
                return
            await self._loop.sock_sendall(target, data)
