"""Convolutions of one, two and three spatial axes."""

from __future__ import annotations

from fastup.nn import _conv_nd


class Conv1d(_conv_nd.ConvNd):
    """Convolution along one axis, as `fastup.conv1d`: (N, C_in, L) to (N, C_out, L').

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.Conv1d(2, 4, 3, padding="same")
    >>> layer, layer(np.zeros((1, 2, 9), np.float32)).shape
    (Conv1d(2, 4, kernel_size=(3,), stride=(1,), padding=same), (1, 4, 9))
    """

    rank = 1


class Conv2d(_conv_nd.ConvNd):
    """Convolution of pictures, as `fastup.conv2d`: (N, C_in, H, W) to (N, C_out, H', W').

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.Conv2d(3, 8, 3, padding=1)
    >>> layer, layer(np.zeros((1, 3, 9, 9), np.float32)).shape
    (Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1)), (1, 8, 9, 9))
    """

    rank = 2


class Conv3d(_conv_nd.ConvNd):
    """Convolution of volumes, as `fastup.conv3d`: (N, C_in, D, H, W) to (N, C_out, D', H', W').

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.Conv3d(1, 2, 2, stride=2)
    >>> layer, layer(np.zeros((1, 1, 4, 4, 4), np.float32)).shape
    (Conv3d(1, 2, kernel_size=(2, 2, 2), stride=(2, 2, 2)), (1, 2, 2, 2, 2))
    """

    rank = 3


class ConvTranspose1d(_conv_nd.ConvTransposeNd):
    """Transposed convolution along one axis, as `fastup.conv_transpose1d`: size L to (L-1)*stride - 2*padding + k.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.ConvTranspose1d(1, 1, 4, stride=2, bias=False)
    >>> layer.weight = np.arange(1, 5, dtype=np.float32).reshape(1, 1, 4)
    >>> layer(np.arange(1, 6, dtype=np.float32).reshape(1, 1, 5)).ravel()
    array([ 1.,  2.,  5.,  8.,  9., 14., 13., 20., 17., 26., 15., 20.],
          dtype=float32)
    """

    rank = 1


class ConvTranspose2d(_conv_nd.ConvTransposeNd):
    """Transposed convolution of pictures, as `fastup.conv_transpose2d`: size n to (n-1)*stride - 2*padding + k.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.ConvTranspose2d(3, 8, 4, stride=2, padding=1)
    >>> layer, layer(np.zeros((1, 3, 4, 4), np.float32)).shape
    (ConvTranspose2d(3, 8, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1)), (1, 8, 8, 8))
    """

    rank = 2


class ConvTranspose3d(_conv_nd.ConvTransposeNd):
    """Transposed convolution of volumes, as `fastup.conv_transpose3d`: size n to (n-1)*stride - 2*padding + k.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.ConvTranspose3d(2, 1, 3, stride=2)
    >>> x = np.zeros((1, 2, 3, 3, 3), np.float32)
    >>> layer(x).shape, layer(x, output_size=8).shape
    ((1, 1, 7, 7, 7), (1, 1, 8, 8, 8))
    """

    rank = 3


class SubPixelConv1d(_conv_nd.SubPixelConvNd):
    """Convolution to C_out*r channels and their shuffle in one pass: (N, C_in, L) to (N, C_out, r*L).

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.SubPixelConv1d(2, 1, 4)
    >>> layer.weight.shape, layer(np.zeros((1, 2, 5), np.float32)).shape
    ((4, 2, 3), (1, 1, 20))
    """

    rank = 1


class SubPixelConv2d(_conv_nd.SubPixelConvNd):
    """Convolution to C_out*r*r channels and their shuffle in one pass: (N, C_in, H, W) to (N, C_out, r*H, r*W).

    It equals ``Sequential(Conv2d(C_in, C_out*r*r, ...), PixelShuffle(r))`` and loads the state of its convolution.

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.SubPixelConv2d(8, 3, 2)
    >>> layer
    SubPixelConv2d(8, 3, upscale_factor=(2, 2), kernel_size=(3, 3), padding=same)
    >>> layer(np.zeros((1, 8, 5, 6), np.float32)).shape
    (1, 3, 10, 12)
    """

    rank = 2


class SubPixelConv3d(_conv_nd.SubPixelConvNd):
    """Convolution to C_out*r**3 channels and their shuffle in one pass: (N, C_in, D, H, W) to (N, C_out, r*D, ...).

    Examples
    --------
    >>> import numpy as np, fastup.nn
    >>> layer = fastup.nn.SubPixelConv3d(1, 1, (1, 2, 2))
    >>> layer.weight.shape, layer(np.zeros((1, 1, 3, 5, 5), np.float32)).shape
    ((4, 1, 3, 3, 3), (1, 1, 3, 10, 10))
    """

    rank = 3
