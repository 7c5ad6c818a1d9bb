"""What all adapters of runtimes have in common."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import onnx

if TYPE_CHECKING:  # processes of their own import nothing else of fastup
    from fastup.export.tolerances import Tolerance

Array = np.ndarray[Any, Any]
Reason = tuple[str, str]  # why a difference is there, and what to change in the model


@dataclass(frozen=True)
class Node:
    """What is known of a node that runtimes are compared on.

    Attributes
    ----------
    attributes : dict
        By name, as they are given; strings as str.
    inputs : list
        The values that come in, or their names; None for those left out.
    """

    op_type: str
    attributes: dict[str, Any]
    inputs: list[Any]


@functools.cache
def _is_present(package: str) -> bool:
    """Whether it can be imported; looking for ten packages takes a millisecond."""
    return importlib.util.find_spec(package) is not None


def node_of(written: onnx.NodeProto) -> Node:
    """A node as a graph has it."""
    return Node(written.op_type, attributes_of(written), [name or None for name in written.input])


def set_attributes(node: Node, *names: str) -> list[str]:
    """Those of these attributes that a node has, and that are not 0."""
    return [name for name in names if node.attributes.get(name)]


def aspect_policy(node: Node) -> list[str]:
    """Its name, where a Resize has one that keeps proportions."""
    name = "keep_aspect_ratio_policy"
    return [name] if node.attributes.get(name, "stretch") != "stretch" else []


def attributes_of(written: onnx.NodeProto) -> dict[str, Any]:
    """By name; strings as str."""
    values = {given.name: onnx.helper.get_attribute_value(given) for given in written.attribute}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}


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
    decides : bool
        Whether ``verify`` judges by it unless told otherwise, and tests ask it too; else it is reported only.
    timed : bool
        Whether the benchmarks and the demo time it.
    apart : bool
        Whether it runs in a process of its own, so that it may crash or hang.
    calls : bool
        Whether it runs calls that are described, not nodes.
    """

    name: str
    package: str
    decides: bool = True
    timed: bool = True
    apart: bool = True
    calls: bool = False

    @property
    def program(self) -> str:
        """The name without the settings."""
        return self.name.split(",")[0]

    def is_installed(self) -> bool:
        """Whether it can be used here."""
        return _is_present(self.package)

    def version(self) -> str:
        """Of the package."""
        return importlib.metadata.version(self.package)

    @abstractmethod
    def prepare(self, model: onnx.ModelProto, threads: int | None = None) -> Session:
        """The model, ready to run on so many threads; by default as many as the runtime likes."""

    def tolerance(self, allowed: Tolerance) -> Tolerance:
        """How far its rounding may bring a result, where sums in float32 may bring it as far as `allowed`."""
        return allowed

    def left_out(self, node: Node) -> Sequence[str]:
        """The attributes of a node that the runtime reads over without a word."""
        return ()

    def dropped(self, node: Node) -> str | None:
        """What is left out, as a sentence."""
        names = self.left_out(node)
        return f"{self.program} drops {' and '.join(names)} without a word" if names else None

    def known(self, node: Node) -> Reason | None:
        """Why the runtime is known to differ on a node."""
        reason = self.dropped(node)
        return (reason, "fastup fix --lowering portable writes a graph without") if reason else None

    def mistaken(self, node: Node) -> str | None:
        """What the runtime is known to compute wrongly, whatever the model: its answer counts for nothing."""
        return None

    def can_judge(self, model: onnx.ModelProto) -> bool:
        """Whether no node of a model is one of these."""
        nodes = [node_of(written) for written in model.graph.node]
        return not any(self.dropped(node) or self.known(node) or self.mistaken(node) for node in nodes)
