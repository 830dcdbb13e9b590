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
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

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


def groups(solutions: Sequence[Solution], starter: Sequence[str] = ()) -> list[Group]:
    """The groups, the largest first. starter: the sources of its code cells."""
    by_student = {solution.student: solution for solution in solutions}
    firsts, pairs = _same_files(solutions)
    pairs += alike_pairs(firsts, starter)
    found = [_group(students, pairs, by_student) for students in _together(pairs)]
    return sorted(found, key=lambda group: (-len(group.students), group.students))


def alike_pairs(
    solutions: Sequence[Solution], starter: Sequence[str] = (), alike: float = ALIKE
) -> list[Pair]:
    """The pairs of different files that are alike, those that are most alike first."""
    rare = _rare([runs(solution.cells) for solution in solutions], runs(starter))
    found = []
    for one, other in _candidates(rare, alike):
        shared = len(rare[one] & rare[other])
        part = shared / min(len(rare[one]), len(rare[other]))
        if shared >= LEAST_SHARED and part >= alike:
            found.append(Pair(solutions[one].student, solutions[other].student, round(part, 3)))
    return sorted(found, key=lambda pair: (-pair.alike, pair.one, pair.other))


def runs(cells: Iterable[str]) -> frozenset[int]:
    """The runs of `RUN` normalised tokens that the cells have, as hashes."""
    words = [zlib.crc32(word.encode("utf-8", "backslashreplace")) for word in normalised(cells)]
    return frozenset(hash(tuple(words[at : at + RUN])) for at in range(len(words) - RUN + 1))


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


def _rare(all_runs: Sequence[frozenset[int]], given: frozenset[int]) -> list[frozenset[int]]:
    """Of each solution the runs that say something: neither given to all nor found by many."""
    counts = Counter(run for own in set(all_runs) for run in own)
    most = max(COMMON_LEAST, len(set(all_runs)) * COMMON_SHARE)
    common = given | {run for run, count in counts.items() if count > most}
    return [own - common for own in all_runs]


def _candidates(rare: Sequence[frozenset[int]], alike: float) -> Iterator[tuple[int, int]]:
    """The pairs that share enough of their sampled runs to be worth a closer look, found through who has each run."""
    sampled = [[run for run in own if run % SAMPLED == 0] for own in rare]
    owners: dict[int, list[int]] = defaultdict(list)
    for number, own in enumerate(sampled):
        for run in own:
            owners[run].append(number)
    counts: Counter[tuple[int, int]] = Counter()
    for having in owners.values():
        counts.update(_paired(having))
    for (one, other), count in counts.items():
        if count >= CLOSER_LOOK * alike * min(len(sampled[one]), len(sampled[other])):
            yield one, other


def _paired(having: list[int]) -> Iterator[tuple[int, int]]:
    if len(having) <= MANY:
        return combinations(having, 2)
    return ((one, other) for at, one in enumerate(having) for other in having[at + 1 : at + 1 + NEIGHBOURS])


def _same_files(solutions: Sequence[Solution]) -> tuple[list[Solution], list[Pair]]:
    """The first solution with each file, and pairs of it with the others that have the same."""
    first: dict[str, Solution] = {}
    pairs = []
    for solution in sorted(solutions):
        known = first.setdefault(solution.sha256, solution)
        if known is not solution:
            pairs.append(Pair(known.student, solution.student, 1.0))
    return list(first.values()), pairs


# ---- groups -------------------------------------------------------------------------------------


def _together(pairs: Sequence[Pair]) -> list[list[str]]:
    """The students that pairs connect, over several steps too."""
    group_of: dict[str, list[str]] = {}
    for pair in pairs:
        one, other = (group_of.setdefault(student, [student]) for student in (pair.one, pair.other))
        if one is not other:
            one += other
            group_of.update(dict.fromkeys(other, one))
    return [sorted(group) for group in {id(group): group for group in group_of.values()}.values()]


def _group(students: list[str], pairs: Sequence[Pair], by_student: Mapping[str, Solution]) -> Group:
    members = set(students)
    within = [pair for pair in pairs if pair.one in members]
    return Group(
        students=tuple(students),
        pairs=tuple(_spanning(within)),
        identical=len({by_student[student].sha256 for student in students}) == 1,
    )


def _spanning(pairs: Sequence[Pair]) -> Iterator[Pair]:
    """As many of the pairs as connect all of a group, those that are most alike before others."""
    reached: dict[str, set[str]] = {}
    for pair in sorted(pairs, key=lambda pair: -pair.alike):
        one, other = (reached.setdefault(student, {student}) for student in (pair.one, pair.other))
        if one is not other:
            one |= other
            reached.update(dict.fromkeys(other, one))
            yield pair
