"""Records to the panel in JupyterLab, over comms: a snapshot first, then batched updates. The only room that imports `comm`.

While no panel listens nothing is sent and no thread runs. What the user's call pays while one does is a note of an id; a
thread of ours makes the rows and sends them.
"""

from __future__ import annotations

import atexit
import functools
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextvars import Context, copy_context
from typing import Any

from jupyter_jitmagic.base.errors import JitMagicError, faults
from jupyter_jitmagic.live import question_answers, quiet_subshell
from jupyter_jitmagic.live.channels import Channel, Marks, Panel, silent_comm
from jupyter_jitmagic.live.protocol import (
    COMM,
    QUERIES,
    SUBSHELL_PREFIX,
    SUBSHELLS_MARK,
    VERSION,
    Announcement,
    Counts,
    ProtocolError,
    Reply,
    Request,
    Snapshot,
    Update,
    is_comm_id,
    parse_request,
)
from jupyter_jitmagic.live.question_answers import Query
from jupyter_jitmagic.live.rows import Changes, Feed
from jupyter_jitmagic.records.log import Log, log

BATCH_S = 0.05
"""The least time between two updates. The server drops all output of a kernel above 1000 messages a second."""
COMPARE_BUSY_S = 0.5
COMPARE_IDLE_S = 2.0
"""So often counts of hits are compared, while a cell runs and while none does (threads go on)."""
LEASE_S = 60.0
"""After so long a panel is asked whether it is still there, with the next update."""
COUNTS_S = 1.0
"""The least time between two messages to panels that want counts only."""
GRACE_S = 15.0
"""So long it may take to answer."""


