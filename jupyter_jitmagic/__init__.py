"""Proven answers for ``jax.jit`` in notebooks: why a trace fails, what each call cost, what the caches hold.

In a notebook or in IPython::

    %load_ext jupyter_jitmagic

and then ``%%jit`` over a cell with a function; ``%jitstats``, ``%jitlines``, ``%jitcache`` and ``%jitfix``
(each with ``?`` for help). The same without a notebook::

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
    from jupyter_jitmagic.base.errors import CheckWarning as CheckWarning
    from jupyter_jitmagic.base.errors import OptionError as OptionError
    from jupyter_jitmagic.base.errors import ProcessesDifferError as ProcessesDifferError
    from jupyter_jitmagic.base.errors import RecompileError as RecompileError
    from jupyter_jitmagic.base.errors import RecompileWarning as RecompileWarning
    from jupyter_jitmagic.base.errors import faults as faults
    from jupyter_jitmagic.base.options import options as options
    from jupyter_jitmagic.by_line.table import lines as lines
    from jupyter_jitmagic.diagnosis import Diagnosis as Diagnosis
    from jupyter_jitmagic.explaining import diagnose as diagnose
    from jupyter_jitmagic.explaining import explain_last as explain_last
    from jupyter_jitmagic.magics.panel_widget import panel as panel
    from jupyter_jitmagic.processes.differing import compare_processes as compare_processes
    from jupyter_jitmagic.processes.gathering import gather as gather
    from jupyter_jitmagic.processes.opened import Opened as Opened
    from jupyter_jitmagic.processes.opened import compare as compare
    from jupyter_jitmagic.processes.opened import open_folder as open  # noqa: F401
    from jupyter_jitmagic.processes.recording import record_to as record_to
    from jupyter_jitmagic.recording.api.jit_function import JitFunction as JitFunction
    from jupyter_jitmagic.recording.api.jitting import jit as jit
    from jupyter_jitmagic.recording.api.watching import assert_max_compiles as assert_max_compiles
    from jupyter_jitmagic.recording.api.watching import no_recompile as no_recompile
    from jupyter_jitmagic.recording.api.watching import watch as watch
    from jupyter_jitmagic.tables import reset as reset
    from jupyter_jitmagic.tables import stats as stats

    __version__: str

_HOME = {
    "CheckWarning": "base.errors",
    "OptionError": "base.errors",
    "ProcessesDifferError": "base.errors",
    "RecompileError": "base.errors",
    "RecompileWarning": "base.errors",
    "faults": "base.errors",
    "jit": "recording.api.jitting",
    "options": "base.options",
    "stats": "tables",
    "reset": "tables",
    "Diagnosis": "diagnosis",
    "diagnose": "explaining",
    "explain_last": "explaining",
    "lines": "by_line.table",
    "JitFunction": "recording.api.jit_function",
    "Opened": "processes.opened",
    "panel": "magics.panel_widget",
    "compare_processes": "processes.differing",
    "gather": "processes.gathering",
    "compare": "processes.opened",
    "open": "processes.opened:open_folder",
    "record_to": "processes.recording",
    "watch": "recording.api.watching",
    "no_recompile": "recording.api.watching",
    "assert_max_compiles": "recording.api.watching",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = _version()
    elif name in _HOME:
        from importlib import import_module

        module, _, own_name = _HOME[name].partition(":")
        value = getattr(import_module(f"{__name__}.{module}"), own_name or name)
        _record_as_the_environment_says()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, "__version__"})


def _record_as_the_environment_says() -> None:
    """``JITMAGIC_RECORD=folder``, from the first use of the package on."""
    import os

    if os.environ.get("JITMAGIC_RECORD") and not _recording:
        _recording.append(True)
        from jupyter_jitmagic.processes.recording import begin_as_the_environment_says

        begin_as_the_environment_says()


_recording: list[bool] = []


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
    from jupyter_jitmagic.magics.loading import load

    load(shell)
    _record_as_the_environment_says()


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext jupyter_jitmagic``: takes back everything that loading did. Jitted functions go on working."""
    from jupyter_jitmagic.magics.loading import unload

    unload(shell)
