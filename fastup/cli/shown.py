"""What a user sees of a batch while it runs: names, rate and time left on a terminal, elsewhere what must be known."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Shown:
    """Progress on a terminal; nothing at all elsewhere."""

    def __init__(self, bar: Progress | None, count: int) -> None:
        self._progress, self._parts, self._lock = bar, dict[str, float](), threading.Lock()
        self._task = bar.add_task("", total=count) if bar is not None else None

    def begin(self, name: str) -> None:
        """The picture that is being made."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=escape(name))

    def part(self, name: str, part: float) -> None:
        """Which part of it is."""
        if self._progress is not None and self._task is not None:
            with self._lock:
                self._parts[name] = part
                self._progress.update(self._task, completed=sum(self._parts.values()))

    def line(self, text: str) -> None:
        """A picture that was made."""
        if self._progress is not None:
            shown = click.format_filename(text)
            self._progress.console.print(shown, highlight=False, markup=False, emoji=False, soft_wrap=True)

    def said(self, text: str) -> None:
        """What is to be known wherever it is read."""
        if self._progress is not None:
            self.line(text)
        else:
            click.echo(click.format_filename(text), err=True)


class _Rate(TextColumn):
    """Pictures a second."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Any) -> Any:
        """As text."""
        from rich.text import Text

        return Text(f"{task.speed:.1f}/s" if task.speed else "")


@contextlib.contextmanager
def progress(count: int) -> Iterator[Shown]:
    """What is shown of so many pictures."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Shown(None, count)
        return
    columns: tuple[Any, ...] = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn()
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        yield Shown(bar, count)
