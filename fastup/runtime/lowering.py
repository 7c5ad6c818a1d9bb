"""What Numba does for kernels: it types functions and lowers them to LLVM IR, nothing more.

Helpers become functions of the kernel's module that LLVM inlines, each lowered once per signature and process. (Numba's
own inlining copies and types a helper anew at every call: half the time to compile.)
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

from numba.core import compiler, typed_passes, untyped_passes
from numba.core.compiler_machinery import PassManager
from numba.core.registry import cpu_target
from numba.extending import intrinsic

_PASSES = (
    untyped_passes.TranslateByteCode,
    untyped_passes.FixupArgs,
    untyped_passes.IRProcessing,
    untyped_passes.DeadBranchPrune,
    untyped_passes.GenericRewrites,
    untyped_passes.ReconstructSSA,
    typed_passes.NopythonTypeInference,
    typed_passes.PreLowerStripPhis,
    typed_passes.NativeLowering,
    typed_passes.NoPythonBackend,
)


class _Pipeline(compiler.CompilerBase):
    """The passes of Numba that loops over pointers need: 10 of its 27."""

    def define_pipelines(self) -> list[Any]:
        passes = PassManager("kernel")
        for step in _PASSES:
            passes.add_pass(step, step._name)
        passes.finalize()
        return [passes]


def lowered(function: Any, kinds: tuple[Any, ...], result: Any = None, **options: Any) -> Any:
    """A function for arguments of these types, with its library, which nothing has been compiled of."""
    flags = compiler.Flags()
    flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    flags.error_model = "numpy"
    for name, value in options.items():
        setattr(flags, name, value)
    context = cpu_target.target_context
    library = context.codegen().create_library(function.__name__)
    library.enable_object_caching()
    arguments = (cpu_target.typing_context, context, library, kinds, result, flags, {})
    return _Pipeline(*arguments).compile_extra(function)


def subroutine(function: Any) -> Any:
    """A helper that kernels can call."""

    def define(_: Any, *kinds: Any) -> Any:
        made = lowered(function, kinds, forceinline=True)
        made.library.get_function(made.fndesc.mangled_name).linkage = "weak_odr"

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            caller = context.active_code_library
            caller._final_module.link_in(made.library._final_module, preserve=True)
            for library in made.library._linking_libraries:
                caller.add_linking_library(library)
            return context.call_internal_no_propagate(builder, made.fndesc, made.signature, arguments)[1]

        return made.signature, generate

    first = inspect.Parameter("_", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    define.__signature__ = inspect.Signature([first, *parameters])  # type: ignore[attr-defined]
    define.__name__ = define.__qualname__ = function.__name__
    return intrinsic(define)
