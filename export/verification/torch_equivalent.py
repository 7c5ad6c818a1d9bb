"""What a node would be called in torch, what torch's operator gives there, and why a node cannot be it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from fastup import operators
from fastup.export.backend.windows import transposed, windows
from fastup.export.tolerances import Tolerance
from fastup.export.verification.model import Found
from fastup.export.verification.report import Difference, difference
from fastup.plan.sampling.filter import Filter
from fastup.plan.sampling.filters import FILTERS

Array = np.ndarray[Any, Any]


class Candidate(NamedTuple):
    """A call of one of torch's operators (fastup's, which equal them) that the author may have meant.

    Attributes
    ----------
    words : str
    call : callable
    operator : str
        Of fastup, for its exporter; empty where there is none.
    keywords : dict
    """

    words: str
    call: Callable[[], Array]
    operator: str = ""
    keywords: Mapping[str, Any] = MappingProxyType({})


class Meaning(NamedTuple):
    """A node in torch's words.

    Attributes
    ----------
    words : str
    candidates : list of Candidate
    causes : list of (str, str)
        What in the node keeps it from being one of them, and what to change; the first that applies comes first.
    warnings : list of str
    """

    words: str
    candidates: list[Candidate]
    causes: list[tuple[str, str]]
    warnings: list[str]


class Called(NamedTuple):
    """The call that was run and gave a node's numbers, or the nearest one and how far it is away."""

    words: str
    difference: Difference | None
    candidate: Candidate | None = None


def called_as(words: Meaning, result: Array, allowed: Tolerance) -> Called:
    """What to call a node that gave this result."""
    nearest: tuple[Candidate, Difference] | None = None
    for candidate in words.candidates:
        try:
            one = difference(result, candidate.call(), allowed)
        except (ValueError, TypeError):  # torch has no such call for these arrays
            continue
        if isinstance(one, str):
            continue
        if one.within:
            return Called(candidate.words, one, candidate)
        if nearest is None or one.absolute < nearest[1].absolute:
            nearest = candidate, one
    if nearest is None:
        return Called(words.words if not words.candidates else f"no call of torch: {words.words} does not fit", None)
    candidate, found = nearest
    return Called(f"no call of torch: the nearest is {candidate.words}, {found.absolute:.3g} away", found, candidate)


def meaning(found: Found, opset: int) -> Meaning:
    """The node in torch's words."""
    makers = {
        "Resize": _resize,
        "Upsample": _resize,
        "DepthToSpace": _depth_to_space,
        "SpaceToDepth": _space_to_depth,
        "ConvTranspose": _conv_transpose,
        "MaxUnpool": _max_unpool,
        "MaxPool": _max_pool,
    }
    return _moved(found) if found.move else makers[found.op_type](found, opset)


def _moved(found: Found) -> Meaning:
    """Nodes that move items as one operator does."""
    x, move = np.asarray(found.inputs[0]), found.move
    assert move is not None
    return Meaning(move.words, [Candidate(move.words, lambda: move.call(x))], [], [])


def _resize(found: Found, opset: int) -> Meaning:
    x, y, given = np.asarray(found.inputs[0]), found.outputs[0], found.attributes
    mode, rank = given.get("mode", "nearest"), x.ndim - 2
    causes = _resize_causes(found, opset)
    last = x.shape[:2] != y.shape[:2] and (x.shape[0], x.shape[-1]) == (y.shape[0], y.shape[-1])
    if not 1 <= rank <= 3 or (x.shape[:2] != y.shape[:2] and not last):
        return Meaning(f"a resize of {x.shape} to {y.shape}", [], [("batch or channels are resized", "none")], [])
    size = y.shape[1:-1] if last else y.shape[2:]
    align = given.get("coordinate_transformation_mode", "half_pixel") == "align_corners"
    smooth = {"align_corners": align, "antialias": bool(given.get("antialias", 0))}
    candidates = []
    for record in _filters(mode):
        name, options = record.ranked.get(rank, record.mode), smooth if record.half else {}
        words = ", ".join([f"size={size}", f"mode={name!r}", *(f"{key}={value}" for key, value in options.items())])
        options = {**options, "data_format": "channels_last"} if last else options
        told = " of channels last" if last else ""
        candidates.append(_interpolation(f"interpolate({words}){told}", x, {"size": size, "mode": name, **options}))
        factors = _factors(found, opset, last)
        if factors:
            by_scale = words.replace(f"size={size}", f"scale_factor={factors}")
            given = {"scale_factor": factors, "mode": name, **options}
            candidates.append(_interpolation(f"interpolate({by_scale}){told}", x, given))
    return Meaning(candidates[0][0], candidates, causes, [])


