"""The recorder: what of ours is hooked into the log, into JAX and into this process, in one place and in its order."""

from __future__ import annotations

import os
import time

from jupyter_jitmagic.base import own_work
from jupyter_jitmagic.recording import hot_path
from jupyter_jitmagic.recording.calls import function_state, functions
from jupyter_jitmagic.recording.compiles import agreeing, budgets, elsewhere, spans
from jupyter_jitmagic.recording.executions import observation, scheduling, waiting_caller
from jupyter_jitmagic.recording.executions.running_ahead import ahead
from jupyter_jitmagic.recording.executions.waiter import waiter
from jupyter_jitmagic.records.log import Changed, log

FOLD = (
    waiting_caller.hand_over,  # ends that callers saw become sightings,
    hot_path.fold,  # rows get their numbers,
    observation.judge,  # sightings become times in these rows,
    functions.bury,  # functions that are gone take their entries along,
    function_state.tell_unrecorded,
)
"""What a reader of the log has done before it reads, in this order."""


class Recorder:
    """Recording as a whole: begun with the first function under `jm.jit`, ended with ``%unload_ext``."""

    def __init__(self) -> None:
        self._connected = False

    def start(self) -> None:
        """Record (again) what jitted functions do, those of before a stop too; harmless when that is so already."""
        if not self._connected:
            self._connected = True
            self._connect()
        elsewhere.install()
        agreeing.begin()
        if spans.install():
            for state in spans.all_living():
                state.pause(log.paused_s is not None)

    def stop(self) -> None:
        """Take everything of ours out of JAX: listeners, hook and thread. Jitted functions go on working, unrecorded."""
        agreeing.stop()
        spans.uninstall()
        log.paused_s = None
        for state in spans.all_living():
            state.pause(True)
        waiter.stop()  # now that no call gives it more

    def pause(self, paused: bool) -> None:
        """Make no rows of calls until this is taken back, nor of functions that are put under jit meanwhile. Budgets go on,
        and so does telling what is being compiled."""
        if paused is (log.paused_s is not None):
            return
        log.fold()
        log.paused_s = time.time() if paused else None
        for state in spans.all_living():
            state.pause(paused)
        log.listeners.emit(Changed("recording"))

    def _connect(self) -> None:
        log.clock_offset = time.time() - time.perf_counter()
        log.folders.extend(FOLD)
        own_work.before.append(functions.look_closely)
        spans.outside.append(functions.traced_outside)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_after_fork)


def _after_fork() -> None:
    """The threads that were in the middle of something at a fork are not in the child."""
    budgets.after_fork()
    agreeing.after_fork()
    scheduling.after_fork()
    waiter.after_fork()
    ahead.after_fork()
    for state in spans.all_living():
        state.after_fork()


recorder = Recorder()
