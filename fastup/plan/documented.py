"""One function for several ranks: its name, and the words of its docstring that depend on the rank."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def documented(name: str, rank: int, **texts: str) -> Callable[[F], F]:
    """Name a function, and put texts for ``<name>``, ``<rank>``, ``<pool>``, ``<unpool>`` into its docstring."""
    pools = {"pool": f"max_pool{rank}d", "unpool": f"max_unpool{rank}d"}
    # Name and rank come last: other texts may mention them.
    words = {**pools, **texts, "name": name, "rank": str(rank)}

    def named(function: F) -> F:
        function.__name__ = function.__qualname__ = name
        doc = inspect.cleandoc(function.__doc__ or "")
        for word, text in words.items():
            doc = doc.replace(f"<{word}>", inspect.cleandoc(text))
        function.__doc__ = doc
        return function

    return named
