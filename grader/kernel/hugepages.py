"""Lays the memory of the warm parent out in huge pages, so that forking it costs a fraction.

A fork copies a table with an entry for every page in use, and its end clears it again: of a process that has
imported torch, 60 000 entries, and each job takes three forks. A huge page has one entry for 512 of them. A page that
a job writes is still copied alone.
"""

import ctypes
import re
from collections.abc import Iterator
from pathlib import Path

from grader.kernel.sandbox.system import libc

# linux/mman.h, since Linux 6.1; elsewhere the call fails, and memory stays as it is.
MADV_COLLAPSE = 25
HUGE = 2 * 1024 * 1024
# Private, writable, of no file. `[heap]` is what malloc grows.
ANONYMOUS = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0 *(\[heap\])?$", re.MULTILINE)


def use_huge_pages() -> int:
    """Collapse the pages of this process's own memory; returns how many huge ones they became: it saves time, and decides nothing."""
    madvise = libc().madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return sum(madvise(start, HUGE, MADV_COLLAPSE) == 0 for start in _candidates())


def _candidates() -> Iterator[int]:
    """Where a huge page could begin."""
    for first, last, _ in ANONYMOUS.findall(Path("/proc/self/maps").read_text("utf-8")):
        begins = -(-int(first, 16) // HUGE) * HUGE
        yield from range(begins, int(last, 16) - HUGE + 1, HUGE)
