"""Gradescope's container for real: `setup.sh` in a Python of its own, the tiers that may hold there, and its limits."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from grader.kernel.sandbox.identity import everyone_may_read
from tests.conftest import CORPUS, SAMPLE
from tests.containers import SLUG, Container, packed

pytestmark = pytest.mark.slow

WRONG = CORPUS / SLUG / "s012.py"
GROUPS = Path("/sys/fs/cgroup")
MEMORY_MB, PERIOD = 768, 100_000
PYTHONS = [
    f"{folder}/python3.{minor}" for folder in ("/usr/bin", "/usr/local/bin") for minor in (14, 13, 12, 11)
]
# A learner who knows where everything is.
LOOKS = """
import glob, os, signal, socket
seen = []
def look(what):
    try:
        seen.append(what())
    except Exception:
        pass
ROOT = {root!r}
for path in ("source/course/reference/linear_regression.py", "source/grader.toml", "submission", "results", "source"):
    look(lambda: open(f"{{ROOT}}/{{path}}").read())
    look(lambda: os.listdir(f"{{ROOT}}/{{path}}"))
look(lambda: open({site!r} + "/grader/checks.py").read())
for other in glob.glob("/proc/[0-9]*"):
    if int(other[6:]) not in (os.getpid(), os.getppid()):
        look(lambda: open(other + "/environ").read())
        look(lambda: os.listdir(other + "/fd"))
        look(lambda: os.kill(int(other[6:]), signal.SIGCONT))
look(lambda: open(f"{{ROOT}}/results/results.json", "w").write("{{}}"))
look(lambda: socket.create_connection(("127.0.0.1", 80), 1))
look(lambda: os.setuid(0))
print("uid is root's" if os.getuid() == 0 else "uid is another")
print("SEEN", len([one for one in seen if one]), seen)
"""


def readable_by_all(path: str) -> bool:
    return Path(path).exists() and everyone_may_read([path], along_the_way=True)


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    """An image as `setup.sh` builds it, where every user may read Python, as the sandbox needs it."""
    python = next(filter(readable_by_all, PYTHONS), None)
    if os.geteuid() != 0 or python is None:
        pytest.skip("needs root, and a Python that every user may read")
    folder = Path(tempfile.mkdtemp(prefix="container-"))
    folder.chmod(0o755)
    try:
        made = Container(folder / "autograder", folder / "venv")
        made.unpack(packed(folder, "--language", "en"))
        done = subprocess.run(
            ["sh", str(made.source / "setup.sh")],
            env=made.environment(AUTOGRADER_PYTHON=python),
            capture_output=True,
            text=True,
            timeout=570,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.splitlines()[-1].startswith("PyTorch ")
        yield made
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def half_a_core(memory_mb: int) -> Iterator[Path]:
    """A script that starts a command in a group with so much memory and half a core; as Docker would."""
    name = f"grader-test-{os.getpid()}"
    memory, cpu = GROUPS / "memory" / name, GROUPS / "cpu" / name
    try:
        memory.mkdir()
        cpu.mkdir()
        (memory / "memory.limit_in_bytes").write_text(str(memory_mb * 2**20))
        (cpu / "cpu.cfs_period_us").write_text(str(PERIOD))
        (cpu / "cpu.cfs_quota_us").write_text(str(PERIOD // 2))
    except OSError as error:
        pytest.skip(f"needs control groups, version 1: {error}")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "under")
        script.write_text(
            f'#!/bin/sh\necho $$ > {memory}/cgroup.procs\necho $$ > {cpu}/cgroup.procs\nexec "$@"\n'
        )
        script.chmod(0o755)
        yield script
    assert "\noom_kill 0" in (memory / "memory.oom_control").read_text()
    memory.rmdir()
    cpu.rmdir()


@pytest.mark.parametrize("tier", ["namespaces", "landlock", "user"])
def test_grades_in_every_tier_that_may_hold_there(container: Container, tier: str) -> None:
    container.settings(sandbox=tier)
    for path, score in ((SAMPLE, 10), (WRONG, 3)):
        found = container.run(path)
        assert (found.results.get("score"), found.tier) == (score, tier), found.err


@pytest.mark.parametrize("tier", ["namespaces", "landlock", "user"])
def test_a_submission_sees_nothing_of_what_is_root_s(container: Container, tier: str, tmp_path: Path) -> None:
    container.settings(sandbox=tier)
    (site,) = container.venv.glob("lib/python*/site-packages")
    cell = nbformat.v4.new_code_cell(LOOKS.format(root=str(container.root), site=str(site)))
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "looks.ipynb")
    page = tmp_path / "page.html"
    command = ["-m", "grader", "check", str(tmp_path / "looks.ipynb"), "--exercise", SLUG, "--format", "html"]
    subprocess.run(
        [str(container.venv / "bin" / "python"), "-P", *command, "--output", str(page)],
        cwd=container.source,
        env=container.environment(),
        check=False,
        timeout=120,
    )
    shown = page.read_text("utf-8")
    assert "uid is another" in shown
    assert "SEEN 0 []" in shown, shown[shown.index("uid is another") :][:2000]


def test_what_everybody_may_read_is_not_graded_beside(container: Container) -> None:
    """A container whose permissions were lost: nothing is graded, and nothing is a zero."""
    container.settings(sandbox="user")
    (site,) = container.venv.glob("lib/python*/site-packages")
    (site / "grader").chmod(0o755)
    try:
        found = container.run(SAMPLE)
    finally:
        (site / "grader").chmod(0o700)
    assert "score" not in found.results
    assert "everybody may read" in found.err


@pytest.mark.parametrize("tier", ["landlock", "user"])
def test_fits_into_768_mb_and_half_a_core(container: Container, tier: str, tmp_path: Path) -> None:
    container.settings(sandbox=tier)
    notebook = json.loads(SAMPLE.read_text("utf-8"))
    large = "import torch\nlarge = torch.ones(140 * 2**18)  # 140 MB"
    notebook["cells"].append(nbformat.v4.new_code_cell(large))
    (tmp_path / "large.ipynb").write_text(json.dumps(notebook))
    for path, score in ((tmp_path / "large.ipynb", 10), (WRONG, 3)):
        with half_a_core(MEMORY_MB) as under:
            found = container.run(path, under=(str(under),))
        assert (found.results.get("score"), found.tier) == (score, tier), found.err


def test_what_needs_more_memory_than_there_is_is_told_so(container: Container, tmp_path: Path) -> None:
    container.settings(sandbox="user")
    cell = nbformat.v4.new_code_cell("import torch\nlarge = torch.ones(600 * 2**18)")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "a.ipynb")
    with half_a_core(MEMORY_MB) as under:
        found = container.run(tmp_path / "a.ipynb", under=(str(under),))
    assert "needed more than the 448 MB" in found.results["output"]
