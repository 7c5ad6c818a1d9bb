"""``fastup fix``: a model whose upsampling nodes give what torch's operators give, in every runtime."""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from fastup.cli.given import named_inputs, named_shapes


@click.command()
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The new model.")
@click.option("--input", "inputs", multiple=True, callback=named_inputs, help="NAME=FILE.npy; random where not given.")
@click.option("--shape", "shapes", multiple=True, callback=named_shapes, help="NAME=1,3,64,64, where it is open.")
@click.option("--nodes", help="Only nodes in whose names this regular expression is found.")
@click.option(
    "--lowering",
    type=click.Choice(["auto", "portable"]),
    default="auto",
    show_default=True,
    help="portable: rewrite the nodes as graphs of plain operators, also those that are right.",
)
@click.option("--overwrite", is_flag=True, help="Replace OUTPUT, which may be MODEL itself.")
def fix(
    model: Path, output: Path, inputs: dict[str, Any], shapes: dict[str, tuple[int, ...]], nodes: str | None,
    lowering: str, overwrite: bool,
) -> None:  # fmt: skip
    """Rewrite the upsampling nodes of MODEL that give other numbers than torch's operators.

    By other attributes where these are enough, else as graphs of plain operators. A model without faults comes out byte
    for byte. Exit status: 0 nothing is left to change, 1 some node is left.
    """
    from fastup import export

    if output.exists() and not overwrite:
        raise FileExistsError(f"fix: {output} exists; --overwrite replaces it")
    fixed = export.fix(model, inputs or None, shapes=shapes, nodes=nodes, lowering=lowering)
    for line in fixed.changes:
        click.echo(f"changed  {line}")
    for line in fixed.left:
        click.echo(f"left     {line}")
    _write(fixed, model, output)
    if not fixed.changes and not fixed.left:
        click.echo("nothing to change")
    sys.exit(1 if fixed.left else 0)


def _write(fixed: Any, source: Path, output: Path) -> None:
    """The model, and beside it its weights where they were in files of their own."""
    import onnx

    from fastup.runtime.whole_files import write_whole

    beside = _external(source)
    if fixed.changes:
        onnx.checker.check_model(fixed.model)
    if fixed.changes and beside:
        data = output.with_name(output.name + ".data")
        with tempfile.TemporaryDirectory(dir=output.parent) as folder:
            made = Path(folder) / output.name
            onnx.save_model(fixed.model, made, save_as_external_data=True, location=data.name)
            if made.with_name(data.name).exists():
                os.replace(made.with_name(data.name), data)
            os.replace(made, output)
        return
    if output.parent.resolve() != source.parent.resolve():
        for name in beside:
            content = (source.parent / name).read_bytes()
            write_whole(str(output.parent / name), functools.partial(_filled, content))
    content = fixed.model.SerializeToString() if fixed.changes else source.read_bytes()
    write_whole(str(output), functools.partial(_filled, content))


def _filled(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def _external(model: Path) -> list[str]:
    """Files of weights that a model names."""
    import onnx

    read = onnx.load(str(model), load_external_data=False)
    tensors = [one for one in read.graph.initializer if one.data_location == onnx.TensorProto.EXTERNAL]
    named = [entry.value for one in tensors for entry in one.external_data if entry.key == "location"]
    return list(dict.fromkeys(named))
