"""Attacks on the walls: privileges, the kernel's own interface, files of the host, and whoever runs next."""

from tests.attacks.attack import (
    Attack,
    every,
    host_unchanged,
    never_says,
    no_objects_left,
    nothing_for_the_next,
    nothing_written,
    says,
)
from tests.attacks.seen import Seen

WRITE_PACKAGES = """
import os, torch
for path in (torch.__file__, os.__file__, "{SITE}/sitecustomize.py", "{SITE}/evil.pth"):
    try:
        open(path, "a").write("# {MARK}\\n")
        print("WROTE", path)
    except OSError as error:
        print(error)
"""
MOUNT = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def tell(name, result): print(name, result, ctypes.get_errno(), flush=True)
os.mkdir("here")
tell("mount", libc.mount(b"none", b"here", b"tmpfs", 0, None))
tell("umount", libc.umount2(b"here", 2))
tell("fsopen", libc.syscall(430, b"tmpfs", 0))
tell("open_tree", libc.syscall(428, -100, b"/", 1))
tell("unshare", libc.unshare(0x10000000))
"""
BECOME_ROOT = """
import os, time
for change, arguments in ((os.setresuid, (0, 1, 0)), (os.setgroups, ([0],)), (os.setresgid, (0, 1, 0))):
    try:
        change(*arguments)
        print("OK", change.__name__)
    except OSError as error:
        print(change.__name__, error.errno)
time.sleep(0.5)
"""


def without_privileges(seen: Seen) -> None:
    """No capability in any set, no way to gain one, and a filter; the machine says so, not the run.

    A bounding set, which only the privileged can empty, says what could be gained at most.
    """
    status = dict(line.split(":\t", 1) for line in seen.status)
    held = [status[f"Cap{which}"] for which in ("Inh", "Prm", "Eff", "Amb")]
    assert held == ["0" * 16] * 4
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


DEVICES = """
import os, stat
for path in ("device", "/tmp/device"):
    try:
        os.mknod(path, 0o600 | stat.S_IFBLK, os.makedev(254, 0))
        print("MKNOD", path)
    except OSError as error:
        print(error)
for path in ("/dev/mem", "/dev/kmsg", "/dev/vda", "/dev/kvm", "/proc/kcore", "/proc/sysrq-trigger"):
    try:
        open(path, "rb").close()
        print("OPENED", path)
    except OSError as error:
        print(path, error.errno)
try:
    print("OPENED", os.listdir("/sys/kernel/debug"))
except OSError as error:
    print(error.errno)
