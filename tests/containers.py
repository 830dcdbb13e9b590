"""Gradescope's container, as far as it can be had here: an autograder's zip, unpacked as Gradescope does, in a folder of its own."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

from tests.command import SECONDS, environment, grader

SLUG = "linear_regression"


class Run(NamedTuple):
    """What became of a submission: the results, and what a teacher sees besides."""

    results: dict[str, Any]
    out: str
    err: str

    @property
    def tier(self) -> str | None:
        """How it was confined."""
        tier: str | None = self.results["extra_data"].get("sandbox")
        return tier


class Container:
    """Its folders below `root`, with the Python of `venv`."""

    def __init__(self, root: Path, venv: Path = Path(sys.prefix)) -> None:
        self.root, self.venv = root, venv

    @property
    def source(self) -> Path:
        return self.root / "source"

    @property
    def results(self) -> Path:
        return self.root / "results" / "results.json"

    def unpack(self, archive: Path) -> None:
        """Lay out the zip; what is to be executed may be."""
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist():
                path = Path(packed.extract(entry, self.source))
                path.chmod(entry.external_attr >> 16)

    def settings(self, **changed: str) -> None:
        """Change settings that are texts."""
        path = self.source / "grader.toml"
        kept = [line for line in path.read_text().splitlines() if line.split(" = ")[0] not in changed]
        path.write_text(
            "\n".join([*kept, *(f"{name} = {json.dumps(value)}" for name, value in changed.items())])
        )

    def environment(self, **variables: str) -> dict[str, str]:
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        own = {"AUTOGRADER_ROOT": str(self.root), "AUTOGRADER_VENV": str(self.venv)}
        kept = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
        return kept | pip | own | variables

    def run(self, *files: Path, under: tuple[str, ...] = ()) -> Run:
        """Hand files in and have them graded."""
        shutil.rmtree(self.root / "submission", ignore_errors=True)
        (self.root / "submission").mkdir()
        for path in files:
            shutil.copy(path, self.root / "submission")
        done = subprocess.run(
            [*under, str(self.source / "run_autograder")],
            cwd=self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return Run(json.loads(self.results.read_text("utf-8")), done.stdout, done.stderr)


def packed(folder: Path, *options: str) -> Path:
    """The zip that the command makes."""
    done = grader("gradescope", SLUG, *options, folder=folder)
    assert (done.code, done.err) == (0, "")
    return folder / f"{SLUG}-gradescope.zip"