def _filters(mode: str) -> list[Filter]:
    """Those that are a Resize of this mode."""
    return [record for record in FILTERS.values() if (record.sampled.onnx or {}).get("mode") == mode]


def _interpolation(words: str, x: Array, keywords: dict[str, Any]) -> Candidate:
    return Candidate(words, lambda: operators.interpolate(x, **keywords), "interpolate", keywords)


def _factors(found: Found, opset: int, last: bool = False) -> tuple[float, ...]:
    """The spatial scales, where the node has some."""
    if found.op_type == "Upsample":
        scales = found.attributes.get("scales", found.inputs[1] if len(found.inputs) > 1 else None)
    else:
        place = 1 if opset < 11 else 2
        scales = found.inputs[place] if len(found.inputs) > place else None
    if scales is None or not len(scales) or "axes" in found.attributes:
        return ()
    return tuple(float(scale) for scale in (list(scales)[1:-1] if last else list(scales)[2:]))


def _resize_causes(found: Found, opset: int) -> list[tuple[str, str]]:
    given, causes = found.attributes, []
    mode = given.get("mode", "nearest")
    default = "asymmetric" if found.op_type == "Upsample" or opset < 11 else "half_pixel"
    coordinates = given.get("coordinate_transformation_mode", default)
    a = given.get("cubic_coeff_a", -0.75)
    if given.get("antialias") and not given.get("exclude_outside"):
        causes.append(("antialias without exclude_outside weighs the repeated edge", "exclude_outside=1"))
    if coordinates == "pytorch_half_pixel" and 1 in found.outputs[0].shape[2:]:
        causes.append(("pytorch_half_pixel samples position 0 where the output has length 1", "half_pixel"))
    usual = (_filters(mode)[0].form(bool(given.get("antialias"))).onnx or {}).get("cubic_coeff_a", a)
    if not math.isclose(a, usual, rel_tol=1e-6):
        causes.append((f"torch's cubic has no coefficient {a}", f"{usual}"))
    if given.get("antialias") and coordinates == "align_corners":
        causes.append(("antialias with align_corners centres its filter elsewhere than torch", "a product of matrices"))
    if mode != "nearest" and coordinates not in ("half_pixel", "align_corners", "pytorch_half_pixel"):
        causes.append((f"no mode of torch samples at {coordinates!r}", "half_pixel or align_corners"))
    if mode == "nearest":
        causes += _nearest_causes(given, coordinates)
    return causes


def _nearest_causes(given: dict[str, Any], coordinates: str) -> list[tuple[str, str]]:
    rounding = given.get("nearest_mode", "floor" if coordinates == "asymmetric" else "round_prefer_floor")
    written = {"mode": "nearest", "coordinate_transformation_mode": coordinates, "nearest_mode": rounding}
    if any(record.sampled.onnx == written for record in _filters("nearest")):
        return [("at this ratio runtimes round the coordinate otherwise than torch", "Gather with known indices")]
    advice = "asymmetric with floor (nearest), half_pixel with round_prefer_ceil (nearest-exact)"
    return [(f"no nearest mode of torch is {coordinates} with {rounding}", advice)]


def _depth_to_space(found: Found, _opset: int) -> Meaning:
    r, order = found.attributes["blocksize"], found.attributes.get("mode", "DCR")
    x = np.asarray(found.inputs[0])
    if order == "CRD":
        shuffle = Candidate(f"pixel_shuffle({r})", lambda: operators.pixel_shuffle(x, r))
        return Meaning(shuffle.words, [shuffle], [], [])
    warning = "DCR is TensorFlow's order of channels; torch's pixel_shuffle is CRD"
    return Meaning(f"pixel_shuffle({r}) of channels in the order DCR", [], [], [warning] if x.shape[1] > r * r else [])


def _space_to_depth(found: Found, _opset: int) -> Meaning:
    r, order = found.attributes["blocksize"], found.attributes.get("mode", "DCR")
    x = np.asarray(found.inputs[0])
    if order == "CRD" or x.shape[1] == 1:  # then both orders are the same
        unshuffle = Candidate(f"pixel_unshuffle({r})", lambda: operators.pixel_unshuffle(x, r))
        return Meaning(unshuffle.words, [unshuffle], [], [])
    warning = f"SpaceToDepth puts phases before channels; pixel_unshuffle({r}) of torch has another order of channels"
    return Meaning(f"pixel_unshuffle({r}) into channels in the order DCR", [], [], [warning])


