"""The kernel's machine for classic BPF, as far as seccomp filters go: it runs a filter on a call and says the answer."""

import struct
from collections.abc import Sequence

from grader.kernel.sandbox.bpf import Instruction

AUDIT_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
LOAD, AND, RETURN = 0x20, 0x54, 0x06
JUMPS = {0x15, 0x25, 0x35, 0x45}
WORD = 0xFFFFFFFF
ALLOW, KILL = "allow", "kill"


def answer(
    program: Sequence[Instruction], architecture: int, number: int, arguments: Sequence[int] = ()
) -> str | int:
    """`allow`, `kill`, or the errno that the call gets; 0 for one that is only imitated."""
    padded = [value & 0xFFFFFFFFFFFFFFFF for value in [*arguments, 0, 0, 0, 0, 0, 0][:6]]
    data = struct.pack("<IIQ6Q", number, architecture, 0, *padded)
    register, position = 0, 0
    while True:
        code, if_true, if_false, operand = program[position]
        position += 1
        if code == LOAD:
            assert operand % 4 == 0
            (register,) = struct.unpack_from("<I", data, operand)
        elif code == AND:
            register &= operand
        elif code in JUMPS:
            position += if_true if holds(code, register, operand) else if_false
        else:
            assert code == RETURN
            return meaning(operand)


def holds(code: int, register: int, operand: int) -> bool:
    return {
        0x15: register == operand,
        0x25: register > operand,
        0x35: register >= operand,
        0x45: register & operand != 0,
    }[code]


def meaning(value: int) -> str | int:
    if value == 0x7FFF0000:
        return ALLOW
    if value == 0x80000000:
        return KILL
    assert value & ~0xFFF == 0x00050000
    return value & 0xFFF
