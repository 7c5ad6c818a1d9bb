"""Networks that upsample, built from the layers: they load the state of the same architecture in torch."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from fastup import nn
from fastup.plan import check

__all__ = ["DCGANGenerator", "ESPCN", "FSRCNN", "SegNet", "UNet", "bicubic"]


def bicubic(upscale_factor: int, channels: int = 1) -> nn.SubPixelConv2d:
    """Bicubic upsampling as one sub-pixel convolution, the weights of each phase being its cubic taps.

    Output ``r*q + p`` lies at ``q + (p + 0.5)/r - 0.5``; ``w[p, k]`` is Keys' cubic with a = -0.75 of the distance from
    there to ``q + k - 2``, for five taps k along each axis. Where the five taps lie within the picture it equals
    ``interpolate(mode="bicubic")``; beyond, it reads zeros.

    Parameters
    ----------
    upscale_factor : int
        For both axes.
    channels : int
        Each is upsampled by itself.

    Returns
    -------
    fastup.nn.SubPixelConv2d
        (N, channels, H, W) to (N, channels, r*H, r*W), with a kernel of 5x5.

    Examples
    --------
    >>> import numpy as np, fastup, fastup.networks
    >>> x = np.random.default_rng(0).random((1, 1, 8, 8), np.float32)
    >>> y = fastup.networks.bicubic(2)(x)
    >>> z = fastup.interpolate(x, scale_factor=2, mode="bicubic")
    >>> bool(np.abs(y - z)[..., 4:-4, 4:-4].max() < 1e-6)
    True
    """
    factor = check.integer("bicubic", "upscale_factor", upscale_factor)
    layer = nn.SubPixelConv2d(channels, channels, factor, kernel_size=5, bias=False)
    position = (np.arange(factor)[:, None] + 0.5) / factor - 0.5
    taps = _cubic(np.abs(np.arange(-2, 3) - position))
    kernel = np.einsum("ik,jl->ijkl", taps, taps).reshape(factor**2, 5, 5)
    weight = np.zeros((channels, factor**2, channels, 5, 5), np.float32)
    each = np.arange(channels)
    weight[each, :, each] = kernel
    layer.weight = weight.reshape(layer.weight.shape)
    return layer


def _cubic(distance: Any) -> Any:
    a = -0.75
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = a * (((distance - 5) * distance + 8) * distance - 4)
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0))


class ESPCN(nn.Sequential):
    """Super-resolution by two convolutions with tanh and a sub-pixel convolution: (N, C, H, W) to (N, C, r*H, r*W).

    Parameters
    ----------
    upscale_factor : int
    channels : int
        1 for luminance alone.

    Notes
    -----
    W. Shi et al., Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
    network, arXiv:1609.05158. In torch: Conv2d, Tanh, Conv2d, Tanh, Conv2d, PixelShuffle in a Sequential.

    Examples
    --------
    >>> import numpy as np, fastup.networks
    >>> network = fastup.networks.ESPCN(3)
    >>> network(np.zeros((1, 1, 16, 16), np.float32)).shape
    (1, 1, 48, 48)
    >>> list(network.state_dict())
    ['0.weight', '0.bias', '2.weight', '2.bias', '4.weight', '4.bias']
    """

    def __init__(self, upscale_factor: int, channels: int = 1) -> None:
        super().__init__(
            nn.Conv2d(channels, 64, 5, padding=2),
            nn.Tanh(),
            nn.Conv2d(64, 32, 3, padding=1),
            nn.Tanh(),
            nn.SubPixelConv2d(32, channels, upscale_factor),
        )


class FSRCNN(nn.Sequential):
    """Super-resolution in a narrow space of the small picture, enlarged by one transposed convolution at the end.

    Parameters
    ----------
    upscale_factor : int
    channels : int
        1 for luminance alone.
    d, s, m : int
        Channels of the features, channels of the narrow space, and number of 3x3 convolutions in it.

    Notes
    -----
    C. Dong et al., Accelerating the super-resolution convolutional neural network, arXiv:1608.00367. In torch: the same
    layers in one Sequential, each convolution but the last with a PReLU of one slope per channel.

    Examples
    --------
    >>> import numpy as np, fastup.networks
    >>> network = fastup.networks.FSRCNN(2)
    >>> network(np.zeros((1, 1, 16, 16), np.float32)).shape
    (1, 1, 32, 32)
    >>> network[-1]
    ConvTranspose2d(56, 1, kernel_size=(9, 9), stride=(2, 2), padding=(4, 4), output_padding=(1, 1))
    """

    def __init__(self, upscale_factor: int, channels: int = 1, d: int = 56, s: int = 12, m: int = 4) -> None:
        factor = check.integer("FSRCNN", "upscale_factor", upscale_factor)
        steps = check.integer("FSRCNN", "m", m, minimum=0)
        kernels = [(channels, d, 5), (d, s, 1), *[(s, s, 3)] * steps, (s, d, 1)]
        layers: list[nn.Module] = []
        for before, after, size in kernels:
            layers += [nn.Conv2d(before, after, size, padding=size // 2), nn.PReLU(after)]
        last = nn.ConvTranspose2d(d, channels, 9, stride=factor, padding=4, output_padding=factor - 1)
        super().__init__(*layers, last)


class UNet(nn.Sequential):
    """Segmentation with skips from every level on the way down to the same level on the way up.

    Each level is two 3x3 convolutions with batch normalisation and ReLU; between levels stand a 2x2 max pooling down
    and a 2x2 transposed convolution up, whose result is joined to what stood there before (`fastup.nn.Skip`).

    Parameters
    ----------
    in_channels, out_channels : int
    features : tuple of int
        Channels of each level, from the top. The size of the input is divisible by 2 per level below the top.

    Notes
    -----
    O. Ronneberger et al., U-Net: convolutional networks for biomedical image segmentation, arXiv:1505.04597; here with
    padding, so that the size stays.

    Examples
    --------
    >>> import numpy as np, fastup.networks
    >>> network = fastup.networks.UNet(3, 2, features=(4, 8, 16))
    >>> network(np.zeros((1, 3, 16, 24), np.float32)).shape
    (1, 2, 16, 24)
    """

    def __init__(self, in_channels: int, out_channels: int, features: tuple[int, ...] = (16, 32, 64)) -> None:
        channels = _levels("UNet", features)
        top = channels[0]
        super().__init__(*_convolutions(in_channels, top, top), *_below(channels), nn.Conv2d(top, out_channels, 1))


def _below(features: tuple[int, ...]) -> list[nn.Module]:
    """A skip around all levels below the first, and the convolutions that join its ends; nothing below the last."""
    if len(features) < 2:
        return []
    here, below = features[:2]
    inner = [nn.MaxPool2d(2), *_convolutions(here, below, below), *_below(features[1:])]
    skip = nn.Skip(nn.Sequential(*inner, nn.ConvTranspose2d(below, here, 2, stride=2)))
    return [skip, *_convolutions(2 * here, here, here)]


def _levels(op: str, features: tuple[int, ...]) -> tuple[int, ...]:
    rule = "at least one integer"
    channels = check.integers(op, "features", features, rule)
    return channels or check.invalid(f"{op}: features must be {rule}, got {features!r}")


def _convolutions(*channels: int) -> list[nn.Module]:
    """3x3 convolutions from each number of channels to the next, with batch normalisation and ReLU."""
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(channels):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
    return layers


class SegNet(nn.Sequential):
    """Segmentation that unpools with the indices of the pooling, so that edges return to the pixel they came from.

    Each level is two 3x3 convolutions with batch normalisation and ReLU, then 2x2 max pooling; the way back unpools and
    convolves in the reverse order.

    Parameters
    ----------
    in_channels, out_channels : int
    features : tuple of int
        Channels of each level. The size of the input is divisible by 2 per level.

    Notes
    -----
    V. Badrinarayanan et al., SegNet: a deep convolutional encoder-decoder architecture for image segmentation,
    arXiv:1511.00561.

    Examples
    --------
    >>> import numpy as np, fastup.networks
    >>> network = fastup.networks.SegNet(3, 2, features=(4, 8))
    >>> network(np.zeros((1, 3, 16, 24), np.float32)).shape
    (1, 2, 16, 24)
    """

    def __init__(self, in_channels: int, out_channels: int, features: tuple[int, ...] = (16, 32)) -> None:
        channels = _levels("SegNet", features)
        down: list[nn.Module] = []
        up: list[nn.Module] = []
        for before, here in zip((in_channels, *channels), channels, strict=False):
            after = before if up else here  # the top level keeps its channels for the last convolution
            down += [*_convolutions(before, here, here), nn.MaxPool2d(2, return_indices=True)]
            up = [nn.MaxUnpool2d(2), *_convolutions(here, here, after), *up]
        super().__init__(*down, *up, nn.Conv2d(channels[0], out_channels, 3, padding=1))


class DCGANGenerator(nn.Sequential):
    """Pictures of 64x64 from noise: (N, latent, 1, 1) to (N, channels, 64, 64), between -1 and 1.

    Parameters
    ----------
    latent : int
        Channels of the noise.
    features : int
        Channels of the last level; each level before has twice as many.
    channels : int

    Notes
    -----
    A. Radford et al., Unsupervised representation learning with deep convolutional generative adversarial networks,
    arXiv:1511.06434.

    Examples
    --------
    >>> import numpy as np, fastup.networks
    >>> network = fastup.networks.DCGANGenerator(latent=8, features=4, channels=1)
    >>> network(np.zeros((2, 8, 1, 1), np.float32)).shape
    (2, 1, 64, 64)
    """

    def __init__(self, latent: int = 100, features: int = 64, channels: int = 3) -> None:
        last = check.integer("DCGANGenerator", "features", features)
        layers: list[nn.Module] = []
        for before, times in ((latent, 8), (8 * last, 4), (4 * last, 2), (2 * last, 1)):
            stride, padding = (2, 1) if layers else (1, 0)  # the first makes 4x4 of one pixel
            layers += [
                nn.ConvTranspose2d(before, times * last, 4, stride, padding, bias=False),
                nn.BatchNorm2d(times * last),
                nn.ReLU(),
            ]
        super().__init__(*layers, nn.ConvTranspose2d(last, channels, 4, 2, 1, bias=False), nn.Tanh())
