"""One process of a program of several, for `test_agreeing.py`: ``python two_processes.py PORT PROCESS COUNT KIND DIFFER``.

What it prints to stdout is what the test reads. It ends itself: whoever waits in a collective that never comes cannot.
"""

import os
import sys
import threading
import time
from functools import partial

import jax

port, me, count, kind, differ = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
threading.Timer(100, os._exit, [3]).start()
jax.config.update("jax_cpu_collectives_implementation", "gloo")
jax.distributed.initialize(f"127.0.0.1:{port}", count, me)

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax.experimental import multihost_utils  # noqa: E402
from jax.sharding import NamedSharding, PartitionSpec  # noqa: E402

import jupyter_jitmagic as jm  # noqa: E402
from jupyter_jitmagic.base.jax_internals import distributed  # noqa: E402
from jupyter_jitmagic.recording.compiles import agreeing  # noqa: E402

jm.options.differ = differ
told_s: list[float] = []
agreeing.agreement._say = lambda line: (told_s.append(time.time()), agreeing._say(line))
mesh = jax.make_mesh((count,), ("i",))
last = me == count - 1


def spread(rows, dtype=np.float32, spec=("i",)):
    shape = (8 * count, rows)
    placed = NamedSharding(mesh, PartitionSpec(*spec))
    return jax.make_array_from_callback(shape, placed, lambda index: np.ones(shape, dtype)[index])


@jm.jit
def step(x, scale=1):
    return (x * scale).sum()


@jax.jit
def plain(x):
    return (x + 1).sum()


@partial(jm.jit, static_argnames="settings")
def with_settings(x, settings):
    return (x * 3).sum()


class Settings:
    """Hashes by value; its rank does not come into the program."""

    def __init__(self, rank):
        self.rank = rank

    def __repr__(self):
        return f"Settings(rank={self.rank}, names={{'a', 'bb', 'ccc'}})"

    def __hash__(self):
        return 1

    def __eq__(self, other):
        return isinstance(other, Settings) and other.rank == self.rank


def healthy():
    """What a program does in which nothing is wrong: one behind the others, local work, helpers of JAX, a cleared cache."""
    for rows in (3, 4, 5):
        if last:
            time.sleep(0.6)
        float(step(spread(rows)))
        float(plain(spread(rows)))
    if me == 0:
        float(jm.jit(jnp.sum)(jnp.ones(7)))  # of this process alone
    float(with_settings(spread(3), Settings(me)))
    multihost_utils.sync_global_devices("here")
    multihost_utils.process_allgather(np.ones(3))
    multihost_utils.broadcast_one_to_all(np.float32(me))
    if last:
        step.clear_cache()
    float(step(spread(3)))
    float((spread(3) + 1).sum())
    time.sleep(1.2)


def compile_or_say(call):
    try:
        call()
        print("ran", flush=True)
    except jm.ProcessesDifferError as error:
        print(f"ProcessesDifferError: {error}", flush=True)
    except jax.errors.JaxRuntimeError:
        print("the other one is gone", flush=True)
    until = time.monotonic() + 60
    while not agreeing.agreement.found and time.monotonic() < until:
        time.sleep(0.05)


DIFFERENT = {
    "shape": lambda: step(spread(31 if last else 32)),
    "dtype": lambda: step(spread(3, np.float16 if last else np.float32)),
    "weak_type": lambda: step(spread(3), 2.0 if last else np.float32(2)),
    "static_value": lambda: jm.jit(lambda x, n: (x * n).sum(), static_argnums=1)(spread(3), 7 if last else 8),
    "order": lambda: (plain(spread(3)), step(spread(4))) if last else (step(spread(4)), plain(spread(3))),
    "missing": lambda: plain(spread(3)) if last else (step(spread(4)), plain(spread(3))),
    "config": lambda: config_step(),
    "donation": lambda: jm.jit(lambda x: x * 2, donate_argnums=0 if last else ())(spread(3)),
    "sharding": lambda: step(spread(8 * count, spec=(None, "i") if last else ("i",))),
    "behind": lambda: [step(spread(rows)) for rows in ((5, 6) if last else (4, 5, 6))],
}


def config_step():
    with jax.default_matmul_precision("highest" if last else "default"):
        return step(spread(6))


sys.excepthook = lambda *what: (sys.__excepthook__(*what), os._exit(4))  # at its end JAX would wait for the other one
float(step(spread(2)))
if kind == "healthy":
    healthy()
else:
    if last and differ == "raise":
        until = time.monotonic() + 60  # the other one has shown its program when this one comes to its own
        while not any(len(shown) > 1 for shown in agreeing.agreement._reference.values()) and time.monotonic() < until:
            time.sleep(0.05)
    began = time.time()
    compile_or_say(DIFFERENT[kind])
    if told_s:
        print(f"began {began:.3f} told {told_s[0]:.3f}", file=sys.stderr)
print([each.differs for each in agreeing.agreement.found], flush=True)
print(jm.faults.details(), end="", flush=True)
# JAX ends a process whose coordinator, the first one, is gone: that leaves when all have said theirs
store = distributed().client
store.key_value_set(f"said/{me}", "all")
for other in range(count) if me == 0 else ():
    store.blocking_key_value_get(f"said/{other}", 60_000)
os._exit(0)