class Hub:
    """The kernel's end of the conversation; see `protocol` for how it goes. `start` and `stop` may be called in any order
    and from any thread, and `stop` leaves no comm, listener or thread behind."""

    def __init__(self, source: Log, queries: Mapping[str, Query] | None = None) -> None:
        self.epoch = uuid.uuid4().hex
        self._queries = dict(queries or {})
        self._lock = threading.RLock()
        """Held while a message is made and handed over, so that they leave in the order of their numbers."""
        self._seq = 0
        self._panels: dict[str, Panel] = {}
        self._is_on = False
        self._marks: list[Any] = []
        self._lab = Marks(self._marks)
        self._holds: dict[str, Callable[[], None]] = {}
        """Subshells that are quiet (`quiet_subshell`), and what ends that."""
        self._manager: Any = None
        self._shell: Any = None
        self._busy = False
        self._wake = threading.Event()
        self._feed = Feed(source, self._wake.set, self._cell_number)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._compare_now = False
        self._last_counts: Counts | None = None

    # -- start and stop ------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Follow what is recorded, for panels that come through `hear`."""
        with self._lock:
            if not self._is_on:
                self._is_on = True
                atexit.register(self.stop)
                self._feed.start()

    def start(self, shell: Any) -> None:
        """Listen for panels of the kernel that `shell` belongs to; nothing happens in an IPython without a kernel."""
        kernel = getattr(shell, "kernel", None)
        if kernel is None or self._manager is not None:
            return
        import comm

        manager = comm.get_comm_manager()
        if not hasattr(manager, "comms") or not hasattr(manager, "register_comm"):
            return
        with self._lock:
            self.begin()
            self._manager, self._shell = manager, shell
            self._busy = True  # loading happens in a cell
            self._mark(COMM)
            # Not `on_msg`: that way IPython would run post_execute in the subshell's thread, and with it matplotlib's show-all.
            self._mark(QUERIES).handle_msg = self._received
            if getattr(kernel, "_supports_kernel_subshells", False):
                self._mark(SUBSHELLS_MARK)
            shell.events.register("pre_run_cell", self._before_cell)
            shell.events.register("post_run_cell", self._after_cell)
            self._announce("loaded")

    def stop(self) -> None:
        """Say goodbye and leave no trace."""
        with self._lock:
            if not self._is_on:
                return
            self._is_on = False
            self._announce("unloaded")
            self._panels = {}
            self._let_go()
            atexit.unregister(self.stop)
            self._feed.stop()
            thread = self._retire_thread()
        self._join(thread)

    def _let_go(self) -> None:
        """The lock is held. Of the shell, and of the comms in its kernel."""
        manager, shell, self._manager, self._shell = self._manager, self._shell, None, None
        for mark in self._marks:
            manager.comms.pop(mark.comm_id, None)
        self._marks.clear()
        holds, self._holds = self._holds, {}
        for end in holds.values():
            end()
        if shell is not None:
            shell.events.unregister("pre_run_cell", self._before_cell)
            shell.events.unregister("post_run_cell", self._after_cell)

    def after_fork(self) -> None:
        """In a forked child: front ends talk to the parent alone, so it is over here, without a word to them and without the
        thread and the locks that others held."""
        self._lock = threading.RLock()
        self._manager = self._shell = self._thread = None
        self._is_on = False
        self._panels, self._holds = {}, {}
        self._marks.clear()
        self._feed.after_fork()

    @property
    def listening(self) -> bool:
        """Whether a panel of JupyterLab's listens, to which a link can lead."""
        return any(panel.channel is self._lab for panel in tuple(self._panels.values()))

    def _mark(self, comm_id: str) -> Any:
        """Register a comm without telling any front end: whoever asks for the kernel's comms finds it."""
        mark = silent_comm(comm_id)
        self._manager.register_comm(mark)
        self._marks.append(mark)
        return mark

    def _announce(self, what: Any) -> None:
        self._send_to_all(Announcement(t=what, v=VERSION, epoch=self.epoch), self._lab)

    # -- from the panel, in the thread of its subshell (or the main one) -------------------------------------------------

    def _received(self, message: Mapping[str, Any]) -> None:
        self.hear(message["content"].get("data"), self._lab, message.get("header", {}).get("subshell_id"))

    def hear(self, data: Any, channel: Channel, here: str | None) -> None:
        """A panel sent this; what is for it goes through `channel`. `here`: the subshell in whose thread this is."""
        with faults.stop("hearing the panel"):
            self._heard(data, channel, here)

    def _heard(self, data: Any, channel: Channel, here: str | None) -> None:
        try:
            request = parse_request(data)
        except ProtocolError as error:
            if isinstance(data, dict) and is_comm_id(panel := data.get("panel")):
                identity = data.get("id")
                self._reply(channel.to(panel), identity if isinstance(identity, str) else "", error=str(error))
            return
        if request["op"] == "close":
            self._closed(request["panel"])
            return
        panel = self._panels.get(request["panel"])
        if panel is None:  # it opens, or was given up for its silence (a sleeping laptop) and is back
            self._opened(request, channel, here)
            return
        panel.seen = time.monotonic()
        if request["op"] == "open":  # it wants rows now that wanted counts before, or the other way round
            with self._lock:
                self._welcome(panel, counts=request["args"].get("counts") is True)
                self._rest_if_alone()
        elif request["op"] == "snapshot":
            with self._lock:
                self._send_snapshot(panel.comm, answers=request["id"])
        elif request["op"] != "alive":
            self._answer(panel.comm, request)

    def _opened(self, request: Request, channel: Channel, here: str | None) -> None:
        counts = request["args"].get("counts") is True
        with self._lock:
            if not self._is_on:
                return
            if channel is self._lab:
                self._share(request["args"].get("subshell") or here, here)
            self._feed.awake = True
            self._welcome(Panel(channel, request["panel"], leased=bool(request["args"].get("subshell") or here)), counts=counts)
            # ipykernel 7.0 sends nothing from a thread that does not know the message it answers
            self._begin_thread(copy_context() if here or channel is not self._lab else Context())

    def _share(self, subshell: object, here: str | None) -> None:
        """The lock is held. The subshell of the first of JupyterLab's panels is for all of them, and quiet."""
        shared = any(mark.comm_id.startswith(SUBSHELL_PREFIX) for mark in self._marks)
        if isinstance(subshell, str) and subshell and not shared:
            self._mark(SUBSHELL_PREFIX + subshell)
        if isinstance(here, str) and here not in self._holds and (end := quiet_subshell.hold(self._shell.kernel, here)):
            self._holds[here] = end

    def _welcome(self, panel: Panel, *, counts: bool) -> None:
        """The lock is held. Tell a panel all that it wants to know."""
        first = not self._wanted(counts=False)
        panel.counts = counts
        self._panels[panel.comm.comm_id] = panel
        if counts:
            panel.comm.send(self._counts())
        else:
            self._send_snapshot(panel.comm, begin=first)

    def _answer(self, comm: Any, request: Request) -> None:
        query = self._queries.get(request["op"])
        if request["args"].get("epoch", self.epoch) != self.epoch:
            self._reply(comm, request["id"], error="that belongs to an earlier start of jupyter_jitmagic in this kernel")
            return
        if query is None:
            self._reply(comm, request["id"], error=f"this kernel's jupyter_jitmagic does not know {request['op']!r}: update it")
            return
        try:
            self._reply(comm, request["id"], data=query(request["args"]))
        except JitMagicError as error:
            self._reply(comm, request["id"], error=str(error))
        except Exception as error:
            faults.report("answering the panel", error)
            self._reply(comm, request["id"], error=f"{type(error).__name__}: see jupyter_jitmagic.faults.details()")
        self._compare_now = True
        self._wake.set()

    def _closed(self, name: str) -> None:
        with self._lock:
            self._panels.pop(name, None)
            thread = self._rest_if_alone()
        self._join(thread)

    # -- to the panel ----------------------------------------------------------------------------------------------------

    def _reply(self, comm: Any, id_: str, *, data: dict[str, object] | None = None, error: str | None = None) -> None:
        reply = Reply(t="reply", v=VERSION, id=id_, ok=error is None)
        if error is not None:
            reply["error"] = error
        if data is not None:
            reply["data"] = data
        comm.send(reply)

    def _send_to_all(self, message: Any, *more: Channel) -> None:
        """The lock is held. To every way on which a panel listens."""
        for channel in dict.fromkeys([*more, *(panel.channel for panel in self._panels.values())]):
            channel.send(message)

    def _send_snapshot(self, comm: Any, *, begin: bool = False, answers: str = "") -> None:
        """The lock is held. To one panel on its own comm, or to all (None); what others have still to hear stays noted unless
        `begin`."""
        rows = self._feed.everything(begin=begin)
        snapshot = Snapshot(
            t="snapshot",
            v=VERSION,
            epoch=self.epoch,
            seq=self._seq,
            busy=self._busy,
            package=_package_version(),
            home=_home(),
            paused_s=self._feed.paused_s,
            id=answers,
            **rows,
        )
        if comm is None:
            self._send_to_all(snapshot)
        else:
            comm.send(snapshot)

    def _send_changes(self, changes: Changes) -> None:
        """The lock is held."""
        if not changes:
            return
        self._seq += 1
        if changes.reset:
            self._send_snapshot(None, begin=True)
            return
        update = Update(
            t="update",
            v=VERSION,
            epoch=self.epoch,
            seq=self._seq,
            busy=self._busy,
            gone_functions=changes.gone_functions,
            gone_entries=changes.gone_entries,
            functions=changes.rows["functions"],
            entries=changes.rows["entries"],
            misses=changes.rows["misses"],
            diagnoses=changes.rows["diagnoses"],
            others=changes.rows["others"],
            now=changes.rows["now"],
        )
        if self._ask_the_silent():
            update["ping"] = True
        self._send_to_all(update)

    def _counts(self) -> Counts:
        running, misses, seconds = self._feed.totals()
        return Counts(
            t="counts",
            v=VERSION,
            epoch=self.epoch,
            busy=self._busy,
            running=running,
            misses=misses,
            compile_s=seconds,
        )

    def _send_counts(self) -> None:
        """The lock is held. To all who want them, if they changed."""
        counts = self._counts()
        if counts == self._last_counts:
            return
        self._last_counts = counts.copy()
        if self._ask_the_silent():
            counts["ping"] = True
        self._send_to_all(counts)

    def _wanted(self, *, counts: bool) -> bool:
        return any(panel.counts is counts for panel in self._panels.values())

    def _rest_if_alone(self) -> threading.Thread | None:
        """The lock is held. Where nobody listens any more nothing is noted, and the thread that comes back is to end."""
        if not self._wanted(counts=False):
            self._feed.rest()
        if self._panels:
            return None
        self._feed.awake = False
        return self._retire_thread()

    def _ask_the_silent(self) -> bool:
        """Drop panels that did not answer in time; whether one is to be asked now."""
        for name, panel in list(self._panels.items()):
            if panel.silent_s() > LEASE_S + GRACE_S:
                del self._panels[name]
        return any(panel.silent_s() > LEASE_S for panel in self._panels.values())

    # -- cells and the thread ----------------------------------------------------------------------------------------------

    def _before_cell(self, _info: object = None) -> None:
        self._busy = True
        if self._panels:
            self._wake.set()

    def _after_cell(self, _result: object = None) -> None:
        self._busy = False
        self._feed.cell_ended(threading.get_ident())
        if self._panels:
            self._compare_now = True
            self._wake.set()

    def _cell_number(self, filename: str) -> int | None:
        """Which cell IPython compiled under this file name; the latest where one was run again."""
        named = self._shell.compile.format_code_name(filename) if self._shell is not None else None
        if not named or not named[1].startswith("In["):
            return None
        number = named[1][3:-1]
        return int(number) if number.isdigit() else None

    def _begin_thread(self, context: Context) -> None:
        """The lock is held."""
        if self._thread is None:
            self._stopping = threading.Event()
            target = functools.partial(context.run, self._run, self._stopping)
            self._thread = threading.Thread(target=target, name="jitmagic-panel", daemon=True)
            self._thread.start()

    def _retire_thread(self) -> threading.Thread | None:
        """The lock is held."""
        thread, self._thread = self._thread, None
        self._stopping.set()
        self._wake.set()
        return thread

    @staticmethod
    def _join(thread: threading.Thread | None) -> None:
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=2.0)

    def _run(self, stopping: threading.Event) -> None:
        compared = counted = 0.0
        full = False
        while not stopping.is_set():
            pause = COMPARE_BUSY_S if self._busy or self._feed.working else COMPARE_IDLE_S
            self._wake.wait(timeout=pause)
            self._wake.clear()
            if stopping.is_set():
                return
            compare = self._compare_now or time.monotonic() - compared >= pause
            if compare:
                self._compare_now, compared = False, time.monotonic()
            try:
                with self._lock:
                    if stopping.is_set() or not self._is_on:
                        return
                    if full := self._wanted(counts=False):
                        self._send_changes(self._feed.changes(compare=compare))
                    if self._wanted(counts=True) and time.monotonic() - counted >= COUNTS_S:
                        counted = time.monotonic()
                        self._send_counts()
                    self._rest_if_alone()  # all of them may have fallen silent
            except Exception as error:
                faults.report("telling the panel", error)
            stopping.wait(BATCH_S if full else COUNTS_S)


