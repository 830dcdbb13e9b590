"""How a kernel is started: as a process of its own, with an environment and a folder of its own.

Registered with jupyter_client as `grader-process`. Nothing of the caller's environment reaches the
kernel but what is named here: a learner's code must not find tokens in it.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import platformdirs
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.provisioning import LocalProvisioner

NAME = "grader-process"
MEMORY_VARIABLE = "GRADER_KERNEL_MEMORY_MB"
PASSED_ON = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


class ProcessProvisioner(LocalProvisioner):  # type: ignore[misc]
    """Starts `grader.kernel.worker` in the folder given as `cwd`, which is also its home."""

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Replace the environment by the kernel's own."""
        kwargs["env"] = kernel_environment(Path(kwargs["cwd"]), kwargs.pop("memory_mb", 0))
        result: dict[str, Any] = await super().pre_launch(**kwargs)
        result["env"] = kwargs["env"]  # the base class merges in the caller's environment
        return result

    async def wait(self) -> int | None:
        """Wait for the process to end, without the base class's polling."""
        if self.process is None:
            return 0
        code = await asyncio.to_thread(self.process.wait)
        self.process = None
        return code


class WorkerSpecs(KernelSpecManager):  # type: ignore[misc]
    """Knows one kernel, ours, whatever name is asked for: a notebook's kernelspec name is ignored."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Describe the worker's command line; no kernel.json needs to be installed."""
        return KernelSpec(
            argv=[sys.executable, "-P", "-m", "grader.kernel.worker", "-f", "{connection_file}"],
            display_name="grader",
            language="python",
            metadata={"kernel_provisioner": {"provisioner_name": NAME}},
        )


def kernel_environment(home: Path, memory_mb: int) -> dict[str, str]:
    """The whole environment of a kernel whose home and temporary folder is `home`; 0 MB sets no limit."""
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {
        **passed,
        "HOME": str(home),
        "USERPROFILE": str(home),
        "TMPDIR": str(home),
        "IPYTHONDIR": str(home / ".ipython"),
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        MEMORY_VARIABLE: str(memory_mb),
        "MPLBACKEND": "agg",
        # matplotlib builds its font list here once; without it each kernel would spend a second on that.
        "MPLCONFIGDIR": platformdirs.user_cache_dir("grader-matplotlib", appauthor=False),
    }
