"""The records of spellings, and how the gap of a frame is filled."""

import json
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tests.files import code, notebook
from tests.measure.corpus_records import Label
from tests.spellings.frames import MANUAL, MODULE, PARABOLA, QUADRATIC, SAMPLE, TEMPERATURE

EXERCISES = {
    SAMPLE: "backprop_per_sample",
    QUADRATIC: "backprop_quadratic",
    PARABOLA: "minimise_parabola",
    MANUAL: "manual_gradient",
    TEMPERATURE: "temperature",
    MODULE: "linear_module",
}


class Spelling(msgspec.Struct, frozen=True):
    """One submission: the words for it, its exercise, what is wrong with it (nothing: it is right) and what it says."""

    name: str
    exercise: str
    mistakes: tuple[str, ...]
    also_ok: tuple[str, ...]
    source: str

    def named(self, group: str) -> "Spelling":
        """The same under the name of its group, which tells it from those of the others."""
        name = f"{group} {self.exercise} {self.name}"
        return msgspec.structs.replace(self, name=re.sub(r"\W+", "_", name))

    def write(self, folder: Path) -> Label:
        """Put it into a folder: a notebook where it has cells, else a module."""
        cells = self.source.split("# %%")
        path = folder / f"{self.name}{'.ipynb' if len(cells) > 1 else '.py'}"
        if len(cells) > 1:
            path.write_text(json.dumps(notebook(*(code(f"#{cell}") for cell in cells))), "utf-8")
        else:
            path.write_text(self.source, "utf-8")
        return Label(
            path.name,
            self.exercise,
            not self.mistakes,
            self.name,
            self.mistakes,
            self.also_ok,
            ends_right=True,
        )


def fill(
    frame: str, mistakes: tuple[str, ...], table: Mapping[str, str], also_ok: tuple[str, ...] = ()
) -> list[Spelling]:
    """The spellings of a table: each text in the gap of a frame, or, where it is no step but a program, alone.

    A text may change what stands around the gap: `old => new` lines before its first `---`.
    """
    found = []
    for name, text in table.items():
        head, _, step = text.strip("\n").rpartition("---\n")
        source = frame
        for change in head.strip().split("\n") if head else ():
            old, new = (part.strip().replace("\\n", "\n") for part in change.split(" => "))
            assert old in source, (name, old)
            source = source.replace(old, new)
        gap = next(line for line in source.split("\n") if line.strip() == "...")
        body = textwrap.indent(textwrap.dedent(step), gap[: len(gap) - 3])
        found.append(
            Spelling(
                name,
                EXERCISES.get(frame, "linear_regression"),
                mistakes,
                also_ok,
                source.replace(gap, body.rstrip()),
            )
        )
    return found