def _home() -> str:
    return os.path.expanduser("~")


@functools.cache
def _package_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("jupyter-jitmagic")
    except PackageNotFoundError:
        return ""


_hub: Hub | None = None


def start(shell: Any, queries: Mapping[str, Query] | None = None) -> None:
    """Let panels of `shell`'s kernel listen, from `%load_ext` on; a second call changes nothing. `queries`: what other rooms
    answer to the panel, by operation, beside `question_answers.QUERIES`."""
    global _hub
    if _hub is None and getattr(shell, "kernel", None) is not None:
        _hub = Hub(log, {**question_answers.QUERIES, **(queries or {})})
        _hub.start(shell)


def for_widgets(queries: Mapping[str, Query]) -> Hub:
    """The kernel's end, for a panel that is a widget; begun with these `queries` where no shell has begun it, as in a notebook
    that is not Jupyter's."""
    global _hub
    if _hub is None:
        _hub = Hub(log, {**question_answers.QUERIES, **queries})
    _hub.begin()
    return _hub


def is_heard() -> bool:
    """Whether a front end with the panel (or its status bar) listens at this moment."""
    return _hub is not None and _hub.listening


def epoch() -> str:
    """Names this start of the extension; empty where there is no panel to talk to."""
    return _hub.epoch if _hub is not None else ""


def stop() -> None:
    """Undo `start`, at `%unload_ext`."""
    global _hub
    if _hub is not None:
        _hub.stop()
        _hub = None


def _after_fork() -> None:
    if _hub is not None:
        _hub.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)  # after the log's, which it imports: its listeners' lock is free by then
