"""A kernel's side of comms without a kernel: real comms and a real manager of the `comm` package, whose messages are kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import comm.base_comm

from jupyter_jitmagic._records import Log
from jupyter_jitmagic.panel._hub import Hub
from jupyter_jitmagic.panel._protocol import COMM, QUERY_TARGET, VERSION


class Wire:
    """What front ends would see: every comm message in the order sent."""

    def __init__(self, monkeypatch: Any) -> None:
        self.sent: list[tuple[str, str, dict[str, Any]]] = []
        self.manager = comm.base_comm.CommManager()
        wire = self

        class KeptComm(comm.base_comm.BaseComm):
            def publish_msg(self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any) -> None:
                wire.sent.append((msg_type, self.comm_id, data))

        monkeypatch.setattr(comm, "create_comm", KeptComm)
        monkeypatch.setattr(comm, "get_comm_manager", lambda: self.manager)

    def of(self, kind: str, comm_id: str | None = None) -> list[dict[str, Any]]:
        """The messages of a kind (`t`), of one comm if wanted."""
        return [data for _, id_, data in self.sent if data.get("t") == kind and comm_id in (None, id_)]

    def open(self, comm_id: str, subshell: str | None = "sub", *, counts: bool = False) -> None:
        message = {"v": VERSION, "op": "open", "id": "", "args": {"subshell": subshell, "counts": counts}}
        content = {"comm_id": comm_id, "target_name": QUERY_TARGET, "data": message}
        self.manager.comm_open(None, "", {"content": content})

    def send(self, comm_id: str, op: str, **data: Any) -> None:
        message = {"v": VERSION, "op": op, "id": "1", "args": {}, **data}
        self.manager.comm_msg(None, "", {"content": {"comm_id": comm_id, "data": message}})

    def close(self, comm_id: str) -> None:
        self.manager.comm_close(None, "", {"content": {"comm_id": comm_id, "data": {}}})


class Events:
    """IPython's events, as far as they are used."""

    def __init__(self) -> None:
        self.callbacks: dict[str, list[Callable[..., None]]] = {}

    def register(self, event: str, callback: Callable[..., None]) -> None:
        self.callbacks.setdefault(event, []).append(callback)

    def unregister(self, event: str, callback: Callable[..., None]) -> None:
        self.callbacks[event].remove(callback)

    def trigger(self, event: str) -> None:
        for callback in list(self.callbacks.get(event, ())):
            callback(None)


def shell(*, subshells: bool = True) -> Any:
    """As much of a kernel's shell as the panel touches."""
    names = {f"/tmp/ipykernel_1/{number}.py": ("Cell", f"In[{number}]") for number in range(20)}
    return SimpleNamespace(
        kernel=SimpleNamespace(_supports_kernel_subshells=subshells),
        events=Events(),
        compile=SimpleNamespace(format_code_name=names.get),
    )


def wait_for(condition: Callable[[], Any], seconds: float = 5.0) -> Any:
    """The condition's value as soon as it is true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)
    return value


__all__ = ["COMM", "Hub", "Log", "Wire", "shell", "wait_for"]
