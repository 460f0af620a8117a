"""What was recorded, and who wants to hear of it. Imports nothing of ours: every other room depends on this one.

Writers (`_jitted`) add; readers (`_tables`, `_display`, `_panel`) call `log.fold()` and read. A cache hit notifies nobody: it
only lands in a buffer that the next `fold` brings in. Listeners hear of what is rare: functions, entries, misses, phases.

Times are seconds. `started_s` and `last_used_s` are Unix time; every other `*_s` is a duration.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from jupyter_jitmagic._errors import faults

Outcome = Literal["hit", "miss", "disk_hit", "inlined", "error"]
OUTCOMES: tuple[Outcome, ...] = ("hit", "miss", "disk_hit", "inlined", "error")
ExecuteHow = Literal["blocked", "observed", "unobserved"]
EXECUTE_HOW: tuple[ExecuteHow, ...] = ("unobserved", "observed", "blocked")
Phase = Literal["trace", "lower", "compile"]
PHASES: tuple[Phase, ...] = ("trace", "lower", "compile")
CauseName = Literal[
    "first_call", "shape", "dtype", "weak_type", "static_value", "static_identity", "pytree_structure", "calling_convention",
    "new_function", "device", "sharding", "config", "cleared", "unknown",
]  # fmt: skip


@dataclass(slots=True)
class FunctionRecord:
    """One jitted function. `name` is what tables show: the qualified name, unique among living functions."""

    id: int
    name: str
    module: str
    qualname: str
    filename: str
    line: int
    static_argnames: tuple[str, ...] = ()
    donate_argnames: tuple[str, ...] = ()
    created_s: float = 0.0
    alive: bool = True
    superseded: bool = False
    recording: bool = True
    calls: int = 0
    hits: int = 0
    misses: int = 0
    errors: int = 0
    inlined: int = 0
    trace_s: float = 0.0
    lower_s: float = 0.0
    compile_s: float = 0.0
    dispatch_s: float = 0.0


@dataclass(slots=True)
class EntryRecord:
    """One cache entry: an executable, told apart by avals, static values, and the transformation it runs under."""

    id: int
    function: int
    avals: str
    """JAX's short form, as "f32[4,3], {'w': f32[3]}"."""
    static: dict[str, str] = field(default_factory=dict)
    """Static values by argument path, shortened."""
    transformation: str = ""
    created_s: float = 0.0
    hits: int = 0
    trace_s: float | None = None
    lower_s: float | None = None
    compile_s: float | None = None
    outcome: Outcome = "miss"
    execute_s: float | None = None
    """Median of the blocked or observed executions, None while there is none."""
    executable_bytes: int | None = None
    temp_bytes: int | None = None
    argument_bytes: int | None = None
    output_bytes: int | None = None
    last_used_s: float = 0.0
    superseded: bool = False
    alive: bool = True


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for a miss. `before` and `now` are short forms; both empty where the cause has none (first_call)."""

    cause: CauseName
    argument: str = ""
    before: str = ""
    now: str = ""


@dataclass(frozen=True, slots=True)
class MissRecord:
    """A call that traced, lowered or compiled, with every cause. `cost_s` is trace + lower + compile."""

    id: int
    call: int
    function: int
    entry: int
    causes: tuple[Cause, ...]
    cost_s: float
    call_site: str = ""
    started_s: float = 0.0


@dataclass(frozen=True, slots=True)
class DiagnosisRecord:
    """A failed trace and what was concluded. `diagnosis` is the plain dict of `Diagnosis.to_dict`."""

    id: int
    function: str
    started_s: float
    diagnosis: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PhaseEvent:
    """A phase began (`duration_s` None) or ended, in `thread`, for the function named; what "Now" in the panel shows."""

    function: int
    name: str
    phase: Phase
    started_s: float
    duration_s: float | None = None
    thread: int = 0


@dataclass(frozen=True, slots=True)
class Changed:
    """Rows were added or changed: `what` is "functions", "entries", "misses", "diagnoses" or "reset"; `id` the row's, or 0."""

    what: str
    id: int = 0


Event = PhaseEvent | Changed
Listener = Callable[[Event], None]


class Listeners:
    """Those who want to hear. A listener runs in the thread of the call: it must be quick, and its faults stop here."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` on every event from now on; returns what ends that (twice does no harm)."""
        with self._lock:
            self._listeners += (listener,)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners = tuple(other for other in self._listeners if other is not listener)

        return unsubscribe

    def emit(self, event: Event) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception as error:
                faults.report("telling a listener", error)


class Log:
    """Every function, entry, call, miss and diagnosis of this process.

    `functions` and `entries` are by id, `misses` and `diagnoses` in order. `calls()` gives the calls as columns. Call `fold()`
    first: hits wait in per-function buffers until then.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.functions: dict[int, FunctionRecord] = {}
        self.entries: dict[int, EntryRecord] = {}
        self.misses: list[MissRecord] = []
        self.diagnoses: list[DiagnosisRecord] = []
        self.listeners = Listeners()
        self.folders: list[Callable[[], None]] = []

    def fold(self) -> None:
        """Bring every buffered call into the columns and totals."""
        for folder in tuple(self.folders):
            folder()

    def calls(self) -> dict[str, Any]:
        """The kept calls as columns of equal length: call function started_s outcome trace_s lower_s compile_s dispatch_s
        execute_s execute_how entry. Outcome and execute_how are codes into `OUTCOMES` and `EXECUTE_HOW`."""
        raise NotImplementedError("filled by the recording core")


log = Log()
