"""A class in which half hand in what ends, floods or fools whoever runs it; each file is another one, to the byte."""

import json
from collections.abc import Iterator
from pathlib import Path

from tests.attacks.messages import EARLY, INSIDE
from tests.attacks.sandbox_forging import PATCH, WRONG
from tests.classes import SLUG
from tests.conftest import CORPUS

ORDERLY = ("s001.py", "s003.ipynb", "s008.py", "s007.py", "s012.ipynb")
HOSTILE = {
    "kills itself": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "kills its parents": "import os, signal\nfor pid in (os.getppid(), 1, -1):\n    try: os.kill(pid, signal.SIGKILL)\n    except OSError: pass",
    "eats memory": "hoard = []\nwhile True: hoard.append(bytearray(50_000_000))",
    "never ends": "while True: pass",
    "sleeps through signals": "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: time.sleep(9)",
    "forks": "import os, time\nfor _ in range(30):\n    try:\n        if os.fork() == 0: time.sleep(60)\n    except OSError: break",
    "starts threads": "import threading, time\nfor _ in range(300):\n    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    "floods": "while True: print('x' * 100_000)",
    "fills the disk": "with open('big', 'wb') as file:\n    while True: file.write(bytes(10_000_000))",
    "exits": "import sys\nsys.exit(0)",
    "exits at once": "import os\nos._exit(0)",
    "recurses": "import sys\nsys.setrecursionlimit(10**9)\ndef deeper(): return [deeper()]\ndeeper()",
    "aborts": "import os\nos.abort()",
    "forges": INSIDE + EARLY,
    "patches": WRONG + PATCH,
}
BROKEN = {
    "cut short": b'{"cells": [{"cell_type": "code", "sou',
    "no notebook": b'{"nbformat": 4, "cells": 7}',
    "no text": b"\x89PNG\r\n\x1a\n\xff\xfe",
    "nested": b"[" * 100_000,
}


def unruly_class(folder: Path, students: int) -> dict[str, str]:
    """Write a folder of as many submissions; gives of each student what kind theirs is."""
    folder.mkdir()
    kinds = list(_kinds())
    told = {}
    for number in range(students):
        kind, suffix, content = kinds[number % len(kinds)]
        (folder / f"s{number:03}{suffix}").write_bytes(_own(content, number, suffix))
        told[f"s{number:03}"] = kind
    return told


def _kinds() -> Iterator[tuple[str, str, bytes]]:
    """Kind, suffix and content; every other one is orderly."""
    orderly = [(name, Path(name).suffix, (CORPUS / SLUG / name).read_bytes()) for name in ORDERLY]
    hostile = [(kind, ".py", source.encode()) for kind, source in HOSTILE.items()]
    hostile += [(kind, ".py" if kind == "no text" else ".ipynb", content) for kind, content in BROKEN.items()]
    for number, one in enumerate(hostile):
        yield one
        yield orderly[number % len(orderly)]


def _own(content: bytes, number: int, suffix: str) -> bytes:
    """The content, made to differ from all others where nobody looks."""
    if suffix == ".py":
        return content + f"\n# {number}\n".encode()
    try:
        notebook = json.loads(content)
        notebook["metadata"]["own"] = number
    except (ValueError, KeyError, TypeError, RecursionError):
        return content + str(number).encode()
    return json.dumps(notebook).encode()
