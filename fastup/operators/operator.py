"""One declaration per operator: the public function. What plans and exporters take follows from its signature.

A plan takes a shape and a dtype where the function takes an array, and is made by the function's own body: an `Operand`
is one more kind of array, of which nothing is known but these two, and whose result is the plan.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

import numpy as np

from fastup.plan import check
from fastup.plan.base import Plan
from fastup.plan.operands import Operand
from fastup.plan.registry import Row

P = ParamSpec("P")
R = TypeVar("R")

OPERATORS: dict[str, Operator[..., Any]] = {}
_Parameter = inspect.Parameter
_EXECUTION = ("out", "threads")  # say how a call runs, not what it computes
# What a plan takes in the place of a parameter: its name, and its type.
_PLANNED = {"weight": ("weight_shape", "Shape"), "boxes": ("boxes_shape", "Shape | None"), "dtype": ("labels", "DType")}


class Operator(Generic[P, R]):
    """A public function, and what is derived from it.

    Attributes
    ----------
    name : str
    function : callable
        The declaration.
    row : Row
        Where its plans are run.
    example : str
        Lines of a doctest that plan it.
    """

    def __init__(self, name: str, function: Callable[P, R], row: Row, example: str) -> None:
        self.name, self.function, self.row, self.example = name, function, row, inspect.cleandoc(example)
        self.parameters = inspect.signature(function).parameters
        self.array, *self.others = self.parameters
        OPERATORS[name] = self

    def plan_signature(self) -> inspect.Signature:
        """Shape and dtype in the place of the array, shapes of what comes beside it, and all arguments."""
        kept = []
        for name in self.others:
            if name not in (*_EXECUTION, "bias", "indices"):
                given = self.parameters[name]
                planned, annotation = _PLANNED.get(name, (name, given.annotation))
                kept.append(given.replace(name=planned, annotation=annotation))
        first = (("shape", "Shape"), ("dtype", "DType"))
        return inspect.Signature(
            [*(_Parameter(name, _Parameter.POSITIONAL_OR_KEYWORD, annotation=kind) for name, kind in first), *kept],
            return_annotation=self.row.plan.__name__,
        )

    def make_plan(self, shape: Any, dtype: Any, **given: Any) -> Plan:
        """The plan for arrays of which shape and dtype are known."""
        x = Operand(check.shape(self.name, shape), check.dtype(self.name, dtype))
        call = {name: given[key] for name in self.others if (key := _PLANNED.get(name, (name,))[0]) in given}
        if "weight" in call:
            call["weight"] = Operand(check.shape(self.name, given["weight_shape"], "weight_shape"), x.dtype)
        if call.get("boxes") is not None:
            call["boxes"] = Operand(check.shape(self.name, given["boxes_shape"], "boxes_shape"), np.dtype(np.int64))
        if isinstance(call.get("activation"), str) and call["activation"] == "prelu":
            call["activation"] = ("prelu", Operand((1,), x.dtype))  # slopes will come with the call
        return self.plan_of(x, **call)

    def plan_of(self, x: Operand, **call: Any) -> Plan:
        """The plan of a call of the function with what is known of an array."""
        if "indices" in self.others:
            call["indices"] = Operand(x.shape, np.dtype(np.int64))
        function: Any = self.function
        plan: Plan = function(x, **call)
        return plan

    def planner(self) -> Callable[..., Plan]:
        """The function of `fastup.plan` for this operator."""
        signature = self.plan_signature()

        def plan(*arguments: Any, **keywords: Any) -> Plan:
            bound = self.bind(signature, arguments, keywords)
            return self.make_plan(**bound)

        beside = {"weight_shape": " and a weight of this shape", "boxes_shape": ", and boxes of that shape"}
        what = "logits" if self.array == "logits" else "an array"
        more = next((text for name, text in beside.items() if name in signature.parameters), "")
        plan.__name__ = plan.__qualname__ = self.name
        plan.__module__ = "fastup.plan"
        plan.__doc__ = (
            f"Plan of `fastup.{self.name}` for {what} of this shape and dtype{more}."
            f"\n\nExamples\n--------\n{self.example}"
        )
        plan.__signature__ = signature  # type: ignore[attr-defined]
        return plan

    def bind(
        self, signature: inspect.Signature, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> dict[str, Any]:
        """Arguments by name, with what a call that does not fit says of itself."""
        try:
            bound = signature.bind(*arguments, **keywords)
        except TypeError as error:
            raise TypeError(f"{self.name}() {error}") from None
        return bound.arguments


def operator(row: Row, example: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a function as an operator; `example` plans it."""

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        Operator(function.__name__, function, row, example)
        return function

    return declare


def of_ranks(
    kind: str, row: Row, example: str, **texts: str
) -> Callable[[Callable[Concatenate[str, P], R]], tuple[Callable[P, R], Callable[P, R], Callable[P, R]]]:
    """Declare an operator of one, two and three spatial axes at once; the declaration takes the operator's name first.

    Docstring and example say ``<name>`` and ``<rank>`` where the three differ, and stand-ins such as ``<rest>`` for
    `texts`.
    """

    def declare(
        function: Callable[Concatenate[str, P], R],
    ) -> tuple[Callable[P, R], Callable[P, R], Callable[P, R]]:
        def of_rank(rank: int) -> Callable[P, R]:
            ranked = _named(function, f"{kind}{rank}d")
            ranked.__doc__ = of_this_rank(function.__doc__ or "", ranked.__name__, rank, **texts)
            Operator(ranked.__name__, ranked, row, of_this_rank(example, ranked.__name__, rank))
            return ranked

        return of_rank(1), of_rank(2), of_rank(3)

    return declare


def of_this_rank(text: str, name: str, rank: int, **texts: str) -> str:
    """A text with the words that depend on the rank: ``<name>``, ``<rank>``, ``<pool>``, ``<unpool>``, and `texts`."""
    words = {"pool": f"max_pool{rank}d", "unpool": f"max_unpool{rank}d", **texts}
    words |= {"name": name, "rank": str(rank)}  # last: other texts may mention them
    text = inspect.cleandoc(text)
    for word, meaning in words.items():
        text = text.replace(f"<{word}>", meaning.strip("\n"))
    return text


def _named(function: Callable[Concatenate[str, P], R], name: str) -> Callable[P, R]:
    """The function for one name, which errors about its arguments mention too."""
    code = function.__code__
    copy = types.FunctionType(code, function.__globals__, name)
    for attribute in ("__defaults__", "__kwdefaults__"):
        setattr(copy, attribute, getattr(function, attribute))
    copy.__qualname__ = name

    def ranked(*arguments: P.args, **keywords: P.kwargs) -> R:
        result: R = copy(name, *arguments, **keywords)
        return result

    signature = inspect.signature(function)
    ranked.__name__ = ranked.__qualname__ = name
    ranked.__module__ = function.__module__
    ranked.__signature__ = signature.replace(parameters=[*signature.parameters.values()][1:])  # type: ignore[attr-defined]
    return ranked
