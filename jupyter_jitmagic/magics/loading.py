"""`%load_ext` and `%unload_ext`: everything that is hooked into a shell, and its way back out."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from importlib.abc import Loader
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast
from weakref import WeakKeyDictionary

from jupyter_jitmagic.base.errors import faults

OLDEST_JAX = (0, 10)

_loaded: WeakKeyDictionary[Any, ExitStack] = WeakKeyDictionary()


def load(shell: Any) -> None:
    """Hook everything into `shell`; twice is once. Without a JAX that fits, a line says so and nothing is hooked."""
    if shell in _loaded:
        return
    lacking = _what_jax_lacks()
    if lacking:
        print(lacking, file=sys.stderr)
        return
    with ExitStack() as hooks:  # a fault half way takes back what was hooked so far
        _hook(shell, hooks)
        _loaded[shell] = hooks.pop_all()


def unload(shell: Any) -> None:
    """Take everything back; harmless where nothing is loaded."""
    hooks = _loaded.pop(shell, None)
    if hooks is not None:
        hooks.close()


def _what_jax_lacks() -> str:
    """One line if JAX is missing or too old, else ""; JAX is not imported for it."""
    found = getattr(sys.modules.get("jax"), "__version__", None)
    if found is None:
        spec = find_spec("jax")
        if spec is None:
            return "jupyter_jitmagic needs JAX, which is not installed here: %pip install jax"
        found = _version_in(spec.origin)
    numbers = tuple(int(part) for part in (found or "").split(".")[:2] if part.isdigit())
    if numbers and numbers < OLDEST_JAX:
        return f"jupyter_jitmagic needs JAX {OLDEST_JAX[0]}.{OLDEST_JAX[1]} or newer and this is {found}: %pip install -U jax"
    return ""


def _version_in(origin: str | None) -> str | None:
    """The version that an installed JAX names in its own folder (asking the package metadata costs ten times as much)."""
    try:
        text = Path(origin or "").with_name("version.py").read_text(encoding="utf-8")
    except OSError:
        return None
    named = re.search(r"""^_version = ["']([\d.]+)""", text, re.MULTILINE)
    return named[1] if named else None


def _hook(shell: Any, hooks: ExitStack) -> None:
    from jupyter_jitmagic.magics import notices
    from jupyter_jitmagic.magics.config import JitMagic
    from jupyter_jitmagic.magics.magics import JitMagics, completer
    from jupyter_jitmagic.magics.marked_cell import Check, Marker, Wrapper

    magics = JitMagics(shell)
    _register(shell, magics, hooks)
    _configure(shell, JitMagic, hooks)
    manager = shell.input_transformer_manager
    # first of all, because the next one drops blank lines above the magic; and last, for a pasted "In [1]: %%jit"
    _insert(manager.cleanup_transforms, Marker(), 0, hooks)
    _insert(manager.cleanup_transforms, Marker(), len(manager.cleanup_transforms), hooks)
    _insert(manager.line_transforms, Check(shell), len(manager.line_transforms), hooks)
    _insert(shell.ast_transformers, Wrapper(shell), len(shell.ast_transformers), hooks)
    _insert(shell.Completer.custom_matchers, completer(shell), 0, hooks)
    for event, callback in (("pre_run_cell", magics.below.cell_began), ("post_run_cell", magics.cell_ended)):
        shell.events.register(event, callback)
        hooks.callback(shell.events.unregister, event, callback)
    hooks.callback(magics.below.follow())
    notices.hook(shell, hooks)
    _show_advice(hooks)
    _follow_compiles(shell, hooks)
    _follow_cells(shell, hooks)
    _format(shell, hooks)
    kernel = getattr(shell, "kernel", None)
    # an engine of ipyparallel has no panel: its messages would reach that of the notebook's own kernel
    if kernel is not None and not type(kernel).__module__.startswith("ipyparallel."):
        _start_panel(shell, magics, hooks)


