"""Normalisation of arguments, and every error message about them.

A message is one sentence, ``<operator>: <parameter> must be <rule>, got <value>``: TypeError for a kind, ValueError
for a value. Nothing is cached or computed before its arguments have passed through here, so ``2.0`` or ``True`` cannot
stand in for ``2``.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

Shape = tuple[int, ...]
DType = np.dtype[Any]
DATA_FORMATS = ("channels_first", "channels_last")
_SHOWN = 120  # characters of a value
_ITEM_SIZES = (1, 2, 4, 8, 16)


def shown(value: Any) -> str:
    """What a message shows of a value: its repr on one line, and the beginning of a long one."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # Python writes no integers of more than 4,300 digits
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def integer(op: str, name: str, value: Any, rule: str = "an integer", minimum: int = 1) -> int:
    """`value` as an integer of at least `minimum` that 64 bits hold."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{op}: {name} must be {rule}, got {value!r}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{op}: {name} must be {rule}, got {shown(value)}") from None
    if number < minimum:
        raise ValueError(f"{op}: {name} must be at least {minimum}, got {shown(value)}")
    if number > sys.maxsize:
        raise ValueError(f"{op}: {name} must be less than 2**63, got {shown(value)}")
    return number


def number(op: str, name: str, value: Any) -> float:
    """`value` as a float; integers beyond all floats are infinite."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{op}: {name} must be a number, got {shown(value)}")
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def whole_number(op: str, name: str, value: Any, rule: str) -> int:
    """`value` as an integer of either sign."""
    return integer(op, name, value, rule, minimum=-sys.maxsize)


def integers(op: str, name: str, value: Any, rule: str, minimum: int = 1) -> tuple[int, ...]:
    """A number or a sequence of numbers as a tuple."""
    if is_sequence(value):
        return tuple(integer(op, name, entry, rule, minimum) for entry in value)
    return (integer(op, name, value, rule, minimum),)


def per_axis(op: str, name: str, value: Any, rank: int, minimum: int = 1) -> tuple[int, ...]:
    """A number for every spatial axis, or one number per axis."""
    rule = "an integer or one integer per spatial axis"
    if not is_sequence(value):
        return (integer(op, name, value, rule, minimum),) * rank
    numbers = integers(op, name, value, rule, minimum)
    if len(numbers) != rank:
        invalid(f"{op}: {name} must be one integer per spatial axis ({rank}), got {shown(value)}")
    return numbers


def is_sequence(value: Any) -> bool:
    """Whether `value` holds one entry per axis; an array without axes is a number."""
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray, memoryview))


