"""Any record of a type, made up by Hypothesis: every field, not only those that must be given."""

from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

# JSON's own numbers, and what databases take for a text.
NUMBERS: dict[type, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
}


def any_of(kind: Any, text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Values of a type as records have them, with such text in them."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return st.one_of(*(any_of(part, text) for part in parts))
    if origin is tuple:
        members = [any_of(part, text) for part in parts if part is not ...]
        return st.lists(*members, max_size=2).map(tuple) if ... in parts else st.tuples(*members)
    if origin is dict:
        return st.dictionaries(*(any_of(part, text) for part in parts), max_size=2)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = get_type_hints(kind)
        return st.builds(kind, **{name: any_of(hints[name], text) for name in kind.__struct_fields__})
    if origin is Literal:
        return st.sampled_from(parts)
    leaves: dict[Any, st.SearchStrategy[Any]] = {
        str: text,
        bool: st.booleans(),
        bytes: st.binary(max_size=9),
        NoneType: st.none(),
        **NUMBERS,
    }
    return leaves[kind]
