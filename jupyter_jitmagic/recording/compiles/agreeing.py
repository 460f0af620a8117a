"""Whether the processes of one program (``jax.distributed``) are about to run the same programs, told before they hang.

What runs on devices of several processes waits in its collectives for all of them. So each such compile leaves what it is for
in JAX's key-value store, and a thread compares: the n-th program of one process with the n-th of the others. A process that has
not come so far is no different. Nobody waits: the call puts a note on a queue, all else is the thread's; a hit does nothing.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import json
import os
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jupyter_jitmagic.base import jax_frames
from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.base.errors import ProcessesDifferError, faults
from jupyter_jitmagic.base.options import options
from jupyter_jitmagic.base.own_work import is_own_work
from jupyter_jitmagic.recording.compiles import budgets, elsewhere
from jupyter_jitmagic.recording.compiles.compiling_call import Compiling
from jupyter_jitmagic.recording.compiles.hearing import Hearing
from jupyter_jitmagic.records.programs import (
    Differing,
    Program,
    first_difference,
    groups_of,
    most,
    named,
    others_than,
    program_of,
    told,
)
from jupyter_jitmagic.usercode.call_site import call_site

_POLL_S = 0.4
_ROOT = "jitmagic"
_KEPT = 128
"""So many of its latest programs a process shows; a process that is further behind is compared when it comes nearer."""
_NOTED = 1024
_FAILURES = 5
"""So many times in a row the store may not answer."""

Group = tuple[int, ...]
"""The processes on whose devices a program runs: programs are compared with those of the same group."""


class _Own:
    """What this process has compiled for one group, in its order."""

    def __init__(self) -> None:
        self.programs: list[Program] = []
        self.lowered: dict[int, str] = {}
        """Digests of the lowered programs, where that must decide."""
        self.known: set[str] = set()
        self.sent = 0
        self.is_new = False


class _Shown(NamedTuple):
    """What a process shows of one program: digests, the last one empty until it is known."""

    digest: str
    given: str
    lowered: str


def are_same(one: _Shown, other: _Shown) -> bool | None:
    """Whether two programs come to the same; None where that is not known yet."""
    if one.digest == other.digest:
        return True
    if one.given != other.given:
        return False
    return one.lowered == other.lowered if one.lowered and other.lowered else None


class Agreement:
    """Follows what this process compiles for several, and what the others show.

    Args:
        say: takes the line that names a difference.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.found: list[Differing] = []
        """The difference that was told; processes that went different ways are not compared any further."""
        self._say = say
        self._groups: dict[Group, _Own] = {}
        self._reference: dict[Group, dict[int, _Shown]] = {}
        """What the first process of each group showed the last time, by number."""
        self._ahead: dict[tuple[Group, int], Program] = {}
        """Its programs that this process had not come to then."""
        self._place: internals.Distributed | None = None
        self._lock, self._taking = threading.Lock(), threading.RLock()
        self._thread: threading.Thread | None = None
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._end = threading.Event()
        self._failures = 0
        self._noted: deque[tuple[internals.Distributed, Group, Callable[[], Program], str]] = deque(maxlen=_NOTED)
        """What was noted and is for the thread to work out."""

    # ---- in the thread that compiles

    def note(self, place: internals.Distributed, group: Group, program: Program, lowered: str) -> str:
        """Take note of a program that is about to be lowered, or (`lowered`) compiled. What is returned refuses it."""
        self._take_noted()
        number, mine = self._note(place, group, program, lowered)
        self._begin()
        self._wake.put(None)
        if self.found:
            return self.found[0].differs
        theirs = self._reference.get(group, {}).get(number)
        if theirs is not None and are_same(mine, theirs) is False:
            usual = self._ahead.get((group, number), program)
            return told(f"process {place.process}", program, f"process {group[0]}", usual, verb="is about to run")
        return ""

    def note_later(self, place: internals.Distributed, group: Group, program: Callable[[], Program], lowered: str) -> None:
        """The same where nothing is refused: what is to be worked out, too, is the thread's."""
        if not self.found:
            self._noted.append((place, group, program, lowered))
            self._begin()
            self._wake.put(None)

    def _take_noted(self) -> None:
        with self._taking:  # one at a time: what was compiled first is noted first
            while self._noted:
                place, group, program, lowered = self._noted.popleft()
                with faults.stop("comparing what processes compile"):
                    self._note(place, group, program(), lowered)

    def _note(self, place: internals.Distributed, group: Group, program: Program, lowered: str) -> tuple[int, _Shown]:
        """Which one of the group's programs it is, and what is shown of it."""
        with self._lock:
            if self._place is None or self._place.client is not place.client:
                self._place, self._groups, self._reference, self._ahead, self.found = place, {}, {}, {}, []
            own = self._groups.setdefault(group, _Own())
            if program.digest not in own.known:
                own.known.add(program.digest)
                own.programs.append(program)
                own.is_new = True
            number = next(n for n in range(len(own.programs) - 1, -1, -1) if own.programs[n].digest == program.digest)
            if lowered and not own.lowered.get(number):
                own.lowered[number] = lowered
                own.is_new = True
            return number, _Shown(program.digest, program.given, own.lowered.get(number, ""))

    def _begin(self) -> None:
        if self._thread is None and not self.found and not self._end.is_set():
            self._thread = threading.Thread(target=self._work, name="jitmagic-agreeing", daemon=True)
            self._thread.start()
            atexit.register(self.end)

    def end(self) -> None:
        """No more from here: before JAX takes its store down."""
        self._end.set()
        self._wake.put(None)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=2)

    # ---- in the thread beside

    def _work(self) -> None:
        while not self._end.is_set() and not self.found:
            try:
                self._wake.get(timeout=_POLL_S)
                while True:
                    self._wake.get_nowait()
            except queue.Empty:
                pass
            if self._end.is_set():
                return
            try:
                self.look()
                self._failures = 0
            except Exception as error:
                if internals.distributed() is None:
                    return  # JAX was shut down
                self._failures += 1
                if self._failures == _FAILURES:
                    self._say(f"whether processes differ is watched no more: JAX's key-value store fails ({error})")
                    return

    def look(self) -> None:
        """Show what is new here, look at what the others show, and tell a difference."""
        self._take_noted()
        place = self._place
        if place is None or internals.distributed() is None:
            return
        store = _Store(place.client)
        with self._lock:
            groups = dict(self._groups)
        for group, own in groups.items():
            self._show(store, place, group, own)
            if place.process == group[0]:
                continue
            reference = _shown(store.get(_key(group, "shows", group[0])))
            for number in reference.keys() - range(own.sent):
                text = None if (group, number) in self._ahead else store.get(_key(group, "program", group[0], number))
                if text is not None:
                    self._ahead[group, number] = Program.from_dict(json.loads(text))
            self._reference[group] = reference
            mine = self._own_shown(own)
            if any(are_same(mine[number], reference[number]) is False for number in mine.keys() & reference.keys()):
                store.put(f"{_ROOT}/alarm/{_name(group)}/{place.process}", "differs")
        alarms = store.below(f"{_ROOT}/alarm/")
        for group in groups:
            if any(key.split("/")[-2] == _name(group) for key in alarms):
                self._end.wait(_POLL_S)  # those that differ, too, may be about to say so
                self._tell(store, place, group)
                return

    def _show(self, store: _Store, place: internals.Distributed, group: Group, own: _Own) -> None:
        with self._lock:
            if not own.is_new:
                return
            own.is_new = False
            new, first = own.programs[own.sent :], own.sent
        try:
            for number, program in enumerate(new, first):
                store.put(_key(group, "program", place.process, number), json.dumps(program.to_dict()))
            own.sent = first + len(new)
            shown = self._own_shown(own)
            latest = {number: shown[number] for number in sorted(shown)[-_KEPT:]}
            store.put(_key(group, "shows", place.process), json.dumps(latest))
        except Exception:
            own.is_new = True  # the store may answer the next time
            raise

    def _own_shown(self, own: _Own) -> dict[int, _Shown]:
        with self._lock:
            programs, lowered = list(own.programs[: own.sent]), dict(own.lowered)
        return {n: _Shown(program.digest, program.given, lowered.get(n, "")) for n, program in enumerate(programs)}

    def _tell(self, store: _Store, place: internals.Distributed, group: Group) -> None:
        every = {who: _shown(store.get(_key(group, "shows", who))) for who in group}
        number = _first_different(every)
        if number is None:
            return
        texts = {who: store.get(_key(group, "program", who, number)) for who, shown in every.items() if number in shown}
        programs: dict[Any, Program | None] = {
            who: Program.from_dict(json.loads(text)) for who, text in texts.items() if text is not None
        }
        found = _told(programs)
        if found:
            self.found = found
            end = "Processes that run different programs wait for each other without end, or compute wrong numbers."
            self._say("; ".join(f"{each.differs}{_at(each.call_site)}" for each in found) + f". {end}")