def _conv_transpose(found: Found, _opset: int) -> Meaning:
    x, w = np.asarray(found.inputs[0]), np.asarray(found.inputs[1])
    bias = np.asarray(found.inputs[2]) if len(found.inputs) > 2 and found.inputs[2] is not None else None
    rank = x.ndim - 2
    placed = _torch_pads(found, x.shape[2:], w.shape[2:])
    given = found.attributes
    shown: dict[str, Any] = {"stride": given.get("strides")}
    shown |= {"padding": placed.before, "output_padding": placed.more} if placed.causes == [] else {}
    shown |= {"dilation": given.get("dilations"), "groups": given.get("group")}
    words = ", ".join(f"{name}={_plain(value)}" for name, value in shown.items() if _matters(name, value))
    named = f"conv_transpose{rank}d(weight of {tuple(w.shape)}{', ' + words if words else ''})"
    if placed.causes:
        return Meaning(named, [], placed.causes, [])

    def call() -> Array:
        operator = getattr(operators, f"conv_transpose{rank}d")
        strides, dilations = given.get("strides") or 1, given.get("dilations") or 1
        arguments = (tuple(strides) if isinstance(strides, Sequence) else 1, placed.before, placed.more)
        dilation = tuple(dilations) if isinstance(dilations, Sequence) else 1
        result: Array = operator(x, w, bias, *arguments, given.get("group") or 1, dilation)
        return result

    return Meaning(named, [Candidate(named, call)], [], [])


class _Pads(NamedTuple):
    """Pads of a transposed convolution as torch has them, or why it cannot."""

    before: tuple[int, ...]
    more: tuple[int, ...]
    causes: list[tuple[str, str]]


def _torch_pads(found: Found, space: Sequence[int], kernel: Sequence[int]) -> _Pads:
    """What pads, auto_pad or a shape come to: torch pads both ends alike, and adds less than a stride at the end."""
    given, rank = found.attributes, len(space)
    auto, wanted = given.get("auto_pad") or "NOTSET", given.get("output_shape")
    auto = auto.decode() if isinstance(auto, bytes) else auto
    more = tuple(given.get("output_padding") or (0,) * rank)
    made = windows(
        "ConvTranspose", kernel, space, given.get("strides"), given.get("dilations"), given.get("pads"), None
    )
    if wanted is None and auto in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [n * s for n, s in zip(space, made.stride, strict=True)]
    if wanted is not None:
        made = transposed(made, space, more, list(wanted)[-rank:], auto == "SAME_UPPER")
    added = tuple(b - a + m for b, a, m in zip(made.before, made.after, more, strict=True))
    if any(extra < 0 or extra >= max(s, d) for extra, s, d in zip(added, made.stride, made.dilation, strict=True)):
        told = f"torch pads both ends alike, this node {made.before} and {made.after}"
        return _Pads((), (), [(told, "pads that differ by less than a stride, more at the beginning")])
    if any(one < 0 for one in made.before):
        return _Pads((), (), [("the result is longer than all that the input reaches", "no output_shape")])
    return _Pads(made.before, added, [])


def _matters(name: str, value: Any) -> bool:
    usual = 0 if "padding" in name else 1
    return value is not None and any(one != usual for one in (value if isinstance(value, Sequence) else [value]))


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, Sequence) else value


def _max_pool(found: Found, _opset: int) -> Meaning:
    given = found.attributes
    kernel, stride = tuple(given["kernel_shape"]), tuple(given.get("strides", ()))
    words = f"max_pool{len(kernel)}d(kernel_size={kernel}, stride={stride or 1}, return_indices=True)"
    return Meaning(words, [], [], [])


def _max_unpool(found: Found, _opset: int) -> Meaning:
    x, indices, y = np.asarray(found.inputs[0]), np.asarray(found.inputs[1]), found.outputs[0]
    kernel = tuple(found.attributes["kernel_shape"])
    stride = tuple(found.attributes.get("strides", (1,) * len(kernel)))
    plane, planes = math.prod(y.shape[2:]), math.prod(y.shape[:2])
    words = f"max_unpool{len(kernel)}d(kernel_size={kernel}, stride={stride})"
    offsets = (np.arange(planes) * plane).reshape(*x.shape[:2], *(1,) * len(kernel))
    per_plane = planes > 1 and indices.min(initial=0) >= 0 and indices.max(initial=0) < plane
    inside = indices if per_plane else indices - offsets
    causes = []
    if per_plane:
        causes.append(("indices count within each plane, as torch's do; ONNX's count over the whole array",
                       "add n * plane to those of plane n, or ScatterElements"))  # fmt: skip

    padding = tuple(found.attributes.get("pads", (0,) * len(kernel)))[: len(kernel)]
    keywords = {"kernel_size": kernel, "stride": stride, "padding": padding, "output_size": y.shape[2:]}
    name = f"max_unpool{len(kernel)}d"

    def call() -> Array:  # refuses indices of other planes, which torch has not
        result: Array = getattr(operators, name)(x, np.ascontiguousarray(inside), **keywords)
        return result

    return Meaning(words, [Candidate(words, call, name, keywords)], causes, [])
