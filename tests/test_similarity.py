"""Near-identical solutions are found however they are disguised, and right ones that nobody copied are not."""

import io
import keyword
import random
import tokenize
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.load import load
from grader.similarity import ALIKE, KEPT, Solution, alike_pairs, groups, normalised, runs
from tests.conftest import CORPUS
from tests.measure.similar import right_solutions, solution, starter_cells

RIGHT = right_solutions()
STARTERS = {slug: starter_cells(slug) for slug in RIGHT}
ALL = [(slug, one) for slug, solutions in RIGHT.items() for one in solutions]
NAMES = st.text("abcxyzäß数", min_size=1, max_size=8).filter(
    lambda name: name.isidentifier() and not keyword.iskeyword(name)
)


def renamed(source: str, prefix: str) -> str:
    """The source with each name of its own called otherwise; attributes, keywords and builtins stay."""
    tokens, before = [], ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        own = token.type == tokenize.NAME and before != "." and token.string not in {*KEPT, "self"}
        tokens.append((token.type, f"{prefix}_{token.string}" if own else token.string))
        before = token.string
    return tokenize.untokenize(tokens)


def disguised(source: str, prefix: str, seed: int) -> str:
    """Renamed, with comments and blank lines of its own."""
    chance, lines = random.Random(seed), list[str]()
    for line in renamed(source, prefix).split("\n"):
        if chance.random() < 0.3:
            lines += ["", f"# {chance.random()}"]
        lines.append(line)
    return "\n".join(lines)


@given(one=st.sampled_from(ALL), prefix=NAMES, seed=st.integers(0, 99))
@settings(deadline=None, max_examples=25)
def test_a_disguised_copy_stays_with_its_original(one: tuple[str, Solution], prefix: str, seed: int) -> None:
    slug, original = one
    copy = Solution("copy", tuple(disguised(cell, prefix, seed) for cell in original.cells), "other")
    assert runs(copy.cells) == runs(original.cells)
    found = groups([*RIGHT[slug], copy], STARTERS[slug])
    assert [(group.students, group.identical) for group in found] == [
        (tuple(sorted(["copy", original.student])), False)
    ]
    assert found[0].pairs[0].alike == 1.0


@pytest.mark.parametrize("slug", RIGHT)
def test_right_solutions_that_nobody_copied_are_not_grouped(slug: str) -> None:
    assert len(RIGHT[slug]) >= 4
    assert groups(RIGHT[slug], STARTERS[slug]) == []
    # … nor in the class of all who handed in that exercise; some wrong files there are others with one line changed
    files = sorted((CORPUS / slug).iterdir())
    everyone = [solution(f"{slug}/{path.name}", load(path)) for path in files]
    right = {one.student for one in RIGHT[slug]}
    pairs = alike_pairs(everyone, STARTERS[slug])
    assert [pair for pair in pairs if {pair.one, pair.other} <= right] == []


def test_identical_files_are_one_group_however_short_and_common() -> None:
    files = [Solution(f"s{n}", ("w = 1",), "same") for n in range(7)]
    other = Solution("other", ("w = 1 ",), "differs")
    (group,) = groups([*files, other])
    assert group.identical
    assert group.students == tuple(f"s{n}" for n in range(7))
    assert len(group.pairs) == 6


def test_what_most_of_the_class_has_or_was_given_is_no_sign() -> None:
    base = RIGHT["linear_regression"][0]
    own = [f"y{n} = torch.stack([a, b]).{'cos' if n % 2 else 'sin'}(); q += {n}" for n in range(3)]
    alike = [Solution(f"s{n}", (*base.cells, own[n % 3]), str(n)) for n in range(9)]
    assert groups(alike, base.cells) == []
    scattered = [Solution(one.student, one.cells, one.sha256) for one in RIGHT["linear_regression"]]
    assert groups([*scattered, *alike[:2]], base.cells) == []
    assert [group.students for group in groups([*scattered, *alike[:2]])] == [(base.student, "s0", "s1")]


def test_a_ring_of_copies_is_one_group_with_no_more_pairs_than_it_needs() -> None:
    solutions = RIGHT["linear_regression"]
    ring = [
        Solution(f"ring{n:02}", tuple(disguised(cell, f"v{n}", n) for cell in solutions[3].cells), f"ring{n}")
        for n in range(60)
    ]
    (group,) = groups([*solutions, *ring], STARTERS["linear_regression"])
    assert set(group.students) == {solutions[3].student, *(one.student for one in ring)}
    assert len(group.pairs) == len(group.students) - 1


@settings(deadline=None, max_examples=30)
@given(cells=st.lists(st.text(max_size=200), max_size=4))
def test_any_text_has_tokens(cells: list[str]) -> None:
    found = list(normalised(cells))
    assert all(isinstance(token, str) for token in found)
    assert runs(cells) == runs(tuple(cells))


def test_the_order_of_the_class_changes_nothing() -> None:
    slug = "linear_regression"
    copies = [Solution(f"copy{n}", (*RIGHT[slug][n].cells, "print(w)"), f"c{n}") for n in range(4)]
    everyone = [*RIGHT[slug], *copies]
    expected = groups(everyone, STARTERS[slug])
    assert len(expected) == 4
    random.Random(3).shuffle(everyone)
    assert groups(everyone, STARTERS[slug]) == expected


def test_the_threshold_is_what_was_measured() -> None:
    highest = max(
        pair.alike
        for slug, solutions in RIGHT.items()
        for pair in alike_pairs(solutions, STARTERS[slug], alike=0.0)
    )
    assert highest < ALIKE
    assert sum(1 for solutions in RIGHT.values() for _ in combinations(solutions, 2)) == 267