def _first_different(every: Mapping[int, Mapping[int, _Shown]]) -> int | None:
    for number in sorted({number for shown in every.values() for number in shown}):
        at = [shown[number] for shown in every.values() if number in shown]
        if any(are_same(at[0], other) is False for other in at[1:]):
            return number
    return None


def _told(programs: Mapping[Any, Program | None]) -> list[Differing]:
    usual = most(programs)
    odd = {who: program for who, program in programs.items() if program and usual and program.digest != usual.digest}
    found = []
    for whos in groups_of(odd):
        program, who = odd[whos[0]], named("process", whos)
        assert program is not None and usual is not None
        differs = first_difference(program, usual)
        line = told(who, program, others_than("process", programs, whos), usual, verb="is about to run")
        place = differs.place if differs is not None else ""
        found.append(Differing(program.function, line, who, place, call_site=program.call_site))
    return found


def _at(call_site_: str) -> str:
    filename, _, line = call_site_.rpartition(":")
    return f" ({os.path.basename(filename)}:{line})" if filename else ""


# ---- the store


class _Store:
    """JAX's key-value store, without waiting for anybody."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def put(self, key: str, value: str) -> None:
        self._client.key_value_set(key, value, allow_overwrite=True)

    def get(self, key: str) -> str | None:
        try:
            return str(self._client.key_value_try_get(key))
        except Exception as error:
            if "NOT_FOUND" in str(error):
                return None
            raise

    def below(self, folder: str) -> list[str]:
        return [str(key) for key, _ in self._client.key_value_dir_get(folder)]


def _name(group: Group) -> str:
    text = ",".join(map(str, group))
    return text if len(text) < 100 else hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _key(group: Group, what: str, *rest: int) -> str:
    return "/".join([_ROOT, what, _name(group), *map(str, rest)])


def _shown(text: str | None) -> dict[int, _Shown]:
    return {int(number): _Shown(*shown) for number, shown in json.loads(text).items()} if text else {}


# ---- hearing of what compiles


def _say(line: str) -> None:
    print(f"jupyter_jitmagic: {line}", file=sys.stderr, flush=True)


agreement = Agreement(_say)


def _on_start(event: str, value: float, **kwargs: Any) -> None:
    if event not in (internals.LOWER_EVENT, internals.COMPILE_EVENT) or options.differ == "off":
        return
    refused = ""
    try:
        refused = _heard(event, str(kwargs.get("fun_name", "")))
    except Exception as error:
        faults.report("comparing what processes compile", error)
    if refused and options.differ == "raise":
        raise ProcessesDifferError(refused)


def _heard(event: str, name: str) -> str:
    """What refuses the compile that is about to begin; "" if nothing does."""
    place = internals.distributed()
    # what other threads compile has no order that other processes could share
    if place is None or threading.current_thread() is not threading.main_thread() or is_own_work():
        return ""
    frame = sys._getframe(2)
    group = jax_frames.processes_compiled_for(frame)
    if len(group) < 2:
        return ""
    last, _here.lowering = _here.lowering, None
    if event == internals.COMPILE_EVENT and last is not None and last[0] == name:
        _, program, by_text = last
    else:
        compiling = budgets.who_compiles(name)
        if compiling is None:
            return ""  # compiled ahead of time: when it runs is not known
        program, by_text = _program(compiling)
    lowered = ""
    if event == internals.LOWER_EVENT:
        _here.lowering = name, program, by_text
    elif by_text:
        text = jax_frames.lowered_text(frame)
        lowered = hashlib.blake2b(text.encode(), digest_size=12).hexdigest() if text else ""
    if options.differ == "raise":
        return agreement.note(place, group, program(), lowered)
    agreement.note_later(place, group, program, lowered)
    return ""


class _Here(threading.local):
    lowering: tuple[str, Callable[[], Program], bool] | None = None
    """The event's name, the program, and whether its text may decide, of what this thread lowers: it is compiled next."""


