"""What all adapters of runtimes have in common."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
import onnx

Array = np.ndarray[Any, Any]
Reason = tuple[str, str]  # why a difference is there, and what to change in the model


class Node(Protocol):
    """What is known of a node that runtimes are compared on."""

    @property
    def op_type(self) -> str:
        """The operator of ONNX."""

    @property
    def attributes(self) -> dict[str, Any]:
        """By name, as they are given."""

    @property
    def inputs(self) -> list[Any]:
        """The values that come in; None for those left out."""


class Session(NamedTuple):
    """A model that is ready to run.

    Attributes
    ----------
    run : callable
        (list of inputs) -> list of outputs.
    bind : callable, optional
        (input, target) -> a call without arguments that fills `target`, for runtimes that can.
    """

    run: Callable[[list[Array]], list[Array]]
    bind: Callable[[Array, Array], Callable[[], Any]] | None = None


class Runtime(ABC):
    """One way to run a model; its file stands in this folder, with an instance in ``RUNTIMES``.

    Attributes
    ----------
    name : str
        As reports show it: the program, and after a comma how it is set.
    package : str
        What must be installed, and whose version is told.
    """

    name: str
    package: str

    @property
    def program(self) -> str:
        """The name without the settings."""
        return self.name.split(",")[0]

    def is_installed(self) -> bool:
        """Whether it can be used here."""
        return importlib.util.find_spec(self.package) is not None

    def version(self) -> str:
        """Of the package."""
        return importlib.metadata.version(self.package)

    @abstractmethod
    def prepare(self, model: onnx.ModelProto, threads: int | None = None) -> Session:
        """The model, ready to run on so many threads; by default as many as the runtime likes."""

    def dropped(self, node: Node) -> str | None:
        """The attribute of a node that the runtime leaves out without a word."""
        return None

    def known(self, node: Node) -> Reason | None:
        """Why the runtime is known to differ on a node."""
        return None

    def mistaken(self, node: Node) -> str | None:
        """What the runtime is known to compute wrongly, whatever the model: its answer counts for nothing."""
        return None