def positive(op: str, name: str, value: Any) -> float:
    """`value` as a finite float above 0."""
    rule = "a number or one number per spatial axis"
    if isinstance(value, (bool, np.bool_, str, bytes)):
        raise TypeError(f"{op}: {name} must be {rule}, got {shown(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError):
        raise TypeError(f"{op}: {name} must be {rule}, got {shown(value)}") from None
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{op}: {name} must be finite and greater than 0, got {shown(value)}")
    return number


def flag(op: str, name: str, value: Any) -> bool:
    """`value` as a bool; only True and False are."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{op}: {name} must be True or False, got {shown(value)}")
    return bool(value)


def choice(op: str, name: str, value: Any, options: tuple[str, ...]) -> str:
    """`value` if it is one of `options`."""
    if not isinstance(value, str):
        raise TypeError(f"{op}: {name} must be a string, got {shown(value)}")
    if value not in options:
        raise ValueError(f"{op}: {name} must be one of {', '.join(map(repr, options))}, got {shown(value)}")
    return value


def shape(op: str, value: Any, name: str = "shape") -> Shape:
    """A shape given by a caller of a plan or an exporter."""
    if not is_sequence(value):
        raise TypeError(f"{op}: {name} must be a tuple of integers, got {shown(value)}")
    return tuple(integer(op, name, entry, "a tuple of integers", minimum=0) for entry in value)


def dtype(op: str, value: Any, name: str = "dtype") -> DType:
    """A dtype given by a caller of a plan or an exporter; "bfloat16" means ml_dtypes'."""
    if isinstance(value, str) and value == "bfloat16":
        import ml_dtypes

        value = ml_dtypes.bfloat16
    try:
        result: DType = np.dtype(value)
    except Exception:  # among them SyntaxError, of names such as "(2,"
        raise TypeError(f"{op}: {name} must be a NumPy dtype, got {shown(value)}") from None
    return result


def movable(op: str, value: DType, name: str = "x") -> None:
    """Refuse dtypes whose items cannot be copied as plain bits."""
    if value.hasobject or value.itemsize not in _ITEM_SIZES:
        sizes = "1, 2, 4, 8 or 16"
        raise TypeError(f"{op}: {name} must have items of {sizes} bytes without Python objects, got dtype {value}")


def numeric(op: str, value: DType, purpose: str = "this mode") -> None:
    """Refuse dtypes that cannot be weighted, summed and compared."""
    if not (value.kind in "iu" or value.name in ("float16", "bfloat16", "float32", "float64")):
        rule = f"an integer dtype, float16, bfloat16, float32 or float64 for {purpose}"
        raise TypeError(f"{op}: x must have {rule}, got dtype {value}")


def floats(op: str, name: str, value: DType) -> None:
    """Refuse all but the floats that kernels compute with."""
    if value.name not in ("float16", "bfloat16", "float32", "float64"):
        raise TypeError(f"{op}: {name} must have dtype float16, bfloat16, float32 or float64, got {value}")


def unmasked(op: str, name: str, value: Any) -> None:
    """Refuse arrays that hide items behind a mask, which kernels would compute with as with all others."""
    if hasattr(value, "mask") and hasattr(value, "filled"):
        raise TypeError(
            f"{op}: {name} must be an array without a mask, got {type(value).__name__};"
            " its method filled gives one with a value of your choice in the place of what is masked"
        )


def as_array(op: str, name: str, value: Any) -> np.ndarray[Any, Any]:
    """`value` as NumPy sees it, if it can."""
    unmasked(op, name, value)
    try:
        return np.asarray(value)
    except (RuntimeError, ValueError, TypeError) as error:  # tensors with gradients or elsewhere, ragged lists
        raise TypeError(f"{op}: {name} must be an array, got {type(value).__name__} ({error})") from None


def size_in_memory(op: str, output_shape: Shape, value: DType) -> None:
    """Refuse results whose bytes no address can count, even if an axis of no extent leaves nothing to hold."""
    if math.prod(max(1, extent) for extent in output_shape) * value.itemsize > sys.maxsize:
        invalid(f"{op}: result must be smaller than 2**63 bytes, got shape {output_shape} and dtype {value}")


def not_enough_memory(op: str, output_shape: Shape, value: DType, beside: str = "") -> MemoryError:
    """The error for results that the system refuses to hold."""
    size = math.prod(output_shape) * value.itemsize
    return MemoryError(
        f"{op}: result of shape {output_shape} and dtype {value} needs {size} bytes{beside}, more than there are"
    )


def out(op: str, value: Any, output_shape: Shape, dtype_out: DType, x: np.ndarray[Any, Any]) -> None:
    """Refuse an `out` that cannot take the result as it is."""
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{op}: out must be an array of the same kind as x, got {type(value).__name__}")
    if type(value) is not np.ndarray:
        unmasked(op, "out", value)
    if value.shape != output_shape:
        invalid(f"{op}: out must have shape {output_shape} for x of shape {x.shape}, got {value.shape}")
    if value.dtype != dtype_out:
        invalid(f"{op}: out must have dtype {dtype_out}, got {value.dtype}")
    if not (value.flags.c_contiguous and value.flags.aligned and value.flags.writeable):
        invalid(f"{op}: out must be C-contiguous, aligned and writable, got {_flaws(value)}")
    if np.may_share_memory(value, x):
        invalid(f"{op}: out must not share memory with x, got arrays that overlap")


def outs(
    op: str,
    value: Any,
    wanted: tuple[tuple[Shape, DType], ...],
    x: np.ndarray[Any, Any],
    operands: tuple[Any, ...] = (),
) -> tuple[np.ndarray[Any, Any], ...]:
    """`out` as one array per result, each of which can take its result as it is, apart from all other memory."""
    if len(wanted) == 1:
        value = (value,)
    elif not isinstance(value, tuple) or len(value) != len(wanted):
        raise TypeError(f"{op}: out must be a tuple of {len(wanted)} arrays, got {type(value).__name__}")
    for one, (output_shape, dtype_out) in zip(value, wanted, strict=True):
        out(op, one, output_shape, dtype_out, x)
    others = [one for one in operands if isinstance(one, np.ndarray)]
    for number, one in enumerate(value):
        if any(np.may_share_memory(one, other) for other in (*value[:number], *others)):
            invalid(f"{op}: out must not share memory with another array of the call, got arrays that overlap")
    return tuple(value)


def _flaws(value: np.ndarray[Any, Any]) -> str:
    flags = value.flags
    rules = {"C-contiguous": flags.c_contiguous, "aligned": flags.aligned, "writable": flags.writeable}
    return " and ".join(f"one that is not {name}" for name, holds in rules.items() if not holds)


def renamed(error: Exception, part: str, op: str) -> Exception:
    """An error whose message begins with another name, because it arose in a part of what was called."""
    text = str(error)
    return type(error)(op + text[len(part) :] if text.startswith(part) else text)


def invalid(message: str) -> NoReturn:
    """Raise ValueError with this message."""
    raise ValueError(message)
