"""Proven answers for ``jax.jit`` in notebooks: why a trace fails, what each call cost, what the caches hold.

In a notebook or in IPython::

    %load_ext jupyter_jitmagic

and then ``%%jit`` over a cell with a function; ``%jitstats``, ``%jitcache`` and ``%jitfix`` (each with ``?`` for help). The
same without a notebook::

    import jupyter_jitmagic as jm

    @jm.jit
    def f(x): ...

    jm.diagnose(f, 1.0)     # why does it not trace, and what cures it
    jm.stats()              # what every call cost, as a pandas.DataFrame

Everything is imported when it is first used, so that loading costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_jitmagic._errors import CheckWarning as CheckWarning
    from jupyter_jitmagic._errors import OptionError as OptionError
    from jupyter_jitmagic._errors import RecompileError as RecompileError
    from jupyter_jitmagic._errors import RecompileWarning as RecompileWarning
    from jupyter_jitmagic._errors import faults as faults
    from jupyter_jitmagic._options import options as options
    from jupyter_jitmagic._tables import reset as reset
    from jupyter_jitmagic._tables import stats as stats
    from jupyter_jitmagic.diagnosis import Diagnosis as Diagnosis
    from jupyter_jitmagic.diagnosis import diagnose as diagnose
    from jupyter_jitmagic.recording._jitted import jit as jit
    from jupyter_jitmagic.recording._watch import assert_max_compiles as assert_max_compiles
    from jupyter_jitmagic.recording._watch import no_recompile as no_recompile
    from jupyter_jitmagic.recording._watch import watch as watch
    from jupyter_jitmagic.recording._wrapper import JitFunction as JitFunction

    __version__: str

_HOME = {
    "CheckWarning": "_errors",
    "OptionError": "_errors",
    "RecompileError": "_errors",
    "RecompileWarning": "_errors",
    "faults": "_errors",
    "jit": "recording._jitted",
    "options": "_options",
    "stats": "_tables",
    "reset": "_tables",
    "Diagnosis": "diagnosis",
    "diagnose": "diagnosis",
    "JitFunction": "recording._wrapper",
    "watch": "recording._watch",
    "no_recompile": "recording._watch",
    "assert_max_compiles": "recording._watch",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = _version()
    elif name in _HOME:
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, "__version__"})


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("jupyter-jitmagic")
    except metadata.PackageNotFoundError:  # a bare checkout: the one place that holds the version
        import json
        from pathlib import Path

        package = Path(__file__).parent.parent / "package.json"
        version: str = json.loads(package.read_text(encoding="utf-8"))["version"]
        return version


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext jupyter_jitmagic``: the magics, the advice below failed traces, and in a kernel the panel's side."""
    from jupyter_jitmagic.magics._load import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext jupyter_jitmagic``: takes back everything that loading did. Jitted functions go on working."""
    from jupyter_jitmagic.magics._load import unload

    unload(shell)
