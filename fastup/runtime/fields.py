"""The integers of a kernel by name: declared once beside the kernel, which reads them so, and filled so by the host."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from types import ModuleType
from typing import SupportsIndex

Value = SupportsIndex | Sequence[SupportsIndex]


class Fields(ModuleType):
    """The places of named integers: ``params[P.rows]`` is the integer that ``P.fill(rows=...)`` puts there.

    Numba takes what a module holds for constants, and a module has no other cost: hence the base class. A record that
    stands in a list among the integers is declared in the same way.
    """

    def __init__(self, names: str, base: Fields | None = None, /, **widths: int | Fields) -> None:
        """The names in order, behind those of `base`; one with a width stands for so many integers, or for a record."""
        super().__init__("fields")
        self._widths: dict[str, int] = dict(base._widths) if base else {}
        for name in names.split():
            width = widths.get(name, 1)
            self._widths[name] = width if isinstance(width, int) else width.size
        for name, end in zip(self._widths, accumulate(self._widths.values()), strict=True):
            setattr(self, name, end - self._widths[name])

    @property
    def size(self) -> int:
        """Integers in all."""
        return sum(self._widths.values())

    @property
    def bytes(self) -> int:
        """Bytes of all integers."""
        return 8 * self.size

    def fill(self, **values: Value) -> list[int]:
        """All integers in order."""
        if values.keys() != self._widths.keys():
            unset, unknown = self._widths.keys() - values.keys(), values.keys() - self._widths.keys()
            raise TypeError(f"fields of a kernel: {sorted(unset)} are unset, {sorted(unknown)} unknown")
        filled: list[int] = []
        for name, width in self._widths.items():
            value = values[name]
            numbers = [int(value)] if isinstance(value, SupportsIndex) else [int(number) for number in value]
            if len(numbers) != width:
                raise TypeError(f"fields of a kernel: {name} has {width} integers, not {len(numbers)}")
            filled += numbers
        return filled
