"""Attacks that look for the course in what a job inherits or is shown, and act where nobody thought of it."""

from grader.exercise import course_folder
from tests.attacks.attack import (
    BRIEF,
    PATIENT,
    Attack,
    ended_by,
    every,
    host_unchanged,
    never_says,
    nobody_harmed,
    nothing_read,
    says,
)

SENTENCE = (
    (course_folder(None) / "reference" / "linear_regression.py").read_text("utf-8").splitlines()[0].strip('"')
)
# Put together inside, so that what searches does not find itself.
HALVES = f"WORDS = [{SENTENCE[:20]!r}, {SENTENCE[20:]!r}]"
READ_IT = "print(open('{TOKEN_DIR}/ref.py').read())"
OBJECTS = """
import gc
gc.unfreeze()
texts = [thing for holder in gc.get_objects() for thing in gc.get_referents(holder) if type(thing) in (str, bytes)]
long = {thing if type(thing) is str else thing.decode("latin") for thing in texts if len(thing) > 20}
print(len(long) > 1000, [text[:500] for text in long if WORDS[0] + WORDS[1] in text or "TOPS" + "ECRET-" in text])
"""
# The patterns do not match themselves.
MEMORY = """
import re
PATTERNS = [re.escape(WORDS[0]).encode() + b"(?:" + re.escape(WORDS[1]).encode() + b")", b"TOPSE(?:CRET)-[0-9a-f]{16}"]
patterns = [re.compile(pattern) for pattern in PATTERNS]
try:
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps.readlines():
            start, end = (int(number, 16) for number in line.split()[0].split("-"))
            if "rw-p" in line and "[v" not in line and end - start < 256 << 20:
                memory.seek(start)
                content = memory.read(end - start)
                for pattern in patterns:
                    for found in pattern.findall(content):
                        print("FOUND", found)
except OSError as error:
    print(error)
print("searched")
"""
IMPORTS = """
import importlib, importlib.util, importlib.resources, importlib.metadata, pkgutil, sys
for name in ("reference.linear_regression", "grader.course.reference.linear_regression", "grader.exercise", "grader.hidden",
             "grader.settings", "grader.checks", "linear_regression"):
    try:
        module = importlib.import_module(name)
        print("IMPORTED", name)
        if name == "grader.exercise":
            print(module.load_reference(module.load_exercise(module.course_folder(None), "linear_regression")).__doc__)
    except Exception as error:
        print(name, type(error).__name__)
for ask in (lambda: importlib.metadata.files("grader"), lambda: importlib.metadata.distribution("grader").read_text("RECORD")):
    try:
        print("LISTED", bool(ask()))
    except Exception as error:
        print(type(error).__name__)
"""
# The course as a checkout has it, and as a wheel does, by every way there is round a name.
WAYS = """
import glob, os
PLACES = ["{COURSE}/reference", "{COURSE}/exercises/linear_regression", "{SITE}/grader/course/reference", "{TOKEN_DIR}"]
for place in PLACES:
    for way in ("", "/proc/self/root", "/proc/1/root", "/proc/self/cwd/../../../..", "/proc/self/task/self/root", "/."):
        for top in (place, place + "/__pycache__"):
            try:
                folder = os.open(way + top, os.O_PATH)
                for name in os.listdir(f"/proc/self/fd/{folder}") if os.path.exists("/proc/self/fd") else os.listdir(way + top):
                    print("LISTED", way, top, name)
                    print(open(os.open(name, os.O_RDONLY, dir_fd=folder), "rb").read()[:3000])
            except OSError:
                pass
for path in glob.glob("{COURSE}/.git/objects/*/*")[:20]:
    try:
        print("HISTORY", len(open(path, "rb").read()))
    except OSError:
        pass
for path in ("{COURSE}/grader.toml", "{COURSE}/pyproject.toml", "/etc/shadow"):
    try:
        print("OPENED", path, bool(os.listdir(path) if os.path.isdir(path) else open(path).read()))
    except OSError:
        pass
print("looked")
"""
WATCH = """
import ctypes, os, fcntl
libc = ctypes.CDLL(None, use_errno=True)
watch = libc.inotify_init()
print("watching", watch >= 0 and libc.inotify_add_watch(watch, b"{HOST_DIR}", 0xFFF) >= 0)
try:
    fcntl.fcntl(os.open("{HOST_DIR}", os.O_RDONLY), fcntl.F_NOTIFY, 0x3F)
    print("notified")
except OSError as error:
    print(error)
"""
NEIGHBOURS = """
import glob, os
for place in ("/tmp", "/var/tmp", os.path.dirname("{HOST_DIR}"), os.path.dirname(os.path.dirname("{HOST_DIR}"))):
    for pattern in ("grader-*", "*/home", "stage-*", "h[o]st"):
        for path in glob.glob(f"{place}/{pattern}"):
            if os.path.realpath(".") != os.path.realpath(path):
                print("NEIGHBOUR", path)
print("looked")
"""
OWN = """
import fcntl, os, signal, socket
one, other = socket.socketpair()
for option, value in ((fcntl.F_SETOWN, {SUP}), (fcntl.F_SETSIG, signal.SIGKILL)):
    try:
        fcntl.fcntl(one, option, value)
        print("owned", option)
    except OSError as error:
        print(error)
"""
MASTERS = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for request, argument in ((0x5412, b"x"), (0x541C, b"\\2"), (0x5423, b"\\1"), (0x541D, None)):
    for number in (0, 1, 2):
        if libc.ioctl(number, request, argument) == 0: print("TYPED", hex(request))
