"""``python -m fastup``: the command, or one sentence about what it needs."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command."""
    try:
        from fastup.cli import command
    except ModuleNotFoundError as error:
        sys.exit(f"fastup: the command needs {error.name}; install it with: pip install 'fastup[cli,image,onnx]'")
    command()


if __name__ == "__main__":
    main()