"""
RAISE_LIMITS = """
import resource
for name in ("RLIMIT_AS", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_NOFILE"):
    wanted = 1 << 20 if name == "RLIMIT_NOFILE" else resource.RLIM_INFINITY
    try:
        resource.setrlimit(getattr(resource, name), (wanted, wanted))
        print("RAISED", name)
    except (OSError, ValueError) as error:
        print(name, "no", error)
"""
# The numbers on x86-64, and on others.
KERNEL_API = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
CALLS = {
    "bpf": (321, 280), "perf_event_open": (298, 241), "keyctl": (250, 219), "userfaultfd": (323, 282),
    "init_module": (175, 105), "kexec_load": (246, 104), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "open_by_handle_at": (304, 265), "personality": (135, 92), "syslog": (103, 116), "io_uring_setup": (425, 425),
    "mount": (165, 40), "unshare": (272, 97), "setns": (308, 268), "add_key": (248, 217), "swapon": (167, 224),
    "pidfd_getfd": (438, 438), "fsopen": (430, 430), "memfd_secret": (447, 447),
}
for name, numbers in CALLS.items():
    number = numbers[os.uname().machine != "x86_64"]
    print("call", name, libc.syscall(number, 0xFFFF, 0, 0, 0, 0), ctypes.get_errno())
"""
# EPERM, EACCES, ENOSYS; any other answer is one of the call itself.
ANSWERED = r"call \w+ (?!-1 (1|13|38)\b)"
SETUID = """
import os, shutil, subprocess
shutil.copy("/bin/true", "copied")
try:
    os.chmod("copied", 0o4755)
except OSError as error:
    print(error)
for command in (["su", "nobody", "-s", "/bin/sh", "-c", "id -u"], ["su", "-c", "id -u"], ["sudo", "-n", "id", "-u"]):
    try:
        said = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL).stdout.strip()
        print("GAINED" if said not in (b"", str(os.getuid()).encode()) else "no", command)
    except OSError as error:
        print(error)
"""
POISON = """
import os
home = os.path.expanduser("~")
for path in (f"{home}/.ipython/profile_default/startup/{MARK}.py", "/tmp/{MARK}", "/dev/shm/{MARK}",
             "/var/tmp/{MARK}", f"{home}/{MARK}", "{SITE}/{MARK}"):
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").write("x = 1")
        print("wrote", path)
    except OSError as error:
        print(error)
"""
ACTS_ON_HOST = """
import os
for number, act in enumerate(({acts},)):
    try:
        act()
        print("returned", number)
    except OSError as error:
        print(number, error.errno)
"""
CHMOD = ACTS_ON_HOST.replace(
    "{acts}", "lambda: os.chmod('{HOST_DIR}/grades.json', 0o751), lambda: os.chmod('{HOST_DIR}', 0o751)"
)
RENAME = ACTS_ON_HOST.replace(
    "{acts}",
    "lambda: os.rename('{HOST_DIR}/grades.json', '{HOST_DIR}/x'),"
    "lambda: os.link('{HOST_DIR}/course/ref.py', 'linked.py'),"
    "lambda: os.link('{HOST_DIR}/course/ref.py', '{HOST_DIR}/linked.py'),"
    "lambda: os.unlink('{HOST_DIR}/grades.json'),"
    "lambda: os.rmdir('{HOST_DIR}/course')",
)
TOUCH = ACTS_ON_HOST.replace(
    "{acts}",
    "lambda: os.utime('{HOST_DIR}/grades.json', (1, 1)),"
    "lambda: os.setxattr('{HOST_DIR}/grades.json', 'user.score', b'100'),"
    "lambda: os.truncate('{HOST_DIR}/grades.json', 3),"
    "lambda: os.chown('{HOST_DIR}/grades.json', -1, os.getgid()),"
    "lambda: os.symlink('/', '{HOST_DIR}/link'),"
    "lambda: os.mkfifo('{HOST_DIR}/fifo')",
)
OBJECTS = """
import ctypes, socket
libc = ctypes.CDLL(None, use_errno=True)
print("shm", libc.shmget(0x{KEY}, 4096, 0o1666))
print("msg", libc.msgget(0x{KEY}, 0o1666))
print("sem", libc.semget(0x{KEY}, 1, 0o1666))
try:
    print("queue", ctypes.CDLL("librt.so.1").mq_open(b"/{MARK}", 0o102, 0o666, None))
except (AttributeError, OSError) as error:
    print(error)
try:
    from multiprocessing import shared_memory
    kept = shared_memory.SharedMemory(name="{MARK}", create=True, size=4096)
    from multiprocessing import resource_tracker
    resource_tracker.unregister(kept._name, "shared_memory")
except OSError as error:
    print(error)
""".replace("{KEY}", "5eed5eed")

ATTACKS = {
    "esc-write-site-packages": Attack((WRITE_PACKAGES,), every(nothing_written, never_says("WROTE"))),
    "esc-mount": Attack((MOUNT,), never_says(r"(mount|umount|fsopen|open_tree|unshare) \d")),
    "esc-chroot": Attack(
        (
            "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
            "if (child := os.fork()) == 0: os._exit(0 if libc.chroot(b'/tmp') == 0 else 7)\n"
            "print('chroot', os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))",
        ),
        says("chroot 7"),
    ),
    "esc-setuid-caps": Attack((BECOME_ROOT,), every(without_privileges, never_says("OK set"))),
    "esc-device-nodes": Attack((DEVICES,), never_says("MKNOD|OPENED")),
    "esc-rlimit-raise": Attack((RAISE_LIMITS,), never_says("RAISED")),
    "esc-kernel-api": Attack((KERNEL_API,), every(never_says(ANSWERED), says("call bpf -1"))),
    "esc-setuid-binary": Attack((SETUID,), every(never_says("GAINED"), nothing_written)),
    "esc-poison-next-student": Attack(
        (POISON,), every(nothing_for_the_next, nothing_written, no_objects_left)
    ),
    "own-chmod-host-file": Attack((CHMOD,), host_unchanged),
    "own-rename-link-host-file": Attack((RENAME,), host_unchanged),
    "own-touch-host-file": Attack((TOUCH,), host_unchanged),
    "own-leave-kernel-objects": Attack((OBJECTS,), no_objects_left),
}
