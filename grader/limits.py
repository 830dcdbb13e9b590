"""Limits as they are chosen, field by field, and how choices are merged: defaults < exercise < settings."""

from typing import Annotated

import msgspec

from grader.model import Limits

Seconds = Annotated[float, msgspec.Meta(gt=0, le=1e7)]
Megabytes = Annotated[int, msgspec.Meta(ge=1, le=2**30)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**40)]


class ChosenLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Some of the limits, as an exercise or the settings choose them; None leaves what was there before.

    The lowest values are what a kernel needs to start at all.
    """

    cell_seconds: Seconds | None = None
    run_seconds: Seconds | None = None
    cpu_seconds: Seconds | None = None
    memory_mb: Annotated[int, msgspec.Meta(ge=0, le=2**30)] | None = None
    processes: Annotated[int, msgspec.Meta(ge=16, le=2**20)] | None = None
    scratch_mb: Megabytes | None = None
    open_files: Annotated[int, msgspec.Meta(ge=64, le=2**20)] | None = None
    output_bytes: Count | None = None
    output_messages: Count | None = None


def merged(*choices: ChosenLimits) -> Limits:
    """The defaults, changed by each of the choices in turn."""
    limits = Limits()
    for choice in choices:
        chosen = {name: getattr(choice, name) for name in ChosenLimits.__struct_fields__}
        limits = msgspec.structs.replace(
            limits, **{name: value for name, value in chosen.items() if value is not None}
        )
    return limits
