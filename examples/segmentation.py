"""The last step of segmentation: labels at full size without the upsampled logits, confidences, masks of instances."""

from __future__ import annotations

import numpy as np

import fastup

random = np.random.default_rng(0)
logits = random.standard_normal((1, 21, 65, 65)).astype(np.float32)

labels = fastup.upsample_argmax(logits, size=513)
held = 21 * labels.nbytes
print(f"labels {labels.shape} {labels.dtype}; the upsampled logits would take {held / 2**20:.0f} MB")

# The same bits as the two steps that it stands for.
upsampled = fastup.interpolate(logits, size=513, mode="bilinear")
equal = np.array_equal(labels, upsampled.argmax(axis=1))
print(f"equal to interpolate and argmax: {equal}")

same, confidences = fastup.upsample_softmax_max(logits, size=513)
shifted = np.exp(upsampled - upsampled.max(axis=1, keepdims=True))
error = float(np.abs(confidences - 1 / shifted.sum(axis=1)).max())
print(f"confidences from {confidences.min():.2f} to {confidences.max():.2f}, within {error:.0e} of the softmax")

# An instance head: small masks, each with the box (x1, y1, x2, y2) where it was found.
boxes = [[10, 20, 90, 99], [300, 100, 420, 250]]
masks = fastup.upsample_threshold(random.random((2, 1, 28, 28), np.float32), (480, 640), 0.5, boxes=boxes)
outside = masks.copy()
for number, (x1, y1, x2, y2) in enumerate(boxes):
    outside[number, ..., y1:y2, x1:x2] = 0
print(f"masks {masks.shape} {masks.dtype}, outside their boxes {int(outside.sum())}")

if not (equal and np.array_equal(same, labels) and error < 1e-5 and not outside.any()):
    raise SystemExit("labels, confidences or masks are wrong")
