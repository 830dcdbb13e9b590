"""What a run leaves to no parent counts with it all the same, where no namespace holds it together."""

import pytest

from grader.errors import KernelFault
from grader.kernel.pool import Kernels
from grader.model import Limits, SandboxChoice
from grader.settings import Settings
from tests.sessions import ran

# Its parent and the parent's session are gone when it begins to compute.
ORPHAN = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True: pass
    os._exit(0)
os.wait()
time.sleep(3600)
"""


@pytest.mark.slow
@pytest.mark.parametrize("tier", ["landlock", "none"])
def test_an_orphan_uses_up_its_jobs_time(tier: SandboxChoice) -> None:
    limits = Limits(cpu_seconds=1.0, cell_seconds=60.0)
    with Kernels(Settings(sandbox=tier)) as kernels:
        try:
            kernels.sandbox  # noqa: B018 - waits until it is known
        except KernelFault as reason:
            pytest.skip(str(reason))
        with ran(kernels, ORPHAN, limits=limits) as kernel:
            assert [error.kind for error in kernel.run.errors] == ["cpu-limit"]
