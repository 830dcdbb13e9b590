"""The probe: set up before the first cell, asked for values and for the trace after the last.

Every request and every answer is plain JSON; `grader.kernel.session` is the other end.
"""

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from grader.probe import encode as encoding
from grader.probe.acts import ActRecorder
from grader.probe.bindings import RETURNED, Bindings, install_hooks
from grader.probe.calls import GradientCalls
from grader.probe.encode import Encoded
from grader.probe.errors_seen import describe
from grader.probe.events import EventRecorder
from grader.probe.exchange import Exchange, Swap
from grader.probe.figures import MOST, Figures
from grader.probe.gradients import GradientRecorder
from grader.probe.surroundings import fix_seeds, never_grade_within, never_wait_for_plots
from grader.probe.tensors import Numbering
from grader.probe.warned import place_warnings_at_the_learners
from grader.probe.watch import Watch

MAX_ERRORS = 50
# Answers to a request other than `values` and `call` must not grow with what the submission does.


class Probe:
    """One per kernel. `namespace` is the learner's global namespace."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace
        numbering = Numbering()
        self._events = EventRecorder(numbering)
        self._acts = ActRecorder(numbering, lambda: self._events.order)
        self._recorder = GradientRecorder()
        self._watch = Watch((), 1)
        self._exchange = Exchange([])
        self._figures = Figures()
        self._errors: list[Encoded] = []
        self._requests: dict[str, Callable[[Encoded], Encoded]] = {
            "values": self._values,
            "call": self._call,
            "trace": self._trace,
        }

    def configure(self, request: Encoded) -> Bindings | None:
        """Fix the seeds and set up recording; return the transformer of the learner's code, if one is needed.

        request: seed; record (whether to record gradients); draw (whether to draw figures); watch {names, returns, at_least}; exchange [{old, new}] as encoded float64 arrays.
        """
        watch = request.get("watch") or {"names": [], "returns": [], "at_least": 1}
        returned = frozenset(watch["returns"])
        self._watch = Watch(
            [*watch["names"], *(RETURNED.format(name=name) for name in returned)], watch["at_least"]
        )
        swaps = [Swap(_array(pair["old"]), _array(pair["new"])) for pair in request.get("exchange", [])]
        self._exchange = Exchange(swaps)
        if request["record"]:
            GradientCalls(self._recorder, self._events, self._acts).install()
            self._events.install()
            place_warnings_at_the_learners()
        self._figures.left = MOST if request["draw"] else 0
        never_wait_for_plots(self._figures.show)
        never_grade_within()
        torch.set_num_threads(1)  # sums in another order would end in other last digits
        fix_seeds(request["seed"])
        if request["record"]:
            self._acts.start()
        if not swaps and not self._watch.names:
            return None
        install_hooks(self._bound, self.between)
        return Bindings(None if swaps else frozenset(watch["names"]), returned)

    def answer(self, request: Encoded) -> Encoded:
        """Answer a request by name; an unknown one is an error of ours and raises KeyError."""
        return self._requests[request["request"]](request)

    def between(self) -> None:
        """Look at the namespace between two statements: lists grow, arrays are filled in place."""
        if self._exchange.swaps:
            for name, value in list(self._namespace.items()):
                if type(name) is str and not name.startswith("_"):
                    replaced = self._exchange(value)
                    if replaced is not value:
                        self._namespace[name] = replaced
        self._watch.scan(self._namespace)

    def cell_ended(self, error: BaseException | None, cell: int) -> None:
        """Note what a cell ended with, show what it has drawn, and look at the namespace."""
        if error is not None and len(self._errors) < MAX_ERRORS:
            self._errors.append(describe(error, cell))
            self._events.error(error.__traceback__)
        self._figures.show()
        self.between()

    def _bound(self, value: object, name: str) -> object:
        if self._exchange.swaps:
            value = self._exchange(value)
        self._watch.bound(value, name)
        return value

    def _values(self, request: Encoded) -> Encoded:
        encoding.know_pandas()
        return {name: self._value(name) for name in request["names"]}

    def _value(self, name: str) -> Encoded:
        owner, dot, attribute = name.partition(".")
        if owner not in self._namespace:
            return {"type": "unusable", "why": "missing", "type_name": ""}
        value = self._namespace[owner]
        return encoding.encode_gradient(value) if dot and attribute == "grad" else encoding.encode(value)

    def _call(self, request: Encoded) -> Encoded:
        """Call a learner's function with arguments of ours; record the gradient calls inside it alone."""
        function = self._namespace.get(request["name"])
        arguments = [_argument(argument) for argument in request["arguments"]]
        self._recorder.clear()
        self._events.clear()
        self._acts.clear()
        fix_seeds(request["seed"])
        try:
            value, error = function(*arguments), None  # type: ignore[misc]
        except BaseException as raised:  # noqa: BLE001 - reported, whatever it is
            value, error = None, describe(raised, None)
            self._events.error(raised.__traceback__)
        encoding.know_pandas()
        return {
            "value": None if error else encoding.encode(value),
            "error": error,
            "trace": self._trace_now(),
        }

    def _trace(self, _request: Encoded) -> Encoded:
        self._figures.left = 0
        self._events.end(self._namespace)
        return {"trace": self._trace_now(), "errors": self._errors}

    def _trace_now(self) -> Encoded:
        return {
            "trainings": self._recorder.trainings(),
            "arrays": self._recorder.arrays(),
            "versions": self._watch.versions(),
            "exchanged": [swap.times for swap in self._exchange.swaps],
            "events": self._events.events(),
            "acts": self._acts.acts(),
            "truncated": self._recorder.truncated or self._events.truncated,
        }


def _array(encoded: Encoded) -> np.ndarray[Any, Any]:
    data = np.frombuffer(
        base64.b64decode(encoded["data"]), dtype=np.dtype(encoded["dtype"]).newbyteorder("<")
    )
    return data.reshape(encoded["shape"]).astype(encoded["dtype"])


def _argument(encoded: Encoded) -> Any:
    """An argument of a call, in the form asked for: a tensor, a number or a list of numbers."""
    array = _array(encoded["array"])
    if encoded["form"] == "plain":
        return array.tolist()
    return torch.from_numpy(array).requires_grad_(encoded["form"] == "leaf")
