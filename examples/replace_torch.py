"""Run a network that torch has trained without torch: the same layers, filled from its state."""

from __future__ import annotations

import numpy as np

import fastup

try:
    import torch
except ModuleNotFoundError:
    raise SystemExit("this example compares with torch, which is not installed") from None

torch.manual_seed(0)
trained = torch.nn.Sequential(  # ESPCN, and twice as large again
    torch.nn.Conv2d(1, 64, 5, padding=2),
    torch.nn.Tanh(),
    torch.nn.Conv2d(64, 32, 3, padding=1),
    torch.nn.Tanh(),
    torch.nn.Conv2d(32, 9, 3, padding=1),
    torch.nn.PixelShuffle(3),
    torch.nn.Upsample(scale_factor=2, mode="bicubic"),
)
ours = fastup.nn.Sequential(
    fastup.nn.Conv2d(1, 64, 5, padding=2),
    fastup.nn.Tanh(),
    fastup.nn.Conv2d(64, 32, 3, padding=1),
    fastup.nn.Tanh(),
    fastup.nn.Conv2d(32, 9, 3, padding=1),
    fastup.nn.PixelShuffle(3),
    fastup.nn.Upsample(scale_factor=2, mode="bicubic"),
)
ours.load_state_dict(trained.state_dict())
print(ours)

x = np.random.default_rng(0).random((1, 1, 90, 120), np.float32)
with torch.no_grad():
    theirs = trained(torch.from_numpy(x)).numpy()
    exact = trained.double()(torch.from_numpy(x).double()).numpy()  # float32 sums depend on the processor
y = ours(x)


def error(result: np.ndarray) -> float:
    """How far a result is from torch in float64, in parts of the largest value."""
    return float(np.abs(result - exact).max() / np.abs(exact).max())


print(f"{x.shape} -> {y.shape}; off by {error(y):.0e} of the largest value, torch in float32 by {error(theirs):.0e}")
if error(y) > 1e-5:
    raise SystemExit("fastup and torch differ")
