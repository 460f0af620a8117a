"""The optimised programs that a backend holds, and the numbers that the profiler knows them by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax


def live_modules() -> Iterator[Any]:
    """Every optimised program that a backend holds, newest first: what has `name` and `to_string()`.

    Programs of other libraries and of plain `jax.jit` are among them. None where a backend does not tell.
    """
    for client in {id(device.client): device.client for device in jax.local_devices()}.values():
        live_executables = getattr(client, "live_executables", None)
        if live_executables is None:
            continue
        for executable in live_executables():
            try:
                yield from executable.hlo_modules()
            except Exception:  # a backend that keeps no program beside its code says so with an error of its own
                continue


def module_number(module: Any) -> int | None:
    """The number that the profiler knows a program of `live_modules` by; None where it cannot be read.

    It is the field `id`, the fifth, of `HloModuleProto` (xla/service/hlo.proto); jaxlib gives the serialised form alone.
    """
    try:
        data = module.as_serialized_hlo_module_proto()
        at = 0
        while at < len(data):
            key, at = _varint(data, at)
            kind = key & 7
            if kind == 0:
                value, at = _varint(data, at)
                if key >> 3 == 5:
                    return value
            elif kind == 2:
                length, at = _varint(data, at)
                at += length
            else:
                at += {1: 8, 5: 4}[kind]
    except Exception:  # another form: the programs are told apart by their instructions, as far as those differ
        return None
    return None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of Protocol Buffers' wire format, and where it ends."""
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at
