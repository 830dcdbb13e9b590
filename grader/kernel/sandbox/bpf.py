"""Classic BPF, put together from blocks instead of counted jumps.

A block is a tuple of instructions. A test takes the block to run where it holds, and goes on behind that block where
it does not; so every jump leads forward and is computed here. `load` fills the one register that tests look at.
The machine is described in the kernel's Documentation/networking/filter.rst, what a filter sees and answers in
include/uapi/linux/seccomp.h.
"""

import struct
from typing import NamedTuple

# linux/bpf_common.h: class, size and mode, or class, operation and source, added up
_LOAD_WORD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_KEEP_BITS = 0x54  # BPF_ALU | BPF_AND | BPF_K
_IF_EQUAL, _IF_GREATER, _IF_AT_LEAST, _IF_ANY_BIT = 0x15, 0x25, 0x35, 0x45  # BPF_JMP | ... | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K

_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000

# Offsets in struct seccomp_data. Arguments have eight bytes; both architectures are little-endian.
CALL_NUMBER, ARCHITECTURE = 0, 4
_ARGUMENTS, _ARGUMENT_SIZE, _HIGH_HALF = 16, 8, 4


class Instruction(NamedTuple):
    """One instruction: `struct sock_filter`. The jumps count the instructions to be skipped."""

    code: int
    if_true: int
    if_false: int
    operand: int


Block = tuple[Instruction, ...]


def allow() -> Block:
    """Let the call happen."""
    return (Instruction(_RETURN, 0, 0, _ALLOW),)


def kill() -> Block:
    """End the process, as by a signal that cannot be caught."""
    return (Instruction(_RETURN, 0, 0, _KILL_PROCESS),)


def refuse(error: int) -> Block:
    """Have the call fail with an errno, without its happening."""
    return (Instruction(_RETURN, 0, 0, _ERRNO | error),)


def pretend() -> Block:
    """Have the call return 0 without its happening."""
    return refuse(0)


def load(offset: int) -> Block:
    """Look at four bytes of what describes the call."""
    return (Instruction(_LOAD_WORD, 0, 0, offset),)


def argument(position: int) -> Block:
    """Look at the lower half of an argument, counted from 0: all that Linux reads of an int, flags or a mode."""
    return load(_ARGUMENTS + _ARGUMENT_SIZE * position)


def keep_bits(mask: int) -> Block:
    """Clear all bits but these."""
    return (Instruction(_KEEP_BITS, 0, 0, mask),)


def when_equal(value: int, *blocks: Block) -> Block:
    """Run the blocks if what was loaded equals the value."""
    return _when(_IF_EQUAL, value, blocks)


def unless_equal(value: int, *blocks: Block) -> Block:
    """Run the blocks if what was loaded is not the value."""
    inside = joined(blocks)
    return (Instruction(_IF_EQUAL, len(inside), 0, value), *inside)


def when_any_bit(mask: int, *blocks: Block) -> Block:
    """Run the blocks if any of these bits is set."""
    return _when(_IF_ANY_BIT, mask, blocks)


def when_between(first: int, last: int, *blocks: Block) -> Block:
    """Run the blocks if what was loaded is a number from first to last, both included."""
    inside = joined(blocks)
    return _when(_IF_AT_LEAST, first, ((Instruction(_IF_GREATER, len(inside), 0, last), *inside),))


def when_null(position: int, *blocks: Block) -> Block:
    """Run the blocks if all 64 bits of an argument are 0. Load anew behind it."""
    low = argument(position)
    high = load(low[0].operand + _HIGH_HALF)
    return joined((low, when_equal(0, high, when_equal(0, *blocks))))


def joined(blocks: tuple[Block, ...]) -> Block:
    """Blocks, one behind the other."""
    return tuple(instruction for block in blocks for instruction in block)


def encoded(program: Block) -> bytes:
    """The instructions as the kernel reads them. Raises struct.error where a block is too long to be jumped over."""
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _when(test: int, operand: int, blocks: tuple[Block, ...]) -> Block:
    inside = joined(blocks)
    return (Instruction(test, 0, len(inside), operand), *inside)
