"""What cells printed and showed, taken over from nbclient's notebook as typed records within bounds.

It is the learner's process's own and may be anything. HTML, SVG and scripts are never taken; their plain text is.
"""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from grader.kernel.outputs import MALFORMED
from grader.model import Drawn, Output, Printed

MAX_CHARACTERS = 6_000
MAX_OUTPUTS = 20
MAX_IMAGE_BYTES = 300_000
# All cells together; whoever shows more than that shows the rest to nobody.
MAX_ALL_CHARACTERS = 60_000
MAX_ALL_IMAGE_BYTES = 1_000_000
# A small file can unfold into gigabytes of pixels.
MAX_PIXELS = 4_000
PNG_BEGINS = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
JPEG_BEGINS = b"\xff\xd8\xff"
# The markers of JPEG after which the size stands: start of frame, of any kind.
FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})


class _Room:
    """What may still be taken over."""

    def __init__(self) -> None:
        self.characters, self.image_bytes = MAX_ALL_CHARACTERS, MAX_ALL_IMAGE_BYTES

    def text(self, stream: Any, text: str, cut: int = 0) -> Printed:
        kept = text[: min(MAX_CHARACTERS, max(self.characters, 0))]
        self.characters -= len(kept)
        return Printed(stream=stream, text=kept, cut=cut + len(text) - len(kept))

    def holds(self, image: bytes) -> bool:
        if len(image) > min(MAX_IMAGE_BYTES, self.image_bytes):
            return False
        self.image_bytes -= len(image)
        return True


def displayed(notebook: Any) -> dict[int, tuple[Output, ...]]:
    """The outputs of each cell, by its number; cells without any are left out."""
    room = _Room()
    found = {number: tuple(_outputs(cell, room)) for number, cell in enumerate(notebook.cells, start=1)}
    return {number: outputs for number, outputs in found.items() if outputs}


def _outputs(cell: Any, room: _Room) -> Iterator[Output]:
    for output in _joined(cell.get("outputs", ()))[:MAX_OUTPUTS]:
        kind = output.get("output_type")
        if kind == "stream":
            stream = "stderr" if output.get("name") == "stderr" else "stdout"
            yield room.text(stream, _text(output.get("text")))
        elif kind == "error":
            yield room.text("error", f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}")
        elif kind in ("display_data", "execute_result") and isinstance(output.get("data"), dict):
            yield _shown(output["data"], room)
        elif kind == MALFORMED:
            yield Printed(stream=MALFORMED, text="")


def _joined(outputs: Any) -> list[dict[str, Any]]:
    """The outputs, what was printed to one stream without a break as one of them."""
    joined: list[dict[str, Any]] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output.get("output_type") == last.get("output_type") == "stream" and (
            output.get("name") == last.get("name")
        ):
            last["text"].append(_text(output.get("text")))
        elif output.get("output_type") == "stream":
            joined.append({**output, "text": [_text(output.get("text"))]})
        else:
            joined.append(output)
    return joined


def _shown(data: dict[str, Any], room: _Room) -> Output:
    text = _text(data.get("text/plain"))
    for format in ("png", "jpeg"):
        image = _image(data.get(f"image/{format}"))
        if image is not None and _fits(format, image) and room.holds(image):
            return Drawn(format="png" if format == "png" else "jpeg", data=image, text=text[:200])
    return room.text("result", text)


def _text(value: Any) -> str:
    """A text of nbformat: a string, or a list of them."""
    if isinstance(value, list | tuple):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _image(value: Any) -> bytes | None:
    encoded = _text(value)
    if not encoded or len(encoded) > 2 * MAX_IMAGE_BYTES:
        return None
    try:
        return base64.b64decode(encoded)
    except (binascii.Error, ValueError):
        return None


def _fits(format: str, image: bytes) -> bool:
    """Whether bytes begin as an image of a format does, and of an ordinary size."""
    size = _png_size(image) if format == "png" else _jpeg_size(image)
    return size is not None and all(0 < side <= MAX_PIXELS for side in size)


def _png_size(image: bytes) -> tuple[int, int] | None:
    if not image.startswith(PNG_BEGINS) or len(image) < len(PNG_BEGINS) + 8:
        return None
    width, height = (image[start : start + 4] for start in (len(PNG_BEGINS), len(PNG_BEGINS) + 4))
    return int.from_bytes(width), int.from_bytes(height)


def _jpeg_size(image: bytes) -> tuple[int, int] | None:
    """Walk over the segments to the start of the frame."""
    if not image.startswith(JPEG_BEGINS):
        return None
    at = 2
    while at + 9 <= len(image) and image[at] == JPEG_BEGINS[0]:
        if image[at + 1] in FRAMES:
            return int.from_bytes(image[at + 7 : at + 9]), int.from_bytes(image[at + 5 : at + 7])
        at += 2 + int.from_bytes(image[at + 2 : at + 4])
    return None
