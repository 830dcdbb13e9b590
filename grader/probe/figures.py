"""Shows what a learner has drawn with matplotlib as Jupyter's inline backend does: at `plt.show()`, and at the end of a cell.

It is drawn in the run whose outputs are shown to a person; in others, figures are closed alike and never drawn, which takes time.
"""

import base64
import io
import sys
from typing import Any

from IPython.core.display_functions import publish_display_data

# A loop that shows a figure at each step would otherwise take the notebook's time.
MOST = 12
# Of a side, in pixels; more than that is not shown.
MOST_PIXELS = 4_000


class Figures:
    """The figures of one run. `left`: how many may still be drawn."""

    def __init__(self) -> None:
        self.left = 0

    def show(self) -> None:
        """Show the figures that are open, in the order in which they were opened, and close them."""
        pyplot: Any = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        for number in pyplot.get_fignums() if self.left > 0 else ():
            self._show(pyplot.figure(number))
        pyplot.close("all")

    def _show(self, figure: Any) -> None:
        if self.left <= 0 or max(figure.get_size_inches() * figure.dpi) > MOST_PIXELS:
            return
        self.left -= 1
        try:
            file = io.BytesIO()
            figure.savefig(file, format="png")  # as large as it is: a tight box grows with what lies outside
            encoded = base64.b64encode(file.getvalue()).decode()
            publish_display_data({"image/png": encoded, "text/plain": repr(figure)})
        except Exception:  # noqa: BLE001, S110 - what cannot be drawn is no error of the cell that was about to go on
            pass
