"""The arrows of the modules of `grader/`, bottom up; `tests.test_structure` holds them to it."""

from tests.drawn_evidence import EVIDENCE
from tests.drawn_gradebook import GRADEBOOK, OF_A_VERSION
from tests.drawn_lms import LMS, OF_A_SYSTEM, OF_AN_UPLOAD
from tests.drawn_lti import LTI
from tests.drawn_push import GRADESCOPE, PUSH
from tests.drawn_report import OF_A_FORMAT, OUTCOME, REPORT
from tests.drawn_web import WEB

# What each module may import of grader, bottom up. Imports inside functions and for types count too.
MAY_IMPORT = {
    "grader": "errors notebook.command notebook.here notebook.magic",
    "errors": "",
    "values": "",
    "trace": "values",
    "model": "errors picture trace values",
    "picture": "trace",
    "valley": "arrays picture",
    "line": "",
    "limits": "model",
    "settings": "errors limits model",
    "text": "model",
    "arrays": "trace values",
    "source": "model",
    "files": "errors",
    "archive": "errors files",
    "load": "archive errors files model source",
    "exercise": "errors limits model",
    "conditions": "errors exercise grader limits settings",
    "gaps": "errors load",
    "jupyter": "",
    "starter": "errors exercise gaps jupyter model",
    "authoring": "errors",
    # inside the learner's process
    "probe": "",
    "probe.bindings": "",
    "probe.places": "",
    "probe.surroundings": "",
    "probe.figures": "",
    "probe.itself": "",
    "probe.encode": "probe.itself",
    "probe.numbers": "probe.encode",
    "probe.tensors": "probe.encode",
    "probe.graph": "probe.encode",
    "probe.optimizers": "",
    "probe.events": "probe.encode probe.graph probe.itself probe.optimizers probe.places probe.tensors",
    "probe.acts": "probe.encode probe.places probe.tensors",
    "probe.errors_seen": "probe.encode probe.places",
    "probe.gradients": "probe.encode probe.graph probe.itself probe.places probe.tensors",
    "probe.calls": "probe.acts probe.encode probe.events probe.gradients probe.graph probe.places",
    "probe.exchange": "probe.numbers",
    "probe.watch": "probe.encode probe.numbers",
    "probe.warned": "probe.places",
    "probe.inside": "probe.acts probe.bindings probe.calls probe.encode probe.errors_seen probe.events probe.exchange"
    " probe.figures probe.gradients probe.surroundings probe.tensors probe.warned probe.watch",
    # what a job is confined by, from the system up
    "kernel": "",
    "kernel.sandbox": "",
    "kernel.sandbox.system": "",
    "kernel.sandbox.bpf": "",
    "kernel.sandbox.view": "",
    "kernel.sandbox.syscalls": "kernel.sandbox.system",
    "kernel.sandbox.verdicts": "kernel.sandbox.bpf",
    "kernel.sandbox.mounts": "kernel.sandbox.syscalls kernel.sandbox.system",
    "kernel.sandbox.namespaces": "kernel.sandbox.system",
    "kernel.sandbox.filesystem": "kernel.sandbox.mounts kernel.sandbox.namespaces kernel.sandbox.view",
    "kernel.sandbox.identity": "kernel.sandbox.syscalls kernel.sandbox.system",
    "kernel.sandbox.ceilings": "model",
    "kernel.sandbox.landlock": "kernel.sandbox.syscalls kernel.sandbox.system",
    "kernel.sandbox.seccomp": "kernel.sandbox.bpf kernel.sandbox.syscalls kernel.sandbox.system"
    " kernel.sandbox.verdicts",
    "kernel.sandbox.cgroup": "kernel.sandbox.system",
    "kernel.sandbox.tiers": "kernel.sandbox.ceilings kernel.sandbox.filesystem kernel.sandbox.identity"
    " kernel.sandbox.landlock kernel.sandbox.namespaces kernel.sandbox.seccomp kernel.sandbox.system"
    " kernel.sandbox.view model",
    "kernel.sandbox.bubblewrap": "kernel.job kernel.sandbox.system kernel.sandbox.view",
    # the processes of a job, from the warm parent's side
    "kernel.job": "kernel.sandbox.tiers kernel.sandbox.view model",
    "kernel.usage": "",
    "kernel.streams": "",
    "kernel.cells": "probe.inside probe.places",
    "kernel.bare": "kernel.cells kernel.job model",
    "kernel.worker": "kernel.cells",
    "kernel.forked": "kernel.streams kernel.worker model",
    "kernel.hugepages": "kernel.sandbox.system",
    "kernel.init": "kernel.sandbox.system kernel.sandbox.tiers kernel.sandbox.view",
    "kernel.ending": "kernel.usage",
    "kernel.guardian": "kernel.ending kernel.init kernel.job kernel.sandbox.ceilings kernel.sandbox.cgroup"
    " kernel.sandbox.system kernel.sandbox.tiers kernel.sandbox.view kernel.usage",
    "kernel.caretaker": "kernel.ending kernel.sandbox.cgroup kernel.sandbox.system kernel.usage",
    "kernel.rehearse": "kernel.init kernel.job kernel.sandbox.bubblewrap kernel.sandbox.cgroup"
    " kernel.sandbox.system kernel.sandbox.tiers model",
    "kernel.zygote": "kernel.caretaker kernel.ending kernel.guardian kernel.hugepages kernel.job kernel.rehearse"
    " kernel.sandbox.bubblewrap kernel.sandbox.ceilings kernel.sandbox.cgroup kernel.sandbox.system kernel.sandbox.tiers",
    # … and from the supervisor's
    "kernel.warm": "errors exercise kernel.job kernel.sandbox.view model settings",
    "kernel.relay": "",
    "kernel.client": "kernel.relay",
    "kernel.outputs": "jupyter kernel.client",
    "kernel.launched": "errors kernel.job kernel.warm model",
    "kernel.provisioner": "kernel.init kernel.job kernel.launched kernel.warm model",
    "kernel.driver": "kernel.job model",
    "kernel.jupyter_driver": "errors jupyter kernel.client kernel.displayed kernel.driver kernel.outputs kernel.provisioner kernel.warm model",
    "kernel.bare_driver": "errors kernel.client kernel.driver kernel.job kernel.launched kernel.warm model",
    "kernel.answers": "arrays trace values",
    "kernel.faults": "model source",
    "kernel.displayed": "kernel.outputs model",
    "kernel.session": "errors kernel.answers kernel.bare_driver kernel.driver kernel.faults kernel.jupyter_driver"
    " kernel.warm model trace values",
    "kernel.pool": "errors kernel.session kernel.warm model settings",
    "kernel.intruder": "",
    "kernel.canary": "errors kernel.intruder kernel.pool model",
    "watching": "archive errors model",
    "doctor": "errors exercise kernel.canary kernel.job kernel.pool kernel.sandbox.landlock kernel.warm model"
    " settings",
    # what checks are made of
    "exchange": "arrays model trace",
    "steps": "arrays trace",
    "batches": "arrays exchange steps trace",
    "gradients": "arrays batches exchange model steps trace",
    "hidden": "exercise model settings",
    "observed": "model trace",
    "experiment": "arrays exercise hidden kernel.pool kernel.session limits model observed settings",
    "isolation": "errors exercise kernel.canary kernel.pool model report.doctor settings",
    "checking": "archive catalogue errors examine exercise grade isolation kernel.pool kernel.warm load model"
    " report.discovery report.document report.places report.writer settings watching",
    "checks": "arrays errors exercise experiment kernel.faults kernel.pool load model settings text"
    " trace values",
    # why it fails
    **EVIDENCE,
    "mistakes": "",
    "catalogue": "errors evidence.case evidence.edits evidence.suspicion mistakes model",
    "diagnose": "catalogue evidence.case evidence.edits evidence.scopes evidence.suspicion model",
    "paths": "checks",
    "samples": "checks steps",
    "runner": "checks errors exercise experiment model text",
    "grade": "diagnose errors evidence.case evidence.training exercise experiment kernel.faults kernel.pool"
    " kernel.session model runner settings",
    # the test of a course, and of all of the above
    "workers": "isolation kernel.pool settings text",
    # many submissions, and what is kept of them
    "batch": "conditions errors exercise grade grader load model settings workers",
    "scheduler": "errors",
    "cluster": "errors grader model scheduler workers",
    "executors": "cluster errors model report.writer scheduler workers",
    "grades": "model",
    "interrupts": "",
    "round": "batch conditions errors exercise gradebook.book gradebook.records grader grades lms.recognise model settings",
    "batch_commands": "answering batch catalogue errors executors exercise gradebook.book gradebook.records interrupts lms.recognise model"
    " options outcome.reports outcome.write report.escape report.progress report.writer round text",
    **LMS,
    **LTI,
    **PUSH,
    **GRADESCOPE,
    **GRADEBOOK,
    "rewrites": "evidence.case evidence.edits evidence.forward evidence.knobs evidence.lines"
    " evidence.planting evidence.trainings",
    "selftest": "catalogue errors evidence.case evidence.edits exercise experiment grade kernel.pool load model"
    " rewrites runner settings starter workers",
    # what people see
    **REPORT,
    "similarity": "",
    **OUTCOME,
    "examine": "diagnose errors evidence.case evidence.training grade kernel.pool kernel.session limits model settings",
    "options": "",
    "answering": "errors model options report.writer settings text",
    **WEB,
    "cli": "answering authoring batch_commands catalogue checking doctor errors exercise grader gradescope_commands options push_commands report.browser report.discovery report.doctor"
    " report.document report.escape report.explain report.overview.document report.selftest report.writer selftest lti_commands service_commands settings starter text",
    "__main__": "cli",
}
# What every mistake may import; nothing but `catalogue` knows them.
OF_A_MISTAKE = "arrays model trace values evidence.*"
# The modules that are discovered by the folder they are in, with what they may import.
DISCOVERED = {
    "mistakes.": OF_A_MISTAKE,
    "report.formats.": OF_A_FORMAT,
    "lms.systems.": OF_A_SYSTEM,
    "lms.uploads.": OF_AN_UPLOAD,
    "gradebook.versions.": OF_A_VERSION,
}
