"""What cells show, as it is taken over from a real kernel: text within bounds, and images that are what they say."""

import pytest

from grader.kernel.displayed import MAX_ALL_CHARACTERS, MAX_CHARACTERS, MAX_OUTPUTS
from grader.kernel.pool import Kernels
from grader.model import Drawn, Output, Printed
from tests.runs import run_cells

IMAGE = """
import base64, io
from IPython.display import publish_display_data
from PIL import Image
def shown(format, size=(3, 2), data=None):
    file = io.BytesIO()
    Image.new("RGB", size).save(file, format)
    encoded = base64.encodebytes(data(file.getvalue()) if data else file.getvalue()).decode()
    publish_display_data({f"image/{format}": encoded, "text/plain": "in words"})
"""


def outputs(kernels: Kernels, *sources: str) -> dict[int, tuple[Output, ...]]:
    return run_cells(kernels, sources).outputs


def test_what_is_printed_to_one_stream_is_one_output(kernels: Kernels) -> None:
    source = "import sys\nprint('a', flush=True)\nprint('b')\nprint('c', file=sys.stderr)\n'd'"
    found = outputs(kernels, "x = 1", source)
    assert list(found) == [2]
    assert [(one.stream, one.text) for one in found[2] if isinstance(one, Printed)] == [
        ("stdout", "a\nb\n"),
        ("stderr", "c\n"),
        ("result", "'d'"),
    ]


@pytest.mark.parametrize("format", ["png", "jpeg"])
def test_an_image_is_taken_over(kernels: Kernels, format: str) -> None:
    (image,) = outputs(kernels, IMAGE, f"shown({format!r})")[2]
    assert isinstance(image, Drawn)
    assert (image.format, image.text) == (format, "in words")
    assert image.data.startswith({"png": b"\x89PNG", "jpeg": b"\xff\xd8\xff"}[format])


@pytest.mark.parametrize(
    "call",
    [
        "shown('png', data=lambda image: b'<svg>' + image)",
        "shown('png', data=lambda image: image[:20])",
        "shown('png', (5000, 1))",
        "shown('jpeg', (1, 5000))",
        "shown('jpeg', data=lambda image: image[:3] + b'\\xff' * 20)",
        "shown('png', data=lambda image: image + bytes(400_000))",
        "publish_display_data({'image/png': 'no base64!', 'text/plain': 'in words'})",
        "publish_display_data({'image/svg+xml': '<svg/>', 'text/html': '<b>', 'text/plain': 'in words'})",
    ],
)
def test_what_is_no_ordinary_image_is_told_in_words(kernels: Kernels, call: str) -> None:
    assert outputs(kernels, IMAGE, call)[2] == (Printed(stream="result", text="in words"),)


def test_there_is_never_more_than_a_page_can_hold(kernels: Kernels) -> None:
    long = "print('x' * 100_000)"
    many = "for n in range(100): display(n)"
    found = outputs(kernels, *[long] * 15, many)
    printed = [one for cell in found.values() for one in cell if isinstance(one, Printed)]
    assert sum(len(one.text) for one in printed) <= MAX_ALL_CHARACTERS
    assert max(len(one.text) for one in printed) == MAX_CHARACTERS
    assert printed[0].cut == 100_001 - MAX_CHARACTERS
    assert len(found[16]) == MAX_OUTPUTS


@pytest.mark.parametrize(
    "data",
    [
        "{'text/html': 3}",
        "{'text/html': [1, {}], 'text/plain': 'in words'}",
        "{'text/plain': None}",
        "{3: 'x', 'image/png': {'a': 'b'}}",
    ],
)
def test_what_is_no_output_is_left_out_and_the_run_goes_on(kernels: Kernels, data: str) -> None:
    show = f"from IPython.display import publish_display_data\npublish_display_data({data})\nprint('on')"
    run = run_cells(kernels, [show, "print('and on')"])
    assert (run.errors, run.complete) == ((), True)
    assert run.outputs == {
        1: (Printed(stream="malformed", text=""), Printed(stream="stdout", text="on\n")),
        2: (Printed(stream="stdout", text="and on\n"),),
    }


@pytest.mark.parametrize(
    "data", ["[]", "3", "{}", "{'text/plain': 'x'}, metadata=3", "{'text/plain': 'x'}, transient=[3]"]
)
def test_display_data_of_any_form_does_not_end_a_run(kernels: Kernels, data: str) -> None:
    show = f"from IPython.display import publish_display_data\ntry:\n    publish_display_data({data})\nexcept Exception: pass"
    run = run_cells(kernels, [show, "print('on')"])
    assert (run.errors, run.complete) == ((), True)
    assert run.outputs[2] == (Printed(stream="stdout", text="on\n"),)