for name, numbers in {"keyctl": (250, 219), "add_key": (248, 217), "io_uring": (425, 425), "mq": (240, 180), "clone3": (435, 435)}.items():
    for arguments in ((0, 0), (b"user", b"name", b"{MARK}", 8, -4), (8, b"\\0" * 200)):
        result = libc.syscall(numbers[os.uname().machine != "x86_64"], *arguments)
        if result >= 0 or ctypes.get_errno() not in (1, 13, 38): print("ANSWERED", name, result, ctypes.get_errno())
print("tried")
"""
CHANGED = """
import math, random, torch
math.pi = 3
torch.ones = torch.zeros = torch.Tensor.backward = None
torch.manual_seed(99)
random.seed(1)
print("changed")
"""
FILTER = """
import ctypes, struct
libc = ctypes.CDLL(None, use_errno=True)
def statement(code, jt, jf, k): return struct.pack("HBBI", code, jt, jf, k)
calls = (44, 46, 1, 20) if __import__("os").uname().machine == "x86_64" else (206, 211, 64, 66)
program = statement(0x20, 0, 0, 0)
for left, call in zip((3, 2, 1, 0), calls):
    program += statement(0x15, left, 1 if left == 0 else 0, call)
program += statement(0x06, 0, 0, {verdict}) + statement(0x06, 0, 0, 0x7FFF0000)
buffer = ctypes.create_string_buffer(program, len(program))
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
libc.prctl(22, 2, ctypes.byref(Program(7, ctypes.addressof(buffer))))
"""
NEVER_GOOD = ("kernel-died", "time-limit", "output-limit", "run-time-limit")

ATTACKS = {
    "look-through-objects": Attack(
        (HALVES, OBJECTS), every(nothing_read, says("True")), tame=(READ_IT,), limits=PATIENT
    ),
    "look-through-own-memory": Attack(
        (HALVES, MEMORY), every(nothing_read, never_says("FOUND")), tame=(READ_IT,), limits=PATIENT
    ),
    "look-by-imports": Attack((IMPORTS,), every(nothing_read, never_says("IMPORTED|LISTED True"))),
    "look-by-every-way": Attack(
        (WAYS,), every(nothing_read, never_says("HISTORY|OPENED|LISTED (?!.*-packages).*py"))
    ),
    "look-who-comes": Attack((WATCH,), never_says("watching True|notified")),
    "look-for-neighbours": Attack((NEIGHBOURS,), never_says("NEIGHBOUR")),
    "act-as-owner-of-a-signal": Attack((OWN,), every(nobody_harmed, never_says("owned 8"))),
    "act-by-forgotten-calls": Attack((MASTERS,), never_says("TYPED|ANSWERED")),
    "act-on-shared-pages": Attack(
        (CHANGED,),
        says("changed"),
        harmless="the pages of a fork are its own: is_contained has an honest run after it",
    ),
    "act-by-a-filter-that-kills": Attack(
        (FILTER.replace("{verdict}", "0x80000000"),), ended_by(*NEVER_GOOD), tame=("1",)
    ),
    "act-by-a-filter-that-lies": Attack(
        (FILTER.replace("{verdict}", "0x00050000"), "1"),
        host_unchanged,
        limits=BRIEF,
        harmless="a run whose messages are swallowed ends by a limit or is empty",
    ),
}
