"""Write data/torch-2.13*.npz: what torch 2.13.0 gives, so that parity is tested on machines without torch.

Run as ``python -m tests.make_torch_data`` with torch 2.13.0 installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests import torch_calls

DATA = Path(__file__).with_name("data")


def _resize(n: int, mode: str, dtype: torch.dtype, **keywords: float) -> np.ndarray:
    x = torch.arange(n, dtype=dtype).reshape(1, 1, n)
    return np.asarray(torch.nn.functional.interpolate(x, mode=mode, **keywords)[0, 0].numpy(), np.uint8)


def _differences(values: list[np.ndarray]) -> np.ndarray:
    """Steps modulo 256: they compress five times better, and a cumulated sum in uint8 gives the values back."""
    return np.diff(np.concatenate(values), prepend=np.uint8(0))


def nearest() -> dict[str, Any]:
    """Every size pair and 500 scale factors. 1-D inputs take torch's generic kernel at every size."""
    generator = np.random.default_rng(1)
    factors, sizes = generator.uniform(0.3, 4, 500), generator.integers(4, 129, 500)
    stored: dict[str, Any] = {"factors": factors, "sizes": sizes}
    for mode in ("nearest", "nearest-exact"):
        for dtype in (torch.float32, torch.float64):
            pairs = [_resize(n, mode, dtype, size=m) for n in range(1, 129) for m in range(1, 257)]
            stored[f"{mode} {str(dtype).partition('.')[2]}"] = _differences(pairs)
        scaled = [
            _resize(int(n), mode, torch.float32, scale_factor=f) for n, f in zip(sizes, factors.tolist(), strict=True)
        ]
        stored[f"{mode} factors"] = _differences(scaled)
    return stored


def smooth() -> dict[str, Any]:
    """The results of `tests.torch_calls`."""
    torch.set_num_threads(2)  # with one thread, torch has another kernel for three channels
    stored = {}
    for call in torch_calls.CALLS:
        x = torch.from_numpy(torch_calls.input_of(call))
        stored[torch_calls.name_of(call)] = torch.nn.functional.interpolate(x, **call[0].keywords).numpy()
    return stored


def main() -> None:
    """Both files."""
    if not torch.__version__.startswith("2.13.0"):
        raise SystemExit(f"needs torch 2.13.0, found {torch.__version__}")
    np.savez_compressed(DATA / "torch-2.13.npz", **nearest())
    np.savez_compressed(DATA / "torch-2.13-smooth.npz", **smooth())


if __name__ == "__main__":
    main()
