"""What libvips and Pillow have to say, on one line."""

from __future__ import annotations


def sentence(error: BaseException) -> str:
    """What libvips or Pillow has to say, on one line."""
    text = getattr(error, "detail", None) or str(error)
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines and lines[0].startswith("unable to"):  # an operation of libvips, which tells nobody anything
        return "it is damaged, or cut off"
    return lines[0].partition(": ")[2] or lines[0] if lines else type(error).__name__


def pillow_sentence(error: BaseException) -> str:
    """What Pillow has to say, without the memory address of the file."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return "it is of no known format" if text.startswith("cannot identify image file") else text
