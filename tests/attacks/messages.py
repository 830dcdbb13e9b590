"""Attacks on the supervisor's ear: messages and answers forged with the session's key, which lies in the kernel's memory."""

from grader.exercise import course_folder
from tests.attacks.attack import Attack, earns_nothing, ended_by, every, supervisor_stays_small
from tests.attacks.sandbox_forging import EXERCISE, WRONG

INSIDE = """
import time, zmq
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.session import DELIM
app = IPKernelApp.instance()
kernel, session = app.kernel, app.kernel.session
shell, outputs = app.shell_socket, app.iopub_thread.socket
header = kernel.get_parent("shell")
Socket, Session = zmq.Socket, type(session)
def parts_of(kind, content, parent=header):
    return Session.serialize(session, session.msg(kind, content, parent))
def client():
    if hasattr(kernel, "_shell_parent_ident"):  # since ipykernel 7
        return kernel._get_shell_context_var(kernel._shell_parent_ident)[0]
    return kernel._parent_ident["shell"][0]
def answer(kind, content, parent=header):
    Socket.send_multipart(shell, [client(), *parts_of(kind, content, parent)])
def publish(kind, content, parent=header):
    Socket.send_multipart(outputs, [b"topic", *parts_of(kind, content, parent)])
"""
# Frames of one message that has no end.
UNFINISHED = """
frame = zmq.Frame(bytes(1 << 20), copy=False)
for _ in range(400):
    Socket.send(outputs, frame, zmq.SNDMORE, copy=False)
Socket.send(outputs, b"the end")
time.sleep(1)
"""
# The answer to the next request, with contents of the attacker's own writing.
REWRITE = """
serialize = Session.serialize
def rewritten(self, message, ident=None):
    parts = serialize(self, message, ident)
    if message.get("msg_type") == "grader_reply":
        parts[-1] = CONTENT
        first = parts.index(DELIM) + 2
        parts[first - 1] = SIGN(parts[first:])
    return parts
SIGN = session.sign
Session.serialize = rewritten
"""
MANY_LISTS = REWRITE + "CONTENT = b'[' + b'[],' * 20_000_000 + b'[]]'\nprint('ready')"
PRINTS = ("for _ in range(200): print('x' * (2 << 20))",)
# An answer that says that all is well, to a request that nobody has made.
EARLY = """
answer("execute_reply", {"status": "ok", "execution_count": 1, "score": 100})
publish("status", {"execution_state": "idle"})
answer("grader_reply", {"value": {"type": "function"}, "score": 100})
"""
TWICE = """
class Twice(type(kernel)):
    async def grader_request(self, stream, ident, parent):
        for _ in range(3):
            await super().grader_request(stream, ident, parent)
kernel.shell_handlers["grader_request"] = Twice.grader_request.__get__(kernel)
kernel.__class__ = Twice
"""
OTHERS_ANSWERS = """
for number in range(2_000):
    answer("execute_reply", {"status": "ok"}, {"msg_id": str(number)})
"""
NO_HEADER = """
for parent in ({}, {"msg_id": None}, {"msg_id": []}, {"msg_id": header["msg_id"], "msg_type": {}}):
    answer("grader_reply", {}, parent)
    publish("stream", {"name": 7, "text": []}, parent)
"""
STRANGE = """
KINDS = ("stream", "display_data", "execute_result", "error", "clear_output", "update_display_data", "comm_open",
         "comm_msg", "input_request", "status", "shutdown_reply", "debug_event", "", "x" * (1 << 20))
CONTENTS = ({}, {"data": 1}, {"data": {"text/plain": {}}, "metadata": 3, "transient": {"display_id": {"a": 1}}},
            {"name": None, "text": {"a": 1}}, {"ename": 1, "evalue": [], "traceback": "x"}, {"execution_state": {}},
            {"comm_id": [], "target_name": "jupyter.widget", "data": {"state": []}})
publish(KINDS[{kind}], CONTENTS[{content}])
"""
BUFFERS = """
Socket.send_multipart(outputs, [b"topic", *parts_of("stream", {"name": "stdout", "text": "x"}), *[b"y" * 1000] * 2000])
"""
UNSIGNED = """
parts = parts_of("execute_reply", {"status": "ok"})
parts[parts.index(DELIM) + 1] = b"0" * 64
Socket.send_multipart(shell, [client(), *parts])
time.sleep(1)
"""
GARBAGE = """
import os, socket, stat
for number in range(3, 300):
    try:
        if stat.S_ISSOCK(os.fstat(number).st_mode):
            os.write(number, b"\\xff" * 4096)
    except OSError:
        pass
time.sleep(1)
"""
CLOSED = """
import os, stat
for number in range(3, 300):
    try:
        if stat.S_ISSOCK(os.fstat(number).st_mode):
            os.set_blocking(number, False)
            import socket
            socket.socket(fileno=os.dup(number)).shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
time.sleep(1)
"""
BROKEN = ("kernel-died", "output-limit", "time-limit")


def graded(forged: str, *, exercise: str = EXERCISE, wrong: str = WRONG) -> Attack:
    """The forgery before a wrong solution, which must be graded as what it is; the right one is the control."""
    right = (course_folder(None) / "reference" / f"{exercise}.py").read_text("utf-8")
    return Attack((wrong, INSIDE, forged), earns_nothing, tame=(right,), exercise=exercise)


ATTACKS = {
    "message-without-end": Attack((INSIDE + UNFINISHED,), every(supervisor_stays_small, ended_by(*BROKEN))),
    "message-of-many-lists": Attack((INSIDE + MANY_LISTS,), every(supervisor_stays_small), tame=PRINTS),
    "message-nested-deeply": graded(REWRITE + "CONTENT = b'[' * 500_000"),
    "message-not-json": graded(REWRITE + "CONTENT = b'\\xff{]'"),
    "message-number-without-end": graded(REWRITE + "CONTENT = b'{\"errors\": ' + b'9' * 1_000_000 + b'}'"),
    "message-no-object": graded(REWRITE + "CONTENT = b'7'"),
    "message-answer-before-request": graded(EARLY),
    "message-answer-twice": graded(TWICE),
    "message-answers-of-others": graded(OTHERS_ANSWERS),
    "message-strange-parents": graded(NO_HEADER),
    "message-with-many-buffers": graded(BUFFERS),
    "message-not-signed": Attack((INSIDE + UNSIGNED,), ended_by(*BROKEN), tame=("1",)),
    "message-garbage-on-the-line": Attack((INSIDE + GARBAGE,), ended_by(*BROKEN), tame=("1",)),
    "message-lines-cut": Attack((INSIDE + CLOSED,), ended_by(*BROKEN), tame=("1",)),
    **{
        f"message-strange-{kind}": graded(
            STRANGE.replace("{kind}", str(kind)).replace("{content}", str(content))
        )
        for kind, content in ((1, 2), (5, 2), (6, 6), (13, 0))
    },
}
