"""What a node would be called in torch, what torch's operator gives there, and why a node cannot be it."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from fastup import operators
from fastup.export.runtimes import torch
from fastup.export.verification.convolution_meanings import conv, conv_transpose
from fastup.export.verification.meanings import Called as Called
from fastup.export.verification.meanings import Candidate as Candidate
from fastup.export.verification.meanings import Meaning as Meaning
from fastup.export.verification.meanings import called_as as called_as
from fastup.export.verification.model import Found
from fastup.export.verification.pool_meanings import max_pool, max_unpool
from fastup.export.verification.resize_meanings import resize

Array = np.ndarray[Any, Any]


def meaning(found: Found, opset: int) -> Meaning:
    """The node in torch's words."""
    makers = {
        "Resize": resize,
        "Upsample": resize,
        "DepthToSpace": _depth_to_space,
        "SpaceToDepth": _space_to_depth,
        "Conv": conv,
        "ConvTranspose": conv_transpose,
        "MaxUnpool": max_unpool,
        "MaxPool": max_pool,
    }
    return _moved(found) if found.move else makers[found.op_type](found, opset)


def _moved(found: Found) -> Meaning:
    """Nodes that move items as one operator does."""
    x, move = np.asarray(found.inputs[0]), found.move
    assert move is not None
    called = None if move.torch is None else functools.partial(torch.call, move.torch[0], [x], *move.torch[1:])
    return Meaning(move.words, [Candidate(move.words, lambda: move.call(x), torch=called)], [], [])


def _depth_to_space(found: Found, _opset: int) -> Meaning:
    r, order = found.attributes["blocksize"], found.attributes.get("mode", "DCR")
    x = np.asarray(found.inputs[0])
    if order == "CRD":
        shuffle = Candidate(
            f"pixel_shuffle({r})",
            lambda: operators.pixel_shuffle(x, r),
            torch=lambda: torch.call("pixel_shuffle", [x], {"upscale_factor": r}, last=False),
        )
        return Meaning(shuffle.words, [shuffle], [], [])
    warning = "DCR is TensorFlow's order of channels; torch's pixel_shuffle is CRD"
    return Meaning(f"pixel_shuffle({r}) of channels in the order DCR", [], [], [warning] if x.shape[1] > r * r else [])


def _space_to_depth(found: Found, _opset: int) -> Meaning:
    r, order = found.attributes["blocksize"], found.attributes.get("mode", "DCR")
    x = np.asarray(found.inputs[0])
    if order == "CRD" or x.shape[1] == 1:  # then both orders are the same
        unshuffle = Candidate(
            f"pixel_unshuffle({r})",
            lambda: operators.pixel_unshuffle(x, r),
            torch=lambda: torch.call("pixel_unshuffle", [x], {"downscale_factor": r}, last=False),
        )
        return Meaning(unshuffle.words, [unshuffle], [], [])
    warning = f"SpaceToDepth puts phases before channels; pixel_unshuffle({r}) of torch has another order of channels"
    return Meaning(f"pixel_unshuffle({r}) into channels in the order DCR", [], [], [warning])