def _show_advice(hooks: ExitStack) -> None:
    from jupyter_jitmagic.records.log import log

    def no_longer() -> None:
        log.shells -= 1

    log.shells += 1
    hooks.callback(no_longer)


def _follow_cells(shell: Any, hooks: ExitStack) -> None:
    """Note when each cell began and ended."""
    from jupyter_jitmagic.magics import timed_cells
    from jupyter_jitmagic.records.log import CellRecord, log

    hooks.callback(timed_cells.forget)

    # while a cell runs, the shell's count is the cell's own number or (IPython 9 counts before it runs a cell) the next one
    counted, ahead = shell.execution_count, 0

    def before(info: Any) -> None:
        nonlocal counted
        timed_cells.remember(info.raw_cell or "")
        if info.store_history and not info.silent:
            counted = shell.execution_count
            log.cells.append(CellRecord(counted - ahead, time.time(), id=getattr(info, "cell_id", None) or ""))

    def after(result: Any) -> None:
        nonlocal ahead
        if not result.info.store_history or result.execution_count is None:
            return
        ahead = counted - result.execution_count
        if log.cells and log.cells[-1].ended_s is None:
            log.cells[-1].number, log.cells[-1].ended_s = result.execution_count, time.time()

    for event, callback in (("pre_run_cell", before), ("post_run_cell", after)):
        shell.events.register(event, callback)
        hooks.callback(shell.events.unregister, event, callback)


def _follow_compiles(shell: Any, hooks: ExitStack) -> None:
    """Follow what compiles outside `jm.jit`, from the moment on that JAX is imported: loading does not import it."""

    def follow() -> None:
        from jupyter_jitmagic.recording.api import watching
        from jupyter_jitmagic.recording.recorder import recorder

        watching.install()
        recorder.start()

    def stop() -> None:
        if "jupyter_jitmagic.recording.recorder" in sys.modules:  # something may have been recorded, followed or not
            from jupyter_jitmagic.recording.api import watching
            from jupyter_jitmagic.recording.recorder import recorder

            recorder.stop()
            watching.uninstall()

    hooks.callback(stop)

    def before_cell(info: Any) -> None:
        shell.events.unregister("pre_run_cell", before_cell)
        with faults.stop("following compiles"):
            follow()

    def take_out() -> None:
        if before_cell in shell.events.callbacks["pre_run_cell"]:
            shell.events.unregister("pre_run_cell", before_cell)

    def imported() -> None:
        ours = sys.modules.get("jupyter_jitmagic.base.jax_internals")
        if ours is not None and getattr(ours.__spec__, "_initializing", False):
            shell.events.register("pre_run_cell", before_cell)  # it was ours that imported JAX, and is half done itself
        else:
            follow()

    hooks.callback(take_out)
    if "jax" in sys.modules:
        shell.events.register("pre_run_cell", before_cell)
    else:
        _insert(sys.meta_path, AfterImport("jax", imported), 0, hooks)


class AfterImport:
    """A finder that finds nothing itself; when `name` has been imported it takes itself out and calls `then`.

    Only looking for the module, as ``importlib.util.find_spec`` does, changes nothing.
    """

    def __init__(self, name: str, then: Callable[[], None]) -> None:
        self._name, self._then = name, then
        self._looking = False

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != self._name or self._looking:
            return None
        self._looking = True  # the other finders are asked below, and this one with them
        try:
            spec = find_spec(name)
        finally:
            self._looking = False
        if spec is not None and spec.loader is not None:
            spec.loader = cast(Loader, _Loader(spec.loader, self._imported))
        return spec

    def _imported(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
            self._then()


class _Loader:
    """A module's own loader, and what comes after it."""

    def __init__(self, loader: Any, then: Callable[[], None]) -> None:
        self._loader, self._then = loader, then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: Any) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        try:
            self._then()
        except Exception as error:
            faults.report("following what compiles", error)


