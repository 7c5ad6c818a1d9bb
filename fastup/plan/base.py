"""What all plans have in common, and the cache that gives equal arguments the same plan."""

from __future__ import annotations

import functools
import os
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar

import numpy as np

from fastup.plan import check, windows
from fastup.plan.windows import Window

Array = np.ndarray[Any, Any]
PlanType = TypeVar("PlanType", bound="Plan")
_CACHE_BYTES = 16 * 2**20
_PLAN_BYTES = 2048  # a plan without its tables, and what a back-end keeps for it


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
    output_shape: tuple[int, ...] = field(compare=False)
    # Whether kernels take native byte order only, and whether memory that is channels-last may stay so.
    native_only: ClassVar[bool] = False
    keeps_memory_order: ClassVar[bool] = True
    # What a back-end packed for this plan, by the strides of the input; lives and dies with the plan.
    packed: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False, init=False)
    window: Window | None = field(default=None, kw_only=True)
    part: Window | None = field(default=None, kw_only=True)
    whole: Plan | None = field(default=None, kw_only=True, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the plan alone: addresses mean nothing to another process."""
        return {**self.__dict__, "packed": {}}

    @property
    def channel_axis(self) -> int:
        """Index of the channel axis."""
        return len(self.input_shape) - 1 if self.data_format == "channels_last" else self.first_spatial_axis - 1

    @property
    def first_spatial_axis(self) -> int:
        """Index of the first spatial axis."""
        return 2 if self.data_format == "channels_first" else 1

    @property
    def extra_outputs(self) -> tuple[tuple[tuple[int, ...], np.dtype[Any]], ...]:
        """Shape and dtype of each result beside the first."""
        return ()

    @property
    @abstractmethod
    def rank(self) -> int:
        """Number of spatial axes."""

    @abstractmethod
    def reads(self, window: Window) -> Window:
        """The input positions, from and to per spatial axis, that these positions of the whole result need."""

    def changes(self, window: Window, part: Window | None) -> dict[str, Any]:
        """Fields that differ, beside the shapes, in a plan that is `restricted`."""
        return {}

    @property
    def spatial_axes(self) -> tuple[int, ...]:
        """Indices of the spatial axes."""
        return tuple(range(self.first_spatial_axis, self.first_spatial_axis + self.rank))

    def space(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The spatial extents of the input's or the result's shape."""
        return tuple(shape[axis] for axis in self.spatial_axes)

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

    @functools.cached_property
    def own_tile(self) -> tuple[Plan, tuple[slice, ...]]:
        """The tile of the plan's own window, and what to take of the whole argument for it."""
        index = [slice(None)] * len(self.input_shape)
        for axis, part in zip(self.spatial_axes, self.input_window(), strict=True):
            index[axis] = part
        return self.tile(), tuple(index)

    def restricted(self: PlanType, window: Window, part: Window | None = None) -> PlanType:
        """The plan, which is whole, for a window of the result and a part of the argument."""
        given, made = list(self.input_shape), list(self.output_shape)
        for k, axis in enumerate(self.spatial_axes):
            made[axis] = window[k][1] - window[k][0]
            given[axis] = given[axis] if part is None else part[k][1] - part[k][0]
        fields = self.changes(window, part) | {"input_shape": tuple(given), "output_shape": tuple(made)}
        return replace(self, **fields, window=window, part=part, whole=self)

    def cut(self: PlanType, window: Any) -> PlanType:
        """The plan, which is whole, for a window as callers give it; None leaves it as it is."""
        return self if window is None else _cut(self, windows.as_pairs(self.operator, window))

    def _wanted(self, slices: Any) -> Window:
        size = self.space((self.whole or self).output_shape)
        if slices is None:
            return self.window or tuple((0, extent) for extent in size)
        return windows.normalised(self.operator, windows.as_pairs(self.operator, slices), size)

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
        """Bytes of the plan's tables."""
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))


class _Cache:
    """Least recently used plans go first once their tables exceed the bound."""

    def __init__(self, limit: int) -> None:
        self._limit, self._bytes = limit, 0
        self._plans: OrderedDict[tuple[Any, ...], Plan] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[Any, ...]) -> Plan | None:
        with self._lock:
            plan = self._plans.get(key)
            if plan is not None:
                self._plans.move_to_end(key)
            return plan

    def put(self, key: tuple[Any, ...], plan: Plan) -> None:
        with self._lock:
            if key in self._plans or self._cost(plan) > self._limit:
                return
            self._plans[key] = plan
            self._bytes += self._cost(plan)
            while self._bytes > self._limit:
                self._bytes -= self._cost(self._plans.popitem(last=False)[1])

    def __len__(self) -> int:
        return len(self._plans)

    @staticmethod
    def _cost(plan: Plan) -> int:
        return _PLAN_BYTES + plan.table_bytes

    def unlock(self) -> None:
        self._lock = threading.Lock()


cache = _Cache(_CACHE_BYTES)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=cache.unlock)  # another thread of the parent may have held it


def cached(build: Callable[..., PlanType]) -> Callable[..., PlanType]:
    """Remember plans by normalised arguments, which must be hashable and already checked."""

    def planned(*arguments: Any) -> PlanType:
        key = (build, *arguments)
        try:
            plan = cache.get(key)
        except TypeError:  # an unhashable argument; `build` says which
            return build(*arguments)
        if plan is None:
            plan = build(*arguments)
            cache.put(key, plan)
        return plan  # type: ignore[return-value]

    return planned


@cached
def _cut(plan: PlanType, pairs: Any) -> PlanType:
    return plan.restricted(windows.normalised(plan.operator, pairs, plan.space(plan.output_shape)))


def read_only(table: Array) -> Array:
    """The array, locked: plans are shared."""
    table.flags.writeable = False
    return table
