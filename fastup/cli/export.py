"""``fastup export``: one subcommand per exporter, its keywords as options."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

_LONG = {"true": True, "false": False, "none": None}
_NO_OPTION = ("shape", "verify", "window", "weight", "bias")  # given otherwise, always on, slices, from a file


class Argument(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A number, true, false, none, a word, or several of them separated by commas."""

    name = "value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The Python value that the text means."""
        if not isinstance(value, str):
            return value
        words = [word.strip() for word in value.split(",")]
        return _value(words[0]) if len(words) == 1 else tuple(_value(word) for word in words if word)


def _value(word: str) -> Any:
    if word.lower() in _LONG:
        return _LONG[word.lower()]
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


class _Exporters(click.Group):
    """The subcommands, made from the exporters' signatures when they are asked for: onnx is imported no earlier."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_exporters())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        exporter = _exporters().get(cmd_name.replace("-", "_"))
        return _command(cmd_name, exporter) if exporter else None


def _exporters() -> dict[str, Callable[..., Any]]:
    import fastup.export

    found = {name: getattr(fastup.export, name) for name in fastup.export.__all__}
    return {
        name: f for name, f in found.items() if inspect.isfunction(f) and "shape" in inspect.signature(f).parameters
    }


def _command(name: str, exporter: Callable[..., Any]) -> click.Command:
    options: list[click.Parameter] = [
        click.Option(["--shape"], required=True, type=Argument(), help="Input shape; names for unknowns: N,3,H,W."),
        click.Option(["-o", "--output"], required=True, type=click.Path(path_type=Path), help="File to write."),
    ]
    parameters = inspect.signature(exporter).parameters
    if "weight" in parameters:
        file = click.Path(exists=True, dir_okay=False, path_type=Path)
        options.append(
            click.Option(["--weights"], required=True, type=file, help="File .npz with weight and, if any, bias.")
        )
    for parameter in parameters.values():
        if parameter.name not in _NO_OPTION:
            flag = f"--{parameter.name.replace('_', '-')}"
            options.append(click.Option([flag], type=Argument(), default=parameter.default, show_default=True))

    def run(shape: Any, output: Path, weights: Path | None = None, **keywords: Any) -> None:
        if weights is not None:
            keywords |= _arrays(name, weights)
        _export(name, exporter, shape if isinstance(shape, tuple) else (shape,), output, keywords)

    summary = (inspect.getdoc(exporter) or "").partition("\n")[0]
    return click.Command(name, params=options, callback=run, help=summary)


def _arrays(name: str, file: Path) -> dict[str, Any]:
    """Weight and bias of a file; what else it holds is left alone."""
    import zipfile

    import numpy as np

    try:
        with file.open("rb") as handle, np.load(handle, allow_pickle=False) as stored:
            found = {key: stored[key] for key in ("weight", "bias") if key in stored}
    except (ValueError, OSError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{name}: weights must be a file that numpy.savez wrote, got {file} ({error})") from None
    if "weight" not in found:
        raise ValueError(f"{name}: weights must hold an array named weight, got {file}")
    return found


def _export(name: str, exporter: Callable[..., Any], shape: Any, output: Path, keywords: dict[str, Any]) -> None:
    import onnx

    model = exporter(shape, **keywords, verify=True)
    onnx.save(model, output)
    console = Console(highlight=False)
    console.print(f"{output}: {name}, opset {model.opset_import[0].version}, IR {model.ir_version}", soft_wrap=True)
    for node in model.graph.node:
        attributes = ", ".join(f"{a.name}={onnx.helper.get_attribute_value(a)!r}" for a in node.attribute)
        console.print(f"  {node.op_type}({', '.join(node.input)}) {attributes}", markup=False, soft_wrap=True)
    console.print("  onnxruntime gives the same numbers as fastup")


@click.group(cls=_Exporters)
def export() -> None:
    """Write the ONNX model of an operator, after checking it against onnxruntime."""
