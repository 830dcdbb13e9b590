"""Attacks that look for the reference, or for other secrets of whoever grades."""

from tests.attacks.attack import PATIENT, Attack, every, never_says, nothing_read

WALK = """
import os
hits, count = [], 0
for root in ROOTS:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in ("site-packages", "python3.11", ".git", "corpus")]
        for name in files:
            count += 1
            try:
                with open(os.path.join(folder, name), "rb") as file:
                    content = file.read(1 << 16)
            except OSError:
                continue
            if b"TOP" + b"SECRET-" in content:
                hits.append((folder, name, content[:200]))
        if count > 30000:
            break
print(count, hits)
"""
EVERYWHERE = """
SKIPPED = ("proc", "sys", "dev", "usr", "lib", "lib64", "bin", "sbin", "opt")
ROOTS = ["{TOKEN_DIR}", "{HOST_DIR}", "/tmp", *("/" + name for name in os.listdir("/") if name not in SKIPPED)]
"""
ENVIRONMENTS = """
import glob, os
print(dict(os.environ))
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        print(path, open(path, "rb").read()[:3000])
    except OSError as error:
        print(path, error.errno)
"""
MEMORY = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
buffer = ctypes.create_string_buffer(64)
here, there = Piece(ctypes.addressof(buffer), 64), Piece(0x400000, 64)
for pid in PIDS:
    try:
        for line in open(f"/proc/{pid}/maps"):
            if "[heap]" in line or "[stack]" in line:
                start, end = (int(number, 16) for number in line.split()[0].split("-"))
                with open(f"/proc/{pid}/mem", "rb", 0) as memory:
                    memory.seek(start)
                    content = memory.read(end - start)
                found = content.find(b"TOP" + b"SECRET-")
                print(pid, "READ", len(content), content[found : found + 60] if found >= 0 else "")
    except OSError as error:
        print(pid, error)
    result = libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    print("readv", result, ctypes.get_errno())
    print("ptrace", libc.ptrace(16, pid, 0, 0), ctypes.get_errno())
"""
# EPERM, ESRCH, EACCES, ENOSYS: the process is not to be had. Any other answer looked into it.
LOOKED_INTO = r"(readv|ptrace) (?!-1 (1|3|13|38)\b)"
ROOTS_OF_PROCESSES = """
import glob
for process in glob.glob("/proc/[0-9]*"):
    for way in ("root", "cwd"):
        for name in ("{TOKEN_DIR}/ref.py", "ref.py", "../ref.py"):
            try:
                print(process, way, open(f"{process}/{way}/{name}").read()[:200])
            except OSError:
                pass
print("done")
"""
DESCRIPTORS = """
import glob, os
for path in glob.glob("/proc/[0-9]*/fd/*") + glob.glob("/proc/self/fd/*"):
    try:
        print(path, os.readlink(path))
        if os.path.isfile(path):
            print(open(path, "rb").read(1 << 16))
    except OSError as error:
        print(path, error.errno)
for number in range(3, 600):
    try:
        os.lseek(number, 0, 0)
        print(number, os.read(number, 1 << 16))
    except OSError:
        pass
"""
REAL_REFERENCE = """
import glob, os, sys
for place in ("{COURSE}", *sys.path, os.path.join(os.path.dirname(os.__file__), "site-packages")):
    for path in glob.glob(f"{place}/reference/*.py") + glob.glob(f"{place}/grader/course/reference/*.py"):
        try:
            print(path, open(path).read()[:2000])
        except OSError as error:
            print(path, error.errno)
try:
    import reference.linear_regression as reference
    print(reference.__doc__)
except ImportError as error:
    print(error)
print("done")
"""

ATTACKS = {
    "read-reference-open": Attack(("print(open('{TOKEN_DIR}/ref.py').read())",), nothing_read),
    "read-reference-import": Attack(
        ("import sys; sys.path.insert(0, '{TOKEN_DIR}'); import ref; print(ref.ANSWER)",), nothing_read
    ),
    "read-walk-filesystem": Attack(
        ("import os", EVERYWHERE, WALK),
        nothing_read,
        tame=("import os", "ROOTS = ['{TOKEN_DIR}', '{HOST_DIR}']", WALK),
        limits=PATIENT,
    ),
    "read-proc-environ": Attack((ENVIRONMENTS,), nothing_read),
    "read-parent-memory": Attack(
        ("import os; PIDS = {os.getppid(), {SUP}, 1}", MEMORY),
        every(nothing_read, never_says("{sup} READ"), never_says(LOOKED_INTO)),
        tame=("PIDS = {{SUP}}", MEMORY),
    ),
    "read-proc-root-cwd": Attack((ROOTS_OF_PROCESSES,), nothing_read),
    "own-read-inherited-descriptors": Attack(
        (DESCRIPTORS,),
        nothing_read,
        tame=("held = open('{TOKEN_DIR}/ref.py')", DESCRIPTORS),
    ),
    "own-read-real-reference": Attack((REAL_REFERENCE,), nothing_read),
}
