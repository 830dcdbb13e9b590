"""Groups of near-identical solutions: a hint to look, never a verdict.

A solution becomes its tokens, without comments and layout; strings and numbers are blanked, and of a name only how far back it
stood last is kept, so that renaming changes nothing. Keywords, builtins and attributes keep their names. What is compared are the
runs of `RUN` tokens; those of the starter, and those that more than a third of the class has, are no sign and are left out.
"""

import builtins
import io
import keyword
import re
import tokenize
import zlib
from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Measured on the corpus (`python -m tests.measure.similar`). Of 46 right files, in classes of 4 (one of 22), the two that are most
# alike have 0.855, sharing all but their loop; in classes of 12 and 111, with the wrong files, 0.79. Renamed and reformatted, a
# file has 1 with itself; with 1, 2, 3 or 4 lines changed at random, 87, 74, 43 and 22 of 100 are still found.
RUN = 8
ALIKE = 0.86
LEAST_SHARED = 20
# Of a class this small a third is one or two, who may well be the pair that is looked for.
COMMON_SHARE, COMMON_LEAST = 1 / 3, 4
MAX_TOKENS = 20_000
# One run in so many decides who is compared with whom; and a run that more than `MANY` solutions have counts only for its
# neighbours in the list of these: all pairs would take hours.
SAMPLED = 4
MANY, NEIGHBOURS = 12, 5
CLOSER_LOOK = 0.6
# Of a run's hash so much is kept: of two runs that differ, one in two thousand million pairs has the same.
MASK = 0x7FFF_FFFF
# Runs are counted in so many parts, one after the other.
PARTS = 16
KEPT = frozenset({*keyword.kwlist, *keyword.softkwlist, *builtins.__dict__})
LAYOUT = frozenset(
    {
        tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
        tokenize.ENDMARKER, tokenize.ENCODING, tokenize.TYPE_COMMENT,
    }
)  # fmt: skip
# What is read of a source that is no Python.
ROUGH = re.compile(
    r"#.*|(?P<string>\"[^\"\n]*\"?|'[^'\n]*'?)|(?P<number>\d[\w.]*)|(?P<name>[^\W\d]\w*)|[^\s\w]"
)

Runs = NDArray[np.int32]


class Solution(NamedTuple):
    """One student's code. cells: the sources of its code cells; sha256: of the file handed in."""

    student: str
    cells: tuple[str, ...]
    sha256: str


class Pair(NamedTuple):
    """Two solutions, and which part of the rarer runs of the shorter one is in both: 1 is all of it."""

    one: str
    other: str
    alike: float


class Group(NamedTuple):
    """Students whose solutions are near-identical: each but the first is in a pair with the one that it is most like.

    identical: all have the same file, to the byte.
    """

    students: tuple[str, ...]
    pairs: tuple[Pair, ...]
    identical: bool


def groups(solutions: Iterable[Solution], starter: Sequence[str] = ()) -> list[Group]:
    """The groups, the largest first. starter: the sources of its code cells. Each solution is looked at once, and not kept."""
    sketches = sorted(_sketches(solutions), key=lambda sketch: sketch.student)
    file_of = {sketch.student: sketch.sha256 for sketch in sketches}
    firsts, pairs = _same_files(sketches)
    students, all_runs = [sketch.student for sketch in firsts], [sketch.runs for sketch in firsts]
    del sketches, firsts  # the runs of a large class are large as well
    pairs += _alike(students, all_runs, starter, ALIKE)
    found = [_group(students, within, file_of) for students, within in _together(pairs)]
    return sorted(found, key=lambda group: (-len(group.students), group.students))


def alike_pairs(
    solutions: Sequence[Solution], starter: Sequence[str] = (), alike: float = ALIKE
) -> list[Pair]:
    """The pairs of different files that are alike, those that are most alike first."""
    students = [solution.student for solution in solutions]
    return _alike(students, [sketch.runs for sketch in _sketches(solutions)], starter, alike)