_here = _Here()


def _program(compiling: Compiling) -> tuple[Callable[[], Program], bool]:
    """What makes the program that is about to be compiled, once, in whatever thread; and whether only its lowered text can tell
    if it is the same as another one."""
    key = compiling.signature()
    given = compiling.options
    donated = [*map(str, given.donate_argnums), *given.donate_argnames]
    function = compiling.state.facts.record.qualname if compiling.state is not None else elsewhere.name_of(compiling)
    by_text = bool(key.statics) or any(_has_metadata(node) for _, node in key.structure)
    site = call_site(4)
    return functools.cache(lambda: program_of(function, key, donated, site, devices=True)), by_text


def _has_metadata(node: Any) -> bool:
    return node is not None and (bool(node.metadata) or any(_has_metadata(child) for child in node.children))


_hearing = Hearing("scalar", _on_start)
_listening = False


def begin() -> None:
    """Listen from now on; twice is once."""
    global _listening
    if not _listening:
        _listening = True
        _hearing.begin()


def stop() -> None:
    """Listen no more, until it is begun again."""
    global _listening, agreement
    _listening = False
    _hearing.end()
    agreement.end()
    agreement = Agreement(_say)


def after_fork() -> None:
    """A forked child is no process of the program."""
    global agreement
    agreement = Agreement(_say)
