"""Run in a process with four CPU devices: placements against what JAX does. Prints "ok" and the number of cases."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.layout import Format, Layout
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec, SingleDeviceSharding

import jupyter_jitmagic as jm
from tests.jax_oracle import Watched, call, causes, last

P = PartitionSpec
devices = jax.devices()
assert len(devices) == 4, devices
X, XX = jnp.ones(4), jnp.ones((4, 4))
auto = jax.make_mesh((4,), ("i",), axis_types=(AxisType.Auto,))
named_j = jax.make_mesh((4,), ("j",), axis_types=(AxisType.Auto,))
explicit = jax.make_mesh((4,), ("i",), axis_types=(AxisType.Explicit,))
front, back = Mesh(devices[:2], ("i",)), Mesh(devices[2:], ("i",))


def same(x: Any, y: Any = 0) -> Any:
    return x


def put(x: Any, where: Any) -> Any:
    return jax.device_put(x, where)


def named(mesh: Any, *spec: Any, x: Any = X) -> Any:
    return put(x, NamedSharding(mesh, P(*spec)))


with jax.default_device(devices[1]):
    uncommitted_elsewhere = jnp.ones(4)

turned = Format(Layout((1, 0)), SingleDeviceSharding(devices[0]))

MISSES: dict[str, tuple[tuple[Any, ...], dict[str, Any], set[tuple[str, str]]]] = {
    "committed to the same device": ((call(X), call(put(X, devices[0]))), {}, {("device", "x")}),
    "committed to another device": ((call(X), call(put(X, devices[1]))), {}, {("device", "x")}),
    "from device to device": ((call(put(X, devices[0])), call(put(X, devices[1]))), {}, {("device", "x")}),
    "in a dict": ((call({"w": X}), call({"w": put(X, devices[1])})), {}, {("device", "x['w']")}),
    "sharded": ((call(X), call(named(auto, "i"))), {}, {("sharding", "x")}),
    "one device to a mesh": ((call(put(X, devices[0])), call(named(auto, "i"))), {}, {("sharding", "x")}),
    "sharded to replicated": ((call(named(auto, "i")), call(named(auto))), {}, {("sharding", "x")}),
    "another axis of the array": (
        (call(named(auto, "i", x=XX)), call(named(auto, None, "i", x=XX))),
        {},
        {("sharding", "x")},
    ),
    "another axis name": ((call(named(auto, "i")), call(named(named_j, "j"))), {}, {("sharding", "x")}),
    "explicit axes": ((call(named(auto, "i")), call(named(explicit, "i"))), {}, {("sharding", "x")}),
    "explicit spec": ((call(named(explicit, "i")), call(named(explicit))), {}, {("sharding", "x")}),
    "the same sharding over other devices": ((call(named(front, "i")), call(named(back, "i"))), {}, {("device", "x")}),
    "shape and sharding": (
        (call(named(auto, "i")), call(named(auto, x=jnp.ones(8)))),
        {},
        {("shape", "x"), ("sharding", "x")},
    ),
    "layout": ((call(put(XX, devices[0])), call(put(XX, turned))), {}, {("sharding", "x")}),
    "in_shardings given for one argument only": (
        (call(put(X, devices[1]), X), call(put(X, devices[2]), X)),
        {"in_shardings": (None, None)},
        {("device", "x")},
    ),
    "in_shardings given for another argument": (
        (call(named(auto, "i"), X), call(named(auto), X)),
        {"in_shardings": (None, NamedSharding(auto, P("i")))},
        {("sharding", "x")},
    ),
    "in_shardings that one leaf of a dict leaves open": (
        (call({"a": X, "b": named(auto, "i")}), call({"a": X, "b": named(auto)})),
        {"in_shardings": ({"a": NamedSharding(auto, P()), "b": None},)},
        {("sharding", "x['b']")},
    ),
    "mesh that in_shardings hide": (
        (call(X), call(named(auto, "i"))),
        {"in_shardings": NamedSharding(auto, P("i"))},
        {("sharding", "x")},
    ),
    "device and static": (
        (call(put(X, devices[0]), 1), call(put(X, devices[1]), 2)),
        {"static_argnums": 1},
        {("device", "x"), ("static_value", "y")},
    ),
}

HITS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "uncommitted on another device": ((call(X), call(uncommitted_elsewhere)), {}),
    "a spec written in another way": ((call(named(auto, "i", x=XX)), call(named(auto, ("i",), None, x=XX))), {}),
    "the same placement": ((call(put(X, devices[1])), call(put(X + 1, devices[1]))), {}),
    "device given to jit": ((call(X), call(put(X, devices[1]))), {"device": devices[0]}),
    "in_shardings given": ((call(X), call(np.ones(4, np.float32))), {"in_shardings": (NamedSharding(auto, P("i")),)}),
}

for name, (calls, options, expected) in MISSES.items():
    found = causes(same, *calls, **options)
    assert found == expected, (name, found)
for name, (calls, options) in HITS.items():
    found = causes(same, *calls, **options)
    assert found == set(), (name, found)

for context in (lambda: jax.set_mesh(auto), lambda: jax.set_mesh(explicit)):
    for value in (X, np.ones(4), 1.0):
        watched = Watched(same)
        watched(value)
        with context():
            missed, found_causes = watched(value)
        assert [cause.argument for cause in found_causes] == ["mesh"], found_causes
    assert missed
    assert [(cause.cause, cause.argument) for cause in found_causes] == [("config", "mesh")], found_causes
    assert found_causes[0].before == "None" and "'i'" in found_causes[0].now

watched = Watched(same)
with jax.set_mesh(front):
    watched(X)
with jax.set_mesh(back):
    missed, found_causes = watched(X)
assert missed and found_causes[0].argument == "mesh" and found_causes[0].before != found_causes[0].now, found_causes

watched = Watched(same)
watched(X)
with jax.default_device(devices[1]):
    missed, found_causes = watched(X)
assert missed and [cause.argument for cause in found_causes] == ["jax_default_device"], found_causes

moved = last(same, call(put(X, devices[0])), call(put(X, devices[1])))[0]
assert (moved.before, moved.now) == ("cpu:0", "cpu:1"), moved
spread = last(same, call(named(auto, "i")), call(named(auto)))[0]
assert (spread.before, spread.now) == ("Mesh('i': 4) P('i')", "Mesh('i': 4) P()"), spread


def copy_of(name: str) -> Any:
    def own(x: Any, y: Any = 0) -> Any:
        return x

    own.__qualname__ = name
    return own


for name, (calls, options, _) in MISSES.items():
    recorded = jm.jit(copy_of(name), **options)
    for args, kwargs in calls:
        recorded(*args, **kwargs)
for name, (calls, options) in HITS.items():
    recorded = jm.jit(copy_of(name), **options)
    for args, kwargs in calls:
        recorded(*args, **kwargs)
table, outcomes = jm.stats("misses"), jm.stats("calls").groupby("function", observed=True).outcome.last()
for name, (_, _, expected) in MISSES.items():
    own = table[table.function == name]
    own = own[own.miss == own.miss.max()]
    assert set(zip(own.cause, own.argument, strict=True)) == expected, (name, own)
    assert outcomes[name] == "miss", name
for name in HITS:
    assert outcomes[name] == "hit", name

runs: list[str] = []


def takes_one(x: Any, unused: Any) -> Any:
    runs.append("")
    return x + 1


for keep_unused in (False, True):
    runs.clear()
    jax.clear_caches()
    recorded = jm.jit(takes_one, keep_unused=keep_unused)
    recorded(X, X)
    recorded(jnp.ones(5), put(X, devices[1]))
    own = jm.stats("misses")
    told_of = own[own.miss == own.miss.max()].cause.tolist()
    assert told_of == (["shape", "device"] if keep_unused else ["shape"]), told_of
    assert len(runs) == 2, runs

recorded = jm.jit(copy_of("two devices"))
for place in (0, 1, 0, 0, 1):
    recorded(put(X, devices[place]))
used = jm.stats("calls").entry.tail(5).tolist()
assert used == [used[0], used[1], used[0], used[0], used[1]] and used[0] != used[1], used

recorded = jm.jit(copy_of("contexts"))
recorded(X)
with jax.set_mesh(auto):
    recorded(X)
with jax.default_device(devices[2]):
    recorded(X)
own = jm.stats("misses").tail(2)
assert list(zip(own.cause, own.argument, strict=True)) == [("config", "mesh"), ("config", "jax_default_device")], own
print("ok", len(MISSES) + len(HITS) + 5)
