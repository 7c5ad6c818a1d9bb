"""What all layers share: calls, names, parameters, and the repr that torch prints."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np

from fastup import arrays
from fastup.nn import _state
from fastup.nn._spellings import FLOATS as FLOATS
from fastup.nn._spellings import HALVES as HALVES
from fastup.plan import check
from fastup.runtime import memory

ModuleT = TypeVar("ModuleT", bound="Module")
Array = np.ndarray[Any, Any]


class Module:
    """What all layers share: a call goes to `forward`, and the repr shows `extra_repr`.

    Layers that are attributes of a layer are its children. Parameters are read-only arrays: assign a new array to
    change one, and everything that was made from the old one is made anew.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> class Twice(fastup.nn.Module):
    ...     def __init__(self):
    ...         self.up = fastup.nn.Upsample(scale_factor=2)
    ...
    ...     def forward(self, x):
    ...         return self.up(self.up(x))
    >>> Twice()(np.zeros((1, 1, 2, 2))).shape, [name for name, _ in Twice().named_children()]
    ((1, 1, 8, 8), ['up'])
    """

    # Keys of other programs by parameter, and parameters that a state may lack.
    other_keys: ClassVar[Mapping[str, str]] = {}
    optional_keys: ClassVar[tuple[str, ...]] = ()

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """Apply the layer."""
        return self.forward(*inputs, **options)

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Apply the layer; every layer defines it."""
        raise TypeError(f"{type(self).__name__}: a layer must define forward")

    def pass_through(self, x: Any, indices: list[Any]) -> Any:
        """Apply the layer inside a container; pooling leaves its indices on the list, unpooling takes the last."""
        return self.forward(x)

    def extra_repr(self) -> str:
        """The arguments, as the repr shows them."""
        return ""

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The layers that this one is made of, in order, with their names."""
        return ((name, value) for name, value in vars(self).items() if isinstance(value, Module))

    def children(self) -> Iterator[Module]:
        """The layers that this one is made of, in order."""
        return (layer for _, layer in self.named_children())

    @property
    def own_state(self) -> dict[str, Array | None]:
        """The layer's own parameters by name, in torch's order; None for one that it is made without."""
        found: dict[str, Array | None] = self.__dict__.setdefault("_own_state", {})
        return found

    def __repr__(self) -> str:
        name, arguments = type(self).__name__, self.extra_repr()
        inner = [f"({key}): {layer!r}".replace("\n", "\n  ") for key, layer in self.named_children()]
        if not inner:
            return f"{name}({arguments})"
        return "\n  ".join([f"{name}(", *([arguments] if arguments else []), *inner]) + "\n)"

    def state_dict(self) -> dict[str, Array]:
        """Copies of all parameters, with torch's names in torch's order.

        Examples
        --------
        >>> import fastup.nn
        >>> list(fastup.nn.Sequential(fastup.nn.Conv2d(1, 2, 3), fastup.nn.ReLU()).state_dict())
        ['0.weight', '0.bias']
        """
        return {entry.key: entry.array.copy() for entry in _state.entries(self)}

    def load_state_dict(self, state: Any, strict: bool = True) -> _state.Keys:
        """Take the parameters from a mapping with torch's keys, or from a file; nothing is taken if any does not fit.

        Parameters
        ----------
        state : mapping of arrays, or path
            NumPy arrays or torch's tensors by key; or the path of an .npz, .safetensors (with the package safetensors),
            .pth or .pt file (with torch, which reads weights only). A state within ``params_ema``, ``params`` or
            ``state_dict``, keys behind ``module.``, and weights in torch's two spellings of weight_norm are understood.
            Floats of another width are cast, as torch does.
        strict : bool
            Whether `state` must have exactly the keys of the layer.

        Returns
        -------
        Keys
            `missing_keys` and `unexpected_keys`, as torch's; both empty if `strict`.

        Raises
        ------
        TypeError
            If `state` is no mapping or path, or an array has another kind of dtype than the parameter.
        ValueError
            If keys are missing or surplus, or an array has another shape than the parameter.

        Examples
        --------
        >>> import numpy as np, fastup.nn
        >>> layer = fastup.nn.PReLU()
        >>> layer.load_state_dict({"weight": np.array([0.5], np.float32)})
        Keys(missing_keys=[], unexpected_keys=[])
        >>> layer(np.array([-1.0, 1.0], np.float32))
        array([-0.5,  1. ], dtype=float32)
        """
        return _state.load(self, state, strict)

    def eval(self: ModuleT) -> ModuleT:
        """The layer itself, which is as torch's layers are after this call: nothing is dropped, averages are fixed.

        Examples
        --------
        >>> import fastup.nn
        >>> fastup.nn.ReLU().eval()
        ReLU()
        """
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Lock the parameters of a copy: copying and unpickling leave them writable."""
        self.__dict__.update(state)
        self.__dict__["_own_state"] = dict(self.own_state)
        for array in self.own_state.values():
            if array is not None:
                array.flags.writeable = False


class Parameter:
    """An attribute that belongs to the state: checked and copied when it is assigned, read-only to who reads it."""

    def __set_name__(self, owner: type[Module], name: str) -> None:
        self.name = name

    def __get__(self, layer: Module | None, owner: type[Module]) -> Any:
        return self if layer is None else layer.own_state.get(self.name)

    def __set__(self, layer: Module, value: Any) -> None:
        if self.name in layer.own_state:
            value = _state.fitting(type(layer).__name__, self.name, value, layer.own_state[self.name])
        layer.own_state[self.name] = None if value is None else self.kept(layer, value)

    def kept(self, layer: Module, array: Array) -> Array:
        """The array as the layer holds it."""
        return read_only(array.copy())


def read_only(array: Array) -> Array:
    """The array, locked."""
    array.flags.writeable = False
    return array


def room_for(op: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Refuse parameters that the machine cannot hold, counted in the eight bytes that they have on their way."""
    if not memory.fits(math.prod(shape) * 8):
        raise check.not_enough_memory(op, shape, dtype)


def initial(weight: tuple[int, ...], shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """First values as torch draws them for weight and bias: uniform within 1 / sqrt(inputs of one output)."""
    inputs = int(np.prod(weight[1:]))
    bound = inputs**-0.5
    return np.random.default_rng().uniform(-bound, bound, shape).astype(dtype)


def dtype_of(op: str, dtype: Any) -> np.dtype[Any]:
    """The dtype of a layer's parameters; float32 unless another is given."""
    result = check.dtype(op, "float32" if dtype is None else dtype)
    if result.name not in FLOATS:
        raise TypeError(f"{op}: dtype must be one of {', '.join(FLOATS)}, got {result}")
    return result


def elementwise(x: Any, check_values: Callable[[Array], None], function: Callable[[Array], Any]) -> Any:
    """`function` of the values of `x` as NumPy computes it, half precision as float32; in kind and dtype of `x`."""

    def of_view(values: Array) -> Array:
        check_values(values)
        wide = values.astype(np.float32) if values.dtype.name in HALVES else values
        with np.errstate(all="ignore"):
            result = function(wide)
        made = np.asarray(result) if isinstance(result, np.generic) else result  # what is lazy stays so
        return made.astype(values.dtype, copy=False)

    return arrays.mapped(of_view, x)