def runs(cells: Iterable[str]) -> frozenset[int]:
    """The runs of `RUN` normalised tokens that the cells have, as hashes."""
    words = [zlib.crc32(word.encode("utf-8", "backslashreplace")) for word in normalised(cells)]
    return frozenset(hash(tuple(words[at : at + RUN])) & MASK for at in range(len(words) - RUN + 1))


def normalised(cells: Iterable[str]) -> Iterator[str]:
    """The tokens of the cells as they are compared."""
    seen: dict[str, int] = {}
    before: tuple[str, str] = "", ""
    for at, (kind, text) in enumerate(token for cell in cells for token in _tokens(cell)):
        if at >= MAX_TOKENS:
            return
        attribute = before[1] == "." and before[0] != "self"
        if kind != "name" or attribute or text in KEPT:
            yield text
        else:
            back = at - seen.get(text, at)
            seen[text] = at
            yield f"name-{back if back < RUN else 0}"
        before = before[1], text


def normalised_line(line: str) -> tuple[str, ...]:
    """A line as it is compared with another: the same, whatever its names, numbers, strings and comments."""
    return tuple(normalised([line.strip()]))


# ---- tokens -------------------------------------------------------------------------------------


def _tokens(source: str) -> Iterator[tuple[str, str]]:
    """Kind and text of each token; strings and numbers are blanked."""
    try:
        found = [
            ("name" if token.type == tokenize.NAME else "", _blanked(token.type, token.string))
            for token in tokenize.generate_tokens(io.StringIO(source).readline)
            if token.type not in LAYOUT
        ]
    except (tokenize.TokenError, SyntaxError, ValueError):
        found = [
            (match.lastgroup or "", {"string": "''", "number": "0"}.get(match.lastgroup or "", match[0]))
            for match in ROUGH.finditer(source)
            if not match[0].startswith("#")
        ]
    yield from found


def _blanked(kind: int, text: str) -> str:
    return {tokenize.STRING: "''", tokenize.NUMBER: "0"}.get(kind, text)


# ---- pairs --------------------------------------------------------------------------------------


class _Sketch(NamedTuple):
    """What is kept of a solution: whose it is, the file's hash, and its runs, sorted, shape (n,)."""

    student: str
    sha256: str
    runs: Runs


def _sketches(solutions: Iterable[Solution]) -> Iterator[_Sketch]:
    of_file: dict[str, Runs] = {}
    for solution in solutions:
        if solution.sha256 not in of_file:
            of_file[solution.sha256] = _sorted(runs(solution.cells))
        yield _Sketch(solution.student, solution.sha256, of_file[solution.sha256])


def _sorted(found: frozenset[int]) -> Runs:
    return np.sort(np.fromiter(found, np.int32, len(found)))


def _alike(students: Sequence[str], all_runs: list[Runs], starter: Sequence[str], alike: float) -> list[Pair]:
    """The pairs, of whom each has the runs at the same place. The list is used up: the runs that say nothing are taken out."""
    _leave_rare(all_runs, _sorted(runs(starter)))
    rare, found = all_runs, []
    for one, other in _candidates(rare, alike):
        shared = int(_among(rare[one], rare[other]).sum())
        part = shared / min(rare[one].size, rare[other].size)
        if shared >= LEAST_SHARED and part >= alike:
            found.append(Pair(students[one], students[other], round(part, 3)))
    return sorted(found, key=lambda pair: (-pair.alike, pair.one, pair.other))


def _leave_rare(all_runs: list[Runs], given: Runs) -> None:
    """Leave of each solution the runs that say something: neither given to all nor found by many."""
    different = {hash(own.tobytes()): own for own in all_runs}.values()
    most = max(COMMON_LEAST, len(different) * COMMON_SHARE)
    found_by_many = [run[count > most] for run, count in _counted(different)]
    common = np.unique(np.concatenate([given, *found_by_many]))
    del different
    for number, own in enumerate(all_runs):
        all_runs[number] = own[~_among(own, common)]


