"""Activation functions: one record each. Back-ends and exporters have one entry per function, which a test counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fastup.plan import check
from fastup.plan.operands import Operand

Activation = tuple[str, float]  # as plans hold one: its name, and the number beside it
Name = Literal[
    "none", "relu", "leaky_relu", "tanh", "sigmoid", "silu", "gelu", "gelu_tanh", "hardswish", "elu", "softplus"
]


@dataclass(frozen=True)
class Record:
    """What is known of an activation function.

    Attributes
    ----------
    name : str
    number : str
        What the number beside the name is called; empty where there is none.
    default : float
        That number where the name stands alone.
    per_channel : bool
        Whether the number may come as an array, one per channel; then it must come.
    function : str
        The function that computes it, where two share one.
    """

    name: str
    number: str = ""
    default: float = 0.0
    per_channel: bool = False
    function: str = ""

    @property
    def computed_by(self) -> str:
        """The name of the function in back-ends."""
        return self.function or self.name


RECORDS = {
    record.name: record
    for record in (
        Record("relu"),
        Record("leaky_relu", "slope", 0.01),
        Record("prelu", per_channel=True, function="leaky_relu"),
        Record("tanh"),
        Record("sigmoid"),
        Record("silu"),
        Record("gelu"),
        Record("gelu_tanh"),
        Record("hardswish"),
        Record("elu", "alpha", 1.0),
        Record("softplus", "beta", 1.0),
    )
}
FUNCTIONS = tuple(dict.fromkeys(record.computed_by for record in RECORDS.values()))
_ALIASES = {("gelu", "none"): "gelu", ("gelu", "tanh"): "gelu_tanh"}  # torch's argument `approximate`


def with_slopes(activation: Any) -> tuple[Any, Any]:
    """What a plan may know of an activation, and the slopes of a PReLU."""
    name = activation[0] if isinstance(activation, tuple) and len(activation) == 2 else None
    if isinstance(name, str) and name in RECORDS and RECORDS[name].per_channel:
        return name, activation[1]
    return activation, None


def normalised(op: str, activation: Any, slopes: Operand | None) -> Activation:
    """Name and number; 0 where there is none."""
    if activation is None:
        activation = "none"
    if isinstance(activation, str) and activation in RECORDS:
        record = RECORDS[activation]
        if record.per_channel == (slopes is not None):
            return (activation, record.default)
    if isinstance(activation, str) and (activation == "prelu") != (slopes is not None):
        given = check.shown(activation)
        check.invalid(f"{op}: activation 'prelu' must come with slopes, ('prelu', slopes), got {given}")
    if isinstance(activation, tuple):
        return _pair(op, activation)
    check.choice(op, "activation", activation, ("none", *RECORDS))
    return ("none", 0.0)


def _pair(op: str, activation: tuple[Any, ...]) -> Activation:
    """A name and what stands beside it."""
    if len(activation) == 2 and isinstance(activation[0], str):
        name, value = activation
        if isinstance(value, str) and (name, value) in _ALIASES:
            return (_ALIASES[name, value], 0.0)
        if name in RECORDS and RECORDS[name].number:
            return (name, check.number(op, f"{RECORDS[name].number} of {name}", value))
    pairs = ", ".join(f"({record.name!r}, {record.number})" for record in RECORDS.values() if record.number)
    rule = f"a name, {pairs}, ('gelu', 'tanh') or ('prelu', slopes)"
    check.invalid(f"{op}: activation must be {rule}, got {check.shown(activation)}")
