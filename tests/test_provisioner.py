"""Kernels in the sandbox for any user of Jupyter's own managers and clients, through their public interface alone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from grader.kernel.provisioner import KernelSpecs
from grader.kernel.warm import Zygote, can_fork
from grader.model import Limits

pytestmark = pytest.mark.skipif(not can_fork(), reason="kernels cannot be forked here")

SECONDS = 120.0


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    """A warm parent."""
    with Zygote() as zygote:
        yield zygote


def manager() -> Any:
    """A stock manager, as the provisioner's docstring has it."""
    return AsyncKernelManager(kernel_name="grader-sandbox", kernel_spec_manager=KernelSpecs())


def notebook(*cells: str) -> Any:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])


def printed(executed: Any) -> list[str]:
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in executed.cells]


# ---- nbclient -----------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["the caller's", "its own"])
def test_nbclient_executes_a_notebook(whose: str, zygote: Zygote) -> None:
    km = manager()
    client = NotebookClient(notebook("a = 20", "import torch; print(a + int(torch.tensor(22)))"), km=km)
    executed = client.execute(cleanup_kc=True, **({"zygote": zygote} if whose == "the caller's" else {}))
    assert printed(executed) == ["", "42\n"]
    assert not km.has_kernel


def test_nbclient_executes_a_notebook_with_limits(zygote: Zygote) -> None:
    km = manager()
    client = NotebookClient(notebook("open('large', 'wb').write(bytes(5_000_000))"), km=km)
    with pytest.raises(CellExecutionError, match="OSError"):
        client.execute(zygote=zygote, limits=Limits(scratch_mb=3), cleanup_kc=True)


def test_nbclient_interrupts_a_cell_whose_time_is_over(zygote: Zygote) -> None:
    cells = notebook("while True: pass", "print('afterwards')")
    client = NotebookClient(cells, km=manager(), timeout=1, interrupt_on_timeout=True, allow_errors=True)
    executed = client.execute(zygote=zygote, cleanup_kc=True)
    assert executed.cells[0].outputs[0].ename == "KeyboardInterrupt"
    assert printed(executed)[1] == "afterwards\n"


def test_nbclient_sees_that_a_kernel_died(zygote: Zygote) -> None:
    from nbclient.exceptions import DeadKernelError

    client = NotebookClient(notebook("import os; os._exit(1)"), km=manager())
    with pytest.raises(DeadKernelError):
        client.execute(zygote=zygote, cleanup_kc=True)


# ---- Jupyter's manager and client -----------------------------------------------------------------


@contextlib.asynccontextmanager
async def started(**passed: Any) -> AsyncIterator[tuple[Any, Any]]:
    """A manager with a kernel, and a client with all its channels, as Jupyter has them."""
    km = manager()
    await km.start_kernel(**passed)
    kc = km.client()
    kc.start_channels()
    try:
        await kc.wait_for_ready(SECONDS)
        yield km, kc
    finally:
        kc.stop_channels()
        await km.shutdown_kernel(now=True)
        await km.provisioner.wait()  # on a busy machine Jupyter goes on without
    assert not km.has_kernel


def finished(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 2 * SECONDS))


async def told(kc: Any, code: str) -> str:
    """What running code prints."""
    shown: list[str] = []
    reply = await kc.execute_interactive(
        code, timeout=SECONDS, output_hook=lambda message: shown.append(message["content"].get("text", ""))
    )
    assert reply["content"]["status"] == "ok", reply["content"]
    return "".join(shown)


def test_the_heart_beats(zygote: Zygote) -> None:
    async def work() -> None:
        async with started(zygote=zygote) as (_, kc):
            for _ in range(int(SECONDS)):
                if kc.hb_channel.is_beating():
                    break
                await asyncio.sleep(0.1)
            assert kc.hb_channel.is_beating()
            assert await kc.is_alive()

    finished(work())


def test_input_is_asked_for_and_answered(zygote: Zygote) -> None:
    async def work() -> None:
        async with started(zygote=zygote) as (_, kc):
            asked = kc.execute("name = input('who? ')", allow_stdin=True)
            question = await kc.get_stdin_msg(timeout=SECONDS)
            assert question["content"]["prompt"] == "who? "
            kc.input("Ada")
            while (reply := await kc.get_shell_msg(timeout=SECONDS))["parent_header"]["msg_id"] != asked:
                pass
            assert reply["content"]["status"] == "ok"
            assert await told(kc, "print(name)") == "Ada\n"

    finished(work())


def test_a_running_cell_is_interrupted(zygote: Zygote) -> None:
    async def work() -> None:
        async with started(zygote=zygote) as (km, kc):
            # else what comes right after an error is aborted, as Jupyter has it
            asked = kc.execute("print('begun', flush=True)\nwhile True: pass", stop_on_error=False)
            while (await kc.get_iopub_msg(timeout=SECONDS))["content"].get("text") != "begun\n":
                pass
            await km.interrupt_kernel()
            while (reply := await kc.get_shell_msg(timeout=SECONDS))["parent_header"]["msg_id"] != asked:
                pass
            assert reply["content"]["ename"] == "KeyboardInterrupt"
            assert await told(kc, "print('goes on')") == "goes on\n"

    finished(work())


@pytest.mark.slow
@pytest.mark.parametrize("now", [True, False])
@pytest.mark.parametrize("whose", ["the caller's", "its own"])
def test_a_kernel_is_restarted_and_the_same_client_goes_on(whose: str, now: bool, zygote: Zygote) -> None:
    async def work() -> None:
        async with started(**({"zygote": zygote} if whose == "the caller's" else {})) as (km, kc):
            await told(kc, "kept = 1")
            parent = km.provisioner._zygote
            for _ in range(2):
                await km.restart_kernel(now=now)
                await kc.wait_for_ready(SECONDS)
                assert await told(kc, "print('kept' in globals())") == "False\n"
            assert km.provisioner._zygote is parent

    finished(work())


def test_a_kernel_that_is_shut_down_leaves_nothing(zygote: Zygote) -> None:
    async def work() -> None:
        km = manager()
        await km.start_kernel(zygote=zygote)
        folder = Path(km.ip).parent
        assert folder.is_dir()
        assert await km.is_alive()
        await km.shutdown_kernel()
        assert not await km.is_alive()
        assert not km.has_kernel
        assert not folder.exists()

    finished(work())
