"""How much longer a cold `grader check` takes than the same code as a plain script.

    python -m tests.measure.bench [--times 5]

Both are whole processes, run in turn so that a machine whose speed drifts slows both alike; medians count.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from grader.load import load

SAMPLE = Path(__file__).parents[1] / "corpus" / "linear_regression" / "s077.ipynb"
TARGET_SECONDS = 1.0


def seconds(command: Sequence[str]) -> float:
    """Wall-clock seconds of a command, which must not fail."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; the exit code says whether the target was met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args(arguments).times
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "plain.py"
        script.write_text("\n".join(cell.source for cell in load(SAMPLE).cells), "utf-8")
        plain = [sys.executable, str(script)]
        graded = [sys.executable, "-m", "grader", "check", str(SAMPLE), "--exercise", "linear_regression"]
        for command in (plain, graded):
            seconds(command)  # fills the caches of disk and byte code
        pairs = [(seconds(plain), seconds(graded)) for _ in range(times)]
    script_median = statistics.median(pair[0] for pair in pairs)
    check_median = statistics.median(pair[1] for pair in pairs)
    over = check_median - script_median
    out = sys.stdout
    out.write(f"plain script   {script_median:6.2f} s (median of {times})\n")
    out.write(f"grader check   {check_median:6.2f} s (median of {times})\n")
    out.write(f"over           {over:6.2f} s; target at most {TARGET_SECONDS:.1f} s; ")
    out.write(f"ratio {statistics.median(b / a for a, b in pairs):.2f}\n")
    return 0 if over <= TARGET_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
