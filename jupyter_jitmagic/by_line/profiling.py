"""A statement under JAX's profiler: when each instruction of each program ran, as plain data."""

from __future__ import annotations

import glob
import os
import tempfile
import time
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax

from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.base.own_work import own_work


class Ran(NamedTuple):
    """One execution of one instruction; times in nanoseconds."""

    module: str
    instruction: str
    start: float
    end: float
    run: tuple[Any, ...]
    """Which execution of the program it belongs to."""
    device: str
    lane: tuple[str, str]
    """The thread or stream that it ran on."""


class Profile(NamedTuple):
    """What was seen from start to stop."""

    events: list[Ran]
    took_s: float
    """Wall time between the two, until all that was set going had ended."""
    cost_s: float
    """What starting, stopping and reading the profiler took beyond that."""


class Profiler:
    """JAX's profiler from `start` to `stop`. Its files are deleted.

    Raises:
        OptionError: on `start`, one line: a profile is being taken already.

    Example:
        >>> profiler = Profiler()
        >>> profiler.start()
        >>> step(params, batch)
        >>> profile = profiler.stop()
    """

    def start(self) -> None:
        """Begin to look."""
        _wait()  # what runs now is not part of it
        begin = time.perf_counter()
        self._folder = tempfile.TemporaryDirectory(prefix="jitlines-")
        try:
            self._session = _start(self._folder.name)
        except BaseException:
            self._folder.cleanup()
            raise
        self._started = time.perf_counter()
        self._cost = self._started - begin

    def stop(self) -> Profile:
        """Wait for what was set going, end, and read what was seen."""
        with self._folder:
            try:
                jax.effects_barrier()
                _wait()
                ended = time.perf_counter()
            finally:
                data = internals.stop_profile(self._session)
            every = [data] if data is not None else map(jax.profiler.ProfileData.from_file, sorted(_files(self._folder.name)))
            events = [event for each in every for event in _events(each)]
        return Profile(events, ended - self._started, self._cost + time.perf_counter() - ended)

    def drop(self) -> None:
        """End without a look at what was seen: something failed."""
        with self._folder:
            internals.stop_profile(self._session)


def _start(folder: str) -> Any:
    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = 0  # a Python event for each call would cost more than the rest
    try:
        return internals.start_profile(folder, options)
    except RuntimeError as error:
        if "already" not in str(error):
            raise
        raise OptionError(
            "a profile is being taken already, and JAX takes one at a time: stop it first (jax.profiler.stop_trace())"
        ) from None


def _jitlines_fence(rounds: Any) -> Any:
    """A device runs what it was given in order, so when this has ended, all before it has; also what nobody holds any more.

    A loop of unknown length: the CPU client runs what is surely cheap at once, in the caller, before what waits.
    """
    return jax.lax.while_loop(lambda carry: carry[0] < rounds, lambda carry: (carry[0] + 1, carry[1] * 0.5), (0, 1.0))[1]


_fence = jax.jit(_jitlines_fence)


def _wait() -> None:
    """Until every device has done what was asked of it."""
    with own_work():
        for device in jax.local_devices():
            _fence(jax.device_put(1, device)).block_until_ready()


def _files(folder: str) -> list[str]:
    return glob.glob(os.path.join(folder, "**", "*.xplane.pb"), recursive=True)


def _events(data: Any) -> list[Ran]:
    with warnings.catch_warnings():  # of jaxlib's own types, in newer Pythons
        warnings.simplefilter("ignore", DeprecationWarning)
        return list(_each_event(data))


def _each_event(data: Any) -> Iterator[Ran]:
    for plane in data.planes:
        lines, on_host = list(plane.lines), plane.name.startswith("/host:")
        merged = [line for line in lines if line.name == "XLA Ops"]  # some backends repeat it, stream by stream
        for line in merged or lines:
            lane = plane.name, line.name
            for event in line.events:
                name = event.name
                if on_host and (":" in name or " " in name or "(" in name):
                    continue  # the runtime's own, some five to each of ours: not worth reading its figures
                stats = dict(event.stats)
                if "hlo_op" not in stats or stats.get("hlo_module") == _FENCE:
                    continue
                module = stats.get("hlo_module")
                yield Ran(
                    str(module or ""),
                    str(stats["hlo_op"]),
                    event.start_ns,
                    event.start_ns + event.duration_ns,
                    (module, stats.get("program_id"), stats.get("run_id", stats.get("correlation_id"))),
                    str(stats.get("device_ordinal", plane.name)),
                    lane,
                )


_FENCE = f"jit_{_jitlines_fence.__name__}"
