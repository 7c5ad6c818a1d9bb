"""Public architectures with random weights, small inputs, and how they become ONNX: by either of torch's exporters."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable
from typing import Any

import onnx
import torch
from torch import nn

Make = Callable[[], nn.Module]


def _functional(call: Callable[[torch.Tensor], torch.Tensor]) -> Make:
    class Called(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return call(x)

    return Called


def _interpolations() -> dict[str, tuple[Make, tuple[int, ...]]]:
    functional = nn.functional
    kinds: dict[str, dict[str, Any]] = {
        "nearest": {"scale_factor": 2}, "nearest size": {"size": (11, 13)}, "nearest-exact": {"size": (16, 14)},
        "bilinear": {"scale_factor": 2}, "bilinear aligned": {"size": (11, 13), "align_corners": True},
        "bicubic": {"scale_factor": 2}, "bicubic aligned": {"size": (11, 13), "align_corners": True},
        "bilinear antialias": {"size": (5, 4), "antialias": True},
        "bicubic antialias": {"size": (5, 4), "antialias": True},
    }  # fmt: skip

    def made(name: str) -> Make:
        return _functional(lambda x: functional.interpolate(x, mode=name.split()[0], **kinds[name]))

    return {f"torch {name}": (made(name), (1, 3, 8, 7)) for name in kinds}


def _layers() -> dict[str, tuple[Make, tuple[int, ...]]]:
    functional = nn.functional
    return {
        "torch pixel_shuffle": (lambda: nn.PixelShuffle(2), (1, 12, 5, 4)),
        "torch pixel_unshuffle": (lambda: nn.PixelUnshuffle(2), (1, 3, 6, 8)),
        "torch subpixel": (lambda: nn.Sequential(nn.Conv2d(4, 12, 3, padding=1), nn.PixelShuffle(2)), (1, 4, 5, 6)),
        "torch conv_transpose": (lambda: nn.ConvTranspose2d(6, 4, 3, 2, 1, 1), (1, 6, 5, 4)),
        "torch conv_transpose groups": (lambda: nn.ConvTranspose2d(6, 6, 4, 2, 1, groups=6), (1, 6, 5, 4)),
        "torch conv_transpose1d": (lambda: nn.ConvTranspose1d(6, 1, 16, 8), (1, 6, 50)),
        "torch unfold": (lambda: nn.Unfold(2, stride=2), (1, 3, 6, 8)),
        "torch tile": (_functional(lambda x: x.tile(1, 1, 2, 2)), (1, 3, 5, 4)),
        "torch repeat_interleave": (_functional(lambda x: x.repeat_interleave(2, 2)), (1, 3, 5, 4)),
        "torch focus": (
            _functional(lambda x: torch.cat([x[..., a::2, b::2] for b in (0, 1) for a in (0, 1)], 1)), (1, 3, 6, 8),
        ),
        "torch unfold by hand": (
            _functional(lambda x: x.reshape(1, 3, 2, 4, 3, 4).permute(0, 1, 3, 5, 2, 4).reshape(1, 48, 6)),
            (1, 3, 8, 12),
        ),
        "torch grid_sample": (
            _functional(lambda x: functional.grid_sample(x, torch.zeros(1, 4, 4, 2), align_corners=False)),
            (1, 3, 5, 4),
        ),
    }  # fmt: skip


def _torchvision() -> dict[str, tuple[Make, tuple[int, ...]]]:
    from torchvision.models import segmentation

    names = ("fcn_resnet50", "deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large")

    def made(name: str) -> Make:
        class Out(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner = getattr(segmentation, name)(weights=None, weights_backbone=None)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return self.inner(x)["out"]

        return Out

    return {f"torchvision {name}": (made(name), (1, 3, 64, 96)) for name in names}


def _segmentation() -> dict[str, tuple[Make, tuple[int, ...]]]:
    import segmentation_models_pytorch as smp

    names = ("Unet", "UnetPlusPlus", "MAnet", "Linknet", "FPN", "PSPNet", "PAN", "DeepLabV3Plus")

    def made(name: str) -> Make:
        return lambda: getattr(smp, name)("resnet18", encoder_weights=None)

    return {f"smp {name}": (made(name), (1, 3, 64, 64)) for name in names}


def _super_resolution() -> dict[str, tuple[Make, tuple[int, ...]]]:
    from spandrel.architectures import (
        DAT,
        HAT,
        PLKSR,
        RCAN,
        SAFMN,
        SPAN,
        NAFNet,
        OmniSR,
        RealCUGAN,
        SwinIR,
    )  # fmt: skip
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact
    from spandrel.architectures.ESRGAN.__arch.RRDB import RRDBNet

    small = {"embed_dim": 12, "depths": (1,), "num_heads": (2,), "window_size": 4, "img_size": 16, "upscale": 2}
    return {
        "spandrel Compact": (lambda: SRVGGNetCompact(num_feat=8, num_conv=2), (1, 3, 12, 16)),
        "spandrel RRDBNet": (lambda: RRDBNet(num_filters=8, num_blocks=1, scale=4), (1, 3, 12, 16)),
        "spandrel RRDBNet x2": (
            lambda: RRDBNet(in_nc=12, num_filters=8, num_blocks=1, scale=2, shuffle_factor=2), (1, 3, 12, 16),
        ),
        "spandrel SwinIR": (lambda: SwinIR.SwinIR(**small, upsampler="pixelshuffle"), (1, 3, 16, 16)),
        "spandrel SwinIR nearest": (
            lambda: SwinIR.SwinIR(**{**small, "upscale": 4}, upsampler="nearest+conv"), (1, 3, 16, 16),
        ),
        "spandrel HAT": (
            lambda: HAT.HAT(**{**small, "overlap_ratio": 0.5, "embed_dim": 60}, upsampler="pixelshuffle"),
            (1, 3, 16, 16),
        ),
        "spandrel DAT": (
            lambda: DAT.DAT(img_size=16, embed_dim=60, split_size=(4, 4), depth=(1,), num_heads=(2,), upscale=2),
            (1, 3, 16, 16),
        ),
        "spandrel OmniSR": (lambda: OmniSR.OmniSR(num_feat=8, res_num=1, up_scale=2), (1, 3, 16, 16)),
        "spandrel PLKSR": (lambda: PLKSR.PLKSR(dim=8, n_blocks=1, upscaling_factor=2), (1, 3, 16, 16)),
        "spandrel RCAN": (
            lambda: RCAN.RCAN(n_resgroups=1, n_resblocks=1, n_feats=8, reduction=4, scale=2), (1, 3, 16, 16),
        ),
        "spandrel SAFMN": (lambda: SAFMN.SAFMN(dim=8, n_blocks=1, upscaling_factor=2), (1, 3, 16, 16)),
        "spandrel SPAN": (lambda: SPAN.SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2), (1, 3, 16, 16)),
        "spandrel NAFNet": (
            lambda: NAFNet.NAFNet(width=8, middle_blk_num=1, enc_blk_nums=[1, 1], dec_blk_nums=[1, 1]), (1, 3, 16, 16),
        ),
        "spandrel RealCUGAN": (lambda: RealCUGAN.UpCunet2x(), (1, 3, 32, 32)),
    }  # fmt: skip


def _others() -> dict[str, tuple[Make, tuple[int, ...]]]:
    import diffusers
    import timm

    blocks = {"block_out_channels": (8, 8), "norm_num_groups": 4, "layers_per_block": 1}

    def vae() -> nn.Module:
        kinds = {"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2}
        model = diffusers.AutoencoderKL(**blocks, **kinds).eval().requires_grad_(False)
        return _functional(lambda x: model.decode(x, return_dict=False)[0])()

    def unet() -> nn.Module:
        kinds = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
        model = diffusers.UNet2DModel(sample_size=16, **blocks, **kinds).eval().requires_grad_(False)
        return _functional(lambda x: model(x, 3, return_dict=False)[0])()

    def tiny() -> nn.Module:
        channels = {"encoder_block_out_channels": (8, 8), "decoder_block_out_channels": (8, 8)}
        counts = {"num_encoder_blocks": (1, 1), "num_decoder_blocks": (1, 1), "latent_channels": 4}
        model = diffusers.AutoencoderTiny(**channels, **counts)
        model = model.eval().requires_grad_(False)
        return _functional(lambda x: model.decode(x, return_dict=False)[0])()

    return {
        "diffusers AutoencoderKL": (vae, (1, 4, 8, 8)),
        "diffusers UNet2DModel": (unet, (1, 3, 16, 16)),
        "diffusers AutoencoderTiny": (tiny, (1, 4, 8, 8)),
        "timm hrnet": (lambda: timm.create_model("hrnet_w18_small", num_classes=3), (1, 3, 64, 64)),
        "timm swin": (lambda: timm.create_model("swin_tiny_patch4_window7_224", img_size=56), (1, 3, 56, 56)),
        "timm vit": (lambda: timm.create_model("vit_tiny_patch16_224", img_size=32), (1, 3, 32, 32)),
    }  # fmt: skip


_DYNAMO = ("torch ", "spandrel Compact", "spandrel RRDBNet", "smp Unet", "diffusers UNet2DModel", "spandrel SwinIR")


def architectures() -> dict[str, tuple[Make, tuple[int, ...]]]:
    """All of them, with the shapes of their inputs."""
    parts = (_interpolations, _layers, _torchvision, _segmentation, _super_resolution, _others)
    return {name: made for part in parts for name, made in part().items()}


def exporters(name: str) -> list[str]:
    """TorchScript's for all, torch.export's, which is slow, for some."""
    return ["script", *(["dynamo"] if name.startswith(_DYNAMO) else [])]


def exported(make: Make, shape: tuple[int, ...], exporter: str) -> onnx.ModelProto:
    """The model."""
    torch.manual_seed(0)
    model = make().eval().requires_grad_(False)
    x = torch.rand(shape)
    stream = io.BytesIO()
    logging.disable(logging.WARNING)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
        warnings.simplefilter("ignore")
        if exporter == "script":
            torch.onnx.export(model, (x,), stream, opset_version=18, dynamo=False, input_names=["x"])
            return onnx.load_from_string(stream.getvalue())
        program = torch.onnx.export(model, (x,), dynamo=True, opset_version=18, input_names=["x"], verbose=False)
        assert program is not None
        model_proto: onnx.ModelProto = program.model_proto
        return model_proto
