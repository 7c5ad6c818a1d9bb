"""Write the stubs of fastup.plan and fastup.export, whose functions are made out of the operators' declarations.

Run with ``python -m tests.make_stubs``; a test compares the files with the declarations.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

from fastup.operators import OPERATORS, argument_types

ROOT = Path(__file__).parents[1]
PLAN, EXPORT = ROOT / "fastup" / "plan" / "__init__.pyi", ROOT / "export" / "__init__.pyi"
_HEAD = '"""Made by tests/make_stubs.py out of the declarations in fastup/operators; not to be edited."""\n'


def plan_stub() -> str:
    """What a type checker reads of fastup.plan."""
    return _stub(PLAN.with_suffix(".py"), lambda name: OPERATORS[name].plan_signature(), "")


def export_stub() -> str:
    """What a type checker reads of fastup.export."""
    from fastup.export.exporters import signature_of

    return _stub(EXPORT.with_suffix(".py"), lambda name: signature_of(OPERATORS[name]), "import onnx\n\n")


def _stub(module: Path, signature: Callable[[str], inspect.Signature], imports: str) -> str:
    functions = [_function(name, signature(name)) for name in OPERATORS]
    kept = re.findall(r"^from fastup\S+ import (\w+) as \1$", module.read_text(), re.MULTILINE)
    lines = [line for line in module.read_text().splitlines() if re.match(r"from fastup\S+ import (\w+) as \1$", line)]
    used = sorted(name for name in vars(argument_types) if re.search(rf"\b{name}\b", "\n".join(functions)))
    if "Plan" not in kept and "Dims | Plan" in functions[0]:
        lines.append("from fastup.plan.base import Plan")
    lines += [f"from fastup.operators.argument_types import {name}" for name in used]
    names = "".join(f'    "{name}",\n' for name in [*kept, *OPERATORS])
    head = f"{_HEAD}\n# ruff: noqa\n# fmt: off\n{imports}" + "\n".join(sorted(lines)) + f"\n\n__all__ = [\n{names}]\n\n"
    return head + "\n".join(functions) + "\n"


def _function(name: str, signature: inspect.Signature) -> str:
    listed = textwrap.fill(", ".join(_parameters(signature)), 116, break_long_words=False, break_on_hyphens=False)
    return f"def {name}(\n{textwrap.indent(listed, '    ')}\n) -> {signature.return_annotation}: ..."


def _parameters(signature: inspect.Signature) -> Iterator[str]:
    starred = False
    for parameter in signature.parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        default = f'"{parameter.default}"' if isinstance(parameter.default, str) else repr(parameter.default)
        given = "" if parameter.default is inspect.Parameter.empty else f" = {default}"
        yield f"{parameter.name}: {parameter.annotation}{given}"


if __name__ == "__main__":
    PLAN.write_text(plan_stub())
    EXPORT.write_text(export_stub())
