"""What must not change without being meant: signatures, docstrings, pickles, bits of results, bytes of models.

``python -m tests.make_pins`` writes the files; a test compares them with the code. A deliberate change is a diff of a
few lines. Pickles that are there are kept, for old ones must load: only those of new names are added.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import fastup
from tests.pinned_calls import calls

FOLDER = Path(__file__).parent / "data" / "pins"
PICKLES = FOLDER / "objects.pickle"
_ROOMS = ("fastup", "fastup.plan", "fastup.export", "fastup.init", "fastup.networks", "fastup.nn")
# What is called on objects. Other methods without an underscore are for fastup alone, and free to change.
_METHODS = {
    "Plan": ("input_window", "tile", "windows"),
    "Graph": ("input", "const", "op", "model"),
    "Report": ("status", "to_json"),
    "Module": ("__call__", "forward", "children", "extra_repr", "load_state_dict", "named_children", "state_dict"),
}


class Public(NamedTuple):
    """A public name: its signature as text, and its documentation."""

    name: str
    signature: str
    documentation: str


def public_names() -> Iterator[Public]:
    """All that `__all__` of the public rooms names, and what is called on objects of theirs."""
    for room in map(importlib.import_module, _ROOMS):
        for name in sorted(room.__all__):
            value = getattr(room, name)
            known = callable(value) or inspect.ismodule(value)
            yield _described(f"{room.__name__}.{name}", value) if known else _constant(room, name)
            if inspect.isclass(value):
                yield from _methods(f"{room.__name__}.{name}", value)
    yield _using()


def _described(name: str, value: Any) -> Public:
    return Public(name, _bare(value), inspect.cleandoc(inspect.getdoc(value) or ""))


def _constant(room: Any, name: str) -> Public:
    return Public(f"{room.__name__}.{name}", f" = {getattr(room, name)!r}", "")


def _methods(name: str, kind: type) -> Iterator[Public]:
    """Those that are not the very ones of a public class, which has a line for them."""
    rooms = [*map(importlib.import_module, _ROOMS)]
    bases = [base for base in kind.__mro__[1:] if any(getattr(room, base.__name__, None) is base for room in rooms)]
    for method in (method for base in (kind, *bases) for method in _METHODS.get(base.__name__, ())):
        value = getattr(kind, method)
        if all(getattr(base, method, None) is not value for base in bases):
            yield _described(f"{name}.{method}", value)


def _using() -> Public:
    """`fastup.cuda.using`, read from its source: the module imports only where CUDA's packages are."""
    for file in (Path(fastup.__file__).parent / "cuda").glob("*.py"):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name == "using":
                for one in (*node.args.args, *node.args.kwonlyargs):
                    one.annotation = None
                return Public("fastup.cuda.using", f"({ast.unparse(node.args)})", ast.get_docstring(node) or "")
    raise LookupError("fastup.cuda.using")


def _bare(value: Any) -> str:
    """The signature without annotations."""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    parameters = [one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()]
    return str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))


def signatures() -> list[str]:
    """One line for each public name: parameters, their kinds and defaults."""
    return [one.name + one.signature for one in public_names()]


def documents() -> list[str]:
    """One line for each public name: a hash of the docstring, and its first line."""
    found = [(one.name, one.documentation) for one in public_names()]
    return [f"{name} {_hash(text.encode())} {text.partition(chr(10))[0]}".rstrip() for name, text in found]


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def digests() -> dict[str, str]:
    """A hash of the results of each call."""
    found: dict[str, str] = {}
    for name, call in calls():
        results = call()
        results = results if isinstance(results, tuple) else (results,)
        content = [f"{one.dtype} {one.shape}".encode() + np.ascontiguousarray(one).tobytes() for one in results]
        found[_new(name, found)] = _hash(b"".join(content))
    return found


def _new(name: str, found: dict[str, str]) -> str:
    """The name, which no other call may have: it would hide this one."""
    if name in found:
        raise ValueError(f"two pins have the name {name!r}")
    return name


def models() -> dict[str, str]:
    """A hash of the bytes of each model."""
    from tests.pinned_models import models

    found: dict[str, str] = {}
    for name, model in models():
        found[_new(name, found)] = _hash(model.SerializeToString(deterministic=True))
    return found


def pickles() -> dict[str, bytes]:
    """What was pickled, and what was not yet: in protocol 4, which every supported Python writes and reads."""
    from tests.pinned_plans import OBJECTS

    stored: dict[str, bytes] = pickle.loads(PICKLES.read_bytes()) if PICKLES.exists() else {}
    return {name: stored.get(name) or pickle.dumps(make(), 4) for name, make in OBJECTS.items()}


def main() -> None:
    """Write all files."""
    import onnx

    FOLDER.mkdir(exist_ok=True, parents=True)
    (FOLDER / "signatures.txt").write_text("\n".join(signatures()) + "\n")
    (FOLDER / "documents.txt").write_text("\n".join(documents()) + "\n")
    (FOLDER / "results.json").write_text(json.dumps(digests(), indent=1) + "\n")
    (FOLDER / "models.json").write_text(json.dumps({"onnx": onnx.__version__, **models()}, indent=1) + "\n")
    PICKLES.write_bytes(pickle.dumps(pickles(), 4))


if __name__ == "__main__":
    main()
