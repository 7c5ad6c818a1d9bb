"""What all plans have in common: shapes, windows, tiles."""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar

import numpy as np

from fastup.plan import check, windows
from fastup.plan.cache import cached
from fastup.plan.lazy import lazy
from fastup.plan.windows import Window

Array = np.ndarray[Any, Any]
PlanType = TypeVar("PlanType", bound="Plan")


@dataclass(frozen=True)
class Plan(ABC):
    """One call of one operator with everything decided: shapes, tables, order of the copy. Plain data.

    Plans are equal when their normalised arguments are.

    Attributes
    ----------
    operator : str
        Name of the public function.
    input_shape, output_shape : tuple of int
        Shapes of the argument and of the result.
    dtype : numpy.dtype
        Of the argument and of the result.
    data_format : {"channels_first", "channels_last"}
        Where the channel axis stands: before the spatial axes, or last.
    window : tuple of (int, int), or None
        The wanted output positions per spatial axis, from and to; None for all.
    part : tuple of (int, int), or None
        The input positions per spatial axis that the argument holds; None for all.
    whole : Plan, or None
        The plan without `window` and `part` that this one was cut out of.
    """

    operator: str
    input_shape: tuple[int, ...]
    dtype: np.dtype[Any]
    data_format: str
    output_shape: tuple[int, ...]
    # Whether kernels take native byte order only, and whether memory that is channels-last may stay so.
    native_only: ClassVar[bool] = False
    keeps_memory_order: ClassVar[bool] = True
    # What a back-end packed for this plan, by the strides of the input; lives and dies with the plan.
    backend_cache: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False, init=False)
    window: Window | None = field(default=None, kw_only=True)
    part: Window | None = field(default=None, kw_only=True)
    whole: Plan | None = field(default=None, kw_only=True, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the plan alone: addresses mean nothing to another process."""
        return {**{name: value for name, value in vars(self).items() if name != "own_tile"}, "backend_cache": {}}

    @property
    def channel_axis(self) -> int:
        """Index of the channel axis."""
        return len(self.input_shape) - 1 if self.data_format == "channels_last" else self.first_spatial_axis - 1

    @property
    def first_spatial_axis(self) -> int:
        """Index of the first spatial axis."""
        return 2 if self.data_format == "channels_first" else 1

    @property
    def outputs(self) -> tuple[tuple[tuple[int, ...], np.dtype[Any]], ...]:
        """Shape and dtype of each result."""
        return ((self.output_shape, self.dtype),)

    @property
    @abstractmethod
    def rank(self) -> int:
        """Number of spatial axes."""

    @abstractmethod
    def reads(self, window: Window) -> Window:
        """The input positions, from and to per spatial axis, that these positions of the whole result need."""

    def windowed_fields(self, window: Window, part: Window | None) -> dict[str, Any]:
        """Fields that differ, beside the shapes, in a plan that is `restricted`."""
        return {}

    @property
    def spatial_axes(self) -> tuple[int, ...]:
        """Indices of the spatial axes."""
        return tuple(range(self.first_spatial_axis, self.first_spatial_axis + self.rank))

    @property
    def output_spatial_axes(self) -> tuple[int, ...]:
        """Indices of the result's spatial axes."""
        return self.spatial_axes

    def space(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The spatial extents of the input's or the result's shape."""
        return tuple(shape[axis] for axis in self.spatial_axes)

    def bind(self, x: Any, out: Any, *, operands: Sequence[Any] = (), threads: int | None = None) -> Callable[[], Any]:
        """A call without arguments that executes the plan on these arrays, which are checked here, once.

        Each call reads what `x` and the operands hold then.

        Parameters
        ----------
        x : array
            In the memory of the CPU, of the plan's input shape and dtype.
        out : array, or tuple of arrays
            C-contiguous memory that takes the result, one array per result.
        operands, threads
            As in `fastup.run`.

        Returns
        -------
        callable
            Fills `out` and returns it. It keeps both arrays alive.

        Examples
        --------
        >>> import fastup, numpy as np
        >>> plan = fastup.plan.interpolate((1, 1, 3), "float32", scale_factor=2)
        >>> x, out = np.zeros((1, 1, 3), np.float32), np.empty((1, 1, 6), np.float32)
        >>> call = plan.bind(x, out)
        >>> x[...] = 1, 2, 3
        >>> call()
        array([[[1., 1., 2., 2., 3., 3.]]], dtype=float32)
        """
        from fastup.plan.registry import Execution

        return Execution.bind(self, x, out, operands, threads)

    def input_window(self, slices: Any = None) -> tuple[slice, ...]:
        """The input region that a window of the result needs.

        Parameters
        ----------
        slices : tuple of slice, optional
            Positions of the whole result, one slice per spatial axis; default the plan's own window.

        Returns
        -------
        tuple of slice
            Input positions per spatial axis.

        Examples
        --------
        >>> import fastup
        >>> plan = fastup.plan.interpolate((1, 1, 10, 10), "float32", scale_factor=4, mode="bilinear")
        >>> plan.input_window((slice(8, 16), slice(None)))
        (slice(1, 5, None), slice(0, 10, None))
        """
        whole = self.whole or self
        return tuple(slice(*part) for part in whole.reads(self._wanted(slices)))

    def tile(self, slices: Any = None) -> Plan:
        """The plan that makes a window of the result out of its `input_window` alone.

        Parameters
        ----------
        slices : tuple of slice, optional
            Positions of the whole result, one slice per spatial axis; default the plan's own window.

        Returns
        -------
        Plan
            For an array that holds the input window and nothing else. The result is that part of the whole result, bit
            for bit.

        Examples
        --------
        >>> import fastup, numpy as np
        >>> x = np.random.rand(1, 1, 10, 10)
        >>> plan = fastup.plan.interpolate(x.shape, x.dtype, scale_factor=4, mode="bilinear")
        >>> window = (slice(8, 16), slice(None))
        >>> y = fastup.run(plan.tile(window), x[(..., *plan.input_window(window))])
        >>> np.array_equal(y, fastup.run(plan, x)[:, :, 8:16])
        True
        """
        whole, wanted = self.whole or self, self._wanted(slices)
        return whole.restricted(wanted, whole.reads(wanted))

    def windows(self, most_bytes: int) -> Iterator[tuple[slice, ...]]:
        """Cut the plan's result into windows, so that what fits in no memory can be made part by part.

        Parameters
        ----------
        most_bytes : int
            What the largest results of a window may take together, if one position along every axis takes no more.

        Returns
        -------
        iterator of tuple of slice
            Positions of the whole result, one slice per spatial axis, in the order in which they lie in memory.

        Examples
        --------
        >>> import fastup
        >>> plan = fastup.plan.interpolate((1, 1, 10, 10), "uint8", scale_factor=4)
        >>> [(rows.start, rows.stop) for rows, _ in plan.windows(600)]
        [(0, 15), (15, 30), (30, 40)]
        """
        most = check.integer(self.operator, "most_bytes", most_bytes)
        window = self._wanted(None)
        (self.whole or self).reads(window)  # which refuses plans without windows
        size = [stop - start for start, stop in window]
        held = sum(math.prod(shape) * dtype.itemsize for shape, dtype in self.outputs)
        steps, bytes_ = [1] * len(size), held // max(1, math.prod(size))
        for k in reversed(range(len(size))):  # the last axis first, and whole before the next
            steps[k] = max(1, min(size[k], most // max(1, bytes_)))
            bytes_ *= steps[k]
        begins = (range(start, stop, step) for (start, stop), step in zip(window, steps, strict=True))
        return (
            tuple(slice(b, min(b + step, stop)) for b, step, (_, stop) in zip(corner, steps, window, strict=True))
            for corner in itertools.product(*begins)
        )

    @lazy
    def own_tile(self) -> tuple[Plan, tuple[slice, ...]]:
        """The tile of the plan's own window, and what to take of the whole argument for it."""
        index = [slice(None)] * len(self.input_shape)
        for axis, part in zip(self.spatial_axes, self.input_window(), strict=True):
            index[axis] = part
        return self.tile(), tuple(index)

    def restricted(self: PlanType, window: Window, part: Window | None = None) -> PlanType:
        """The plan, which is whole, for a window of the result and a part of the argument."""
        fields = self.windowed_fields(window, part)
        fields["output_shape"] = _with_extents(self.output_shape, self.output_spatial_axes, window)
        if part is not None:
            fields["input_shape"] = _with_extents(self.input_shape, self.spatial_axes, part)
        return replace(self, **fields, window=window, part=part, whole=self)

    def cut(self: PlanType, window: Any) -> PlanType:
        """The plan, which is whole, for a window as callers give it; None leaves it as it is."""
        return self if window is None else _cut(self, windows.as_pairs(self.operator, window))

    def _wanted(self, slices: Any) -> Window:
        if slices is None:
            return self.window or tuple((0, extent) for extent in self.result_size)
        return windows.normalised(self.operator, windows.as_pairs(self.operator, slices), self.result_size)

    @property
    def result_size(self) -> tuple[int, ...]:
        """Spatial extents of the whole result."""
        whole = self.whole or self
        return tuple(whole.output_shape[axis] for axis in whole.output_spatial_axes)

    def with_dtype(self: PlanType, dtype: np.dtype[Any]) -> PlanType:
        """The same plan for items of another dtype that is computed with in the same way."""
        return replace(self, dtype=dtype, whole=self.whole and self.whole.with_dtype(dtype))

    def check_operands(self, given: tuple[Any, ...]) -> None:
        """Refuse arrays beside the input; plans that take some say which."""
        if given:
            check.invalid(f"run: operands must be empty for a plan of {self.operator}, got {len(given)}")

    def with_channels_last(self) -> Plan:
        """The same operation on the same memory, seen with its channels last."""
        axis = self.channel_axis

        def moved(shape: tuple[int, ...]) -> tuple[int, ...]:
            return (*shape[:axis], *shape[axis + 1 :], shape[axis])

        before, after = moved(self.input_shape), moved(self.output_shape)
        whole = self.whole and self.whole.with_channels_last()
        return replace(self, input_shape=before, output_shape=after, data_format="channels_last", whole=whole)

    @property
    def table_bytes(self) -> int:
        """Bytes of the plan's own tables; those of kernels stand in what back-ends pack."""
        held = (value if isinstance(value, tuple) else (value,) for value in vars(self).values())
        return sum(one.nbytes for values in held for one in values if isinstance(one, np.ndarray))


@cached
def _cut(plan: PlanType, pairs: Any) -> PlanType:
    return plan.restricted(windows.normalised(plan.operator, pairs, plan.result_size))


def _with_extents(shape: tuple[int, ...], axes: tuple[int, ...], window: Window) -> tuple[int, ...]:
    extents = list(shape)
    for axis, (start, stop) in zip(axes, window, strict=True):
        extents[axis] = stop - start
    return tuple(extents)


def read_only(table: Array) -> Array:
    """The array, locked: plans are shared."""
    table.flags.writeable = False
    return table
