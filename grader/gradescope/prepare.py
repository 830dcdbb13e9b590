"""What `setup.sh` does last: makes once for all submissions what else each would make anew, and tells what was installed."""

import os
import sys

from grader.kernel.warm import font_folder


def main() -> int:
    """Make matplotlib's list of fonts, where the warm parent looks for it. PyTorch is imported to see that it can be."""
    folder = font_folder()
    if folder is not None:
        os.environ["MPLCONFIGDIR"] = folder
    import matplotlib.font_manager  # noqa: F401, PLC0415 - makes the list
    import torch  # noqa: PLC0415

    sys.stdout.write(f"PyTorch {torch.__version__}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