def _format(shell: Any, hooks: ExitStack) -> None:
    """A diagnosis that ends a cell shows as the advice that it is."""
    for mime, show in (("text/html", _diagnosis_as_html), ("text/plain", _diagnosis_as_text)):
        formatter = shell.display_formatter.formatters[mime]
        named = ("jupyter_jitmagic.diagnosis.types", "Diagnosis")
        formatter.for_type_by_name(*named, partial(show, partial(_place, shell)))

        def forget(formatter: Any = formatter, named: tuple[str, str] = named) -> None:
            formatter.deferred_printers.pop(named, None)
            for known in [known for known in formatter.type_printers if (known.__module__, known.__name__) == named]:
                formatter.pop(known)

        hooks.callback(forget)


def _place(shell: Any, filename: str, line: int) -> str:
    from jupyter_jitmagic.magics import front_end

    return front_end.place(shell, filename, line)


def _diagnosis_as_html(place: Callable[[str, int], str], diagnosis: Any) -> str:
    from jupyter_jitmagic.display import to_html
    from jupyter_jitmagic.display.advice import Context, advice

    return to_html(advice(diagnosis, Context(place, jitfix="")))


def _diagnosis_as_text(place: Callable[[str, int], str], diagnosis: Any, printer: Any, cycle: bool) -> None:
    from jupyter_jitmagic.display import to_text
    from jupyter_jitmagic.display.advice import Context, advice

    printer.text(to_text(advice(diagnosis, Context(place, jitfix=""))))


def _start_panel(shell: Any, magics: Any, hooks: ExitStack) -> None:
    """The panel's side, in a kernel. Without `comm` the rest works as it is."""

    def fixes(args: Mapping[str, object]) -> dict[str, object]:
        from jupyter_jitmagic.magics.fix_magic import for_panel

        return for_panel(shell, magics.failures, args)

    def cures(args: Mapping[str, object]) -> dict[str, object]:
        from jupyter_jitmagic.magics.miss_advice import for_panel

        return for_panel(shell, args)

    def lines(args: Mapping[str, object]) -> dict[str, object]:
        from jupyter_jitmagic.magics.panel_lines import for_panel

        return for_panel(shell, args)

    def roll(args: Mapping[str, object]) -> dict[str, object]:
        from jupyter_jitmagic.magics.panel_lines import rolled_for_panel

        return rolled_for_panel(shell, args)

    def program(args: Mapping[str, object]) -> dict[str, object]:
        from jupyter_jitmagic.magics.panel_programs import for_panel

        return for_panel(shell, args)

    try:
        from jupyter_jitmagic.live import comms

        hooks.callback(comms.stop)
        comms.start(shell, {"fixes": fixes, "cures": cures, "lines": lines, "program": program, "roll": roll})
    except Exception as error:
        faults.report("starting the panel", error)


def _configure(shell: Any, options: Any, hooks: ExitStack) -> None:
    """`%config JitMagic`, with what IPython's configuration files set for it."""
    configured = options(parent=shell)
    shell.configurables.append(configured)

    def take_out() -> None:
        shell.configurables[:] = [other for other in shell.configurables if other is not configured]

    hooks.callback(take_out)


def _insert(where: list[Any], item: Any, place: int, hooks: ExitStack) -> None:
    where.insert(place, item)

    def take_out() -> None:
        where[:] = [other for other in where if other is not item]

    hooks.callback(take_out)


def _register(shell: Any, magics: Any, hooks: ExitStack) -> None:
    """Register a `Magics` object; taking it back restores what its names meant before."""
    manager = shell.magics_manager
    before = {kind: {name: manager.magics[kind].get(name) for name in magics.magics[kind]} for kind in magics.magics}
    shell.register_magics(magics)

    def take_out() -> None:
        for kind, names in before.items():
            for name, function in names.items():
                manager.magics[kind].pop(name, None)
                if function is not None:
                    manager.magics[kind][name] = function
        manager.registry.pop(type(magics).__name__, None)
        shell.configurables[:] = [other for other in shell.configurables if other is not magics]

    hooks.callback(take_out)
