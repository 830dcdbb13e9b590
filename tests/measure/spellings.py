"""Grades every spelling of `tests.spellings` as `tests.measure.corpus` grades a folder; its options may follow.

python -m tests.measure.spellings [--seeds 0]
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.measure import corpus
from tests.spellings import all_spellings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    with tempfile.TemporaryDirectory() as folder:
        labels = [one.write(Path(folder)) for one in all_spellings()]
        Path(folder, "labels.json").write_bytes(msgspec.json.encode(labels))
        return corpus.main(
            ["--folder", folder, "--seeds", "0", *(sys.argv[1:] if arguments is None else arguments)]
        )


if __name__ == "__main__":
    sys.exit(main())
