"""The command ``fastup``: demo, upscale, compare, identify, fit, export, verify, fix, show, matrix, warmup, info."""

from __future__ import annotations

import sys
from typing import Any

import click
from rich.console import Console

import fastup


class _Group(click.Group):
    """A group whose commands turn the library's errors into one line and exit status 2."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except ModuleNotFoundError as error:
            extras = "cli,zarr" if error.name in ("dask", "distributed", "zarr") else "cli,image,onnx"
            _fail(f"this needs {error.name}; install it with: pip install 'fastup[{extras}]'")
        except (ValueError, TypeError, OSError, MemoryError, AssertionError) as error:
            _fail(str(error))


def _fail(message: str) -> None:
    shown = message.encode(errors="replace").decode()  # names may be no Unicode
    Console(stderr=True).print(
        f"error: {shown}", style="red", markup=False, emoji=False, highlight=False, soft_wrap=True
    )
    sys.exit(2)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(fastup.__version__, prog_name="fastup")
def command() -> None:
    """Upsampling with PyTorch's exact semantics on the CPU, without PyTorch, and its ONNX graphs."""


def _register() -> None:
    from fastup.cli import compare, demo, export, fit, fix, identify, show, upscale, verify, warmup

    checks = (export.export, verify.verify, verify.matrix, fix.fix, show.show)
    on_pictures = (demo.demo, upscale.upscale, compare.compare, identify.identify, fit.fit)
    for one in (*on_pictures, *checks, warmup.warmup, warmup.info):
        command.add_command(one)


_register()
