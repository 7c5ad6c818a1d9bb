"""From Python functions to machine code: Numba types them and lowers them to LLVM's IR, LLVM optimises that.

A kernel is one module: its body, the helpers it calls, and its entry point. Helpers become functions of it that LLVM
inlines before anything else; each is lowered once per signature and process. (Numba's own inlining copies and types a
helper anew at every call: half of the time to compile.)
"""

from __future__ import annotations

import inspect
import os
from typing import Any

from llvmlite import binding as llvm
from numba.core import compiler, config, typed_passes, types, untyped_passes
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.core.compiler_machinery import PassManager
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from fastup.runtime import claim_loop

# What loops over pointers need of Numba's 27 passes; each of the others takes some milliseconds of every function.
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
_INLINE = 0  # the optimisation level at which LLVM does nothing but inline what must be


class _Pipeline(compiler.CompilerBase):  # type: ignore[misc]
    """Types and lowers a function."""

    def define_pipelines(self) -> list[Any]:
        passes = PassManager("kernel")
        for step in _PASSES:
            passes.add_pass(step, step._name)
        passes.finalize()
        return [passes]


class _Library(JITCodeLibrary):  # type: ignore[misc]
    """A module, optimised as a whole."""

    def _optimize_functions(self, ll_module: Any) -> None:
        """Leave functions as they are until their helpers are inlined."""
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        """The second round unrolls what the first has simplified: 1.2 times faster copies for 12 % of the time."""
        for level in (_INLINE, config.OPT, config.OPT):
            options = llvm.create_pipeline_tuning_options(int(level))
            options.loop_vectorization, options.slp_vectorization = config.LOOP_VECTORIZE, config.SLP_VECTORIZE
            builder = llvm.create_pass_builder(self._codegen._tm, options)
            builder.getModulePassManager().run(self._final_module, builder)

    def link(self, other: _Library) -> None:
        """Add the functions of another module, unless they are in this one, and what they need."""
        self._final_module.link_in(other._final_module, preserve=True)
        for library in other._linking_libraries:
            self.add_linking_library(library)


def _lowered(function: Any, kinds: tuple[Any, ...], result: Any = None, **options: bool) -> Any:
    """A function for arguments of these types, as IR in a module of its own."""
    flags = compiler.Flags()
    flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    flags.error_model = "numpy"
    for name, value in options.items():
        setattr(flags, name, value)
    context = cpu_target.target_context
    library = _Library(context.codegen(), function.__name__)
    library.enable_object_caching()
    return _Pipeline(cpu_target.typing_context, context, library, kinds, result, flags, {}).compile_extra(function)


def subroutine(function: Any) -> Any:
    """A helper, as something that Numba can call."""

    def define(_: Any, *kinds: Any) -> Any:
        helper = _lowered(function, kinds, forceinline=True)
        helper.library.get_function(helper.fndesc.mangled_name).linkage = "weak_odr"  # may be linked more than once

        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            context.active_code_library.link(helper.library)
            return context.call_internal_no_propagate(builder, helper.fndesc, helper.signature, arguments)[1]

        return helper.signature, generate

    first = inspect.Parameter("_", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    define.__signature__ = inspect.Signature([first, *inspect.signature(function).parameters.values()])  # type: ignore[attr-defined]
    define.__name__ = define.__qualname__ = function.__name__
    return intrinsic(define)


def compiled(body: Any, buffers: list[str], spins: int) -> tuple[Any, str, int]:
    """The module of a kernel with buffers of these types, the name of its entry point, and where that lies."""
    with global_compiler_lock:
        library, entry = _kernel(body, buffers, spins)
        return library, entry, library.get_pointer_to_function(entry)


def portable(body: Any, buffers: list[str], spins: int, symbol: str) -> bytes:
    """The same as an object for a linker; the name of its entry point is given."""
    with global_compiler_lock:
        library, entry = _kernel(body, buffers, spins)
        library.finalize()
        module = llvm.parse_assembly(library.get_llvm_str())
        module.get_function(entry).name = symbol
        cpu, features = os.environ["NUMBA_CPU_NAME"], os.environ.get("NUMBA_CPU_FEATURES", "")
        target = llvm.Target.from_triple(llvm.get_process_triple())
        machine = target.create_target_machine(cpu, features, opt=3, reloc="pic", codemodel="default")
        return bytes(machine.emit_object(module))


def _kernel(body: Any, buffers: list[str], spins: int) -> tuple[Any, str]:
    pointers = (types.CPointer(getattr(types, name)) for name in ("int64", *buffers))  # type: ignore[attr-defined]
    lowered = _lowered(body, (*pointers, types.intp, types.intp), types.void, noalias=True)
    library, name = lowered.library, lowered.fndesc.mangled_name
    entry = f"{name}.entry"
    library.add_ir_module(claim_loop.entry_point(library, entry, lowered.target_context, lowered.fndesc, spins))
    for function in library.get_defined_functions():
        if function.name != entry:
            function.linkage = "internal"
    return library, entry
