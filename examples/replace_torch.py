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
    wanted = trained(torch.from_numpy(x)).numpy()
y = ours(x)
difference = float(np.abs(y - wanted).max() / np.abs(wanted).max())
print(f"{x.shape} -> {y.shape}; largest difference to torch: {difference:.0e} of the largest value")
if difference > 1e-5:
    raise SystemExit("fastup and torch differ")