def _counted(all_runs: Collection[Runs]) -> Iterator[tuple[Runs, NDArray[np.intp]]]:
    """Every run and how many have it; a part of them at a time, since all at once take much memory."""
    for part in range(PARTS):
        having = [own[own // SAMPLED % PARTS == part] for own in all_runs]
        yield np.unique(_joined(having), return_counts=True)


def _among(own: Runs, others: Runs) -> NDArray[np.bool_]:
    """Which of some runs are among others, which are sorted."""
    if not others.size:
        return np.zeros(own.size, np.bool_)
    nearest = others[np.minimum(np.searchsorted(others, own), others.size - 1)]
    return np.equal(nearest, own)


def _joined(parts: Sequence[Runs]) -> Runs:
    return np.concatenate(parts) if parts else np.empty(0, np.int32)


def _candidates(rare: Sequence[Runs], alike: float) -> Iterator[tuple[int, int]]:
    """The pairs that share enough of their sampled runs to be worth a closer look, found through who has each run."""
    sampled = [own[own % SAMPLED == 0] for own in rare]
    shared = np.sort(_joined([run[count > 1] for run, count in _counted(sampled)]))
    owners: dict[int, array[int]] = defaultdict(lambda: array("i"))
    having: list[Runs] = []
    for number, own in enumerate(sampled):
        having.append(own[_among(own, shared)])
        for run in having[-1].tolist():
            owners[run].append(number)
    for one, own_runs in enumerate(having):
        counts = Counter(other for run in own_runs.tolist() for other in _later(owners[run], one))
        for other, count in counts.items():
            if count >= CLOSER_LOOK * alike * min(sampled[one].size, sampled[other].size):
                yield one, other


def _later(owners: "array[int]", one: int) -> "array[int]":
    """Those with whom an owner of a run is paired, among the ones after it."""
    start = bisect_right(owners, one)
    return owners[start:] if len(owners) <= MANY else owners[start : start + NEIGHBOURS]


def _same_files(sketches: Sequence[_Sketch]) -> tuple[list[_Sketch], list[Pair]]:
    """The first solution with each file, and pairs of it with the others that have the same."""
    first: dict[str, _Sketch] = {}
    pairs = []
    for sketch in sketches:
        known = first.setdefault(sketch.sha256, sketch)
        if known is not sketch:
            pairs.append(Pair(known.student, sketch.student, 1.0))
    return list(first.values()), pairs


# ---- groups -------------------------------------------------------------------------------------


class _Circles:
    """Students, and who is connected with whom, over several steps too."""

    def __init__(self) -> None:
        self.of: dict[str, list[str]] = {}

    def join(self, pair: Pair) -> bool:
        """Connect two; whether they were not yet. The smaller circle goes into the larger one."""
        one, other = (self.of.setdefault(student, [student]) for student in (pair.one, pair.other))
        if one is other:
            return False
        small, large = sorted((one, other), key=len)
        large += small
        self.of.update(dict.fromkeys(small, large))
        return True


def _together(pairs: Sequence[Pair]) -> Iterator[tuple[list[str], list[Pair]]]:
    """The students that pairs connect, with these pairs."""
    circles = _Circles()
    for pair in pairs:
        circles.join(pair)
    within: dict[int, list[Pair]] = defaultdict(list)
    for pair in pairs:
        within[id(circles.of[pair.one])].append(pair)
    for own in within.values():
        yield sorted(circles.of[own[0].one]), own


def _group(students: list[str], within: Sequence[Pair], file_of: Mapping[str, str]) -> Group:
    circles = _Circles()
    return Group(
        students=tuple(students),
        pairs=tuple(pair for pair in sorted(within, key=lambda pair: -pair.alike) if circles.join(pair)),
        identical=len({file_of[student] for student in students}) == 1,
    )
