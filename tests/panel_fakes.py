"""A kernel's side of comms without a kernel: real comms and a real manager of the `comm` package, whose messages are kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import comm.base_comm

from jupyter_jitmagic.live.comms import Hub
from jupyter_jitmagic.live.protocol import COMM, QUERIES, VERSION
from jupyter_jitmagic.records.log import Log


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

    def open(self, panel: str, subshell: str | None = "sub", *, counts: bool = False) -> None:
        self.send(panel, "open", id="", args={"subshell": subshell, "counts": counts})

    def send(self, panel: str, op: str, **data: Any) -> None:
        self.deliver({"v": VERSION, "op": op, "id": "1", "panel": panel, "args": {}, **data})

    def deliver(self, data: Any) -> None:
        """What a front end sent, whatever it is."""
        self.manager.comm_msg(None, "", {"header": {}, "content": {"comm_id": QUERIES, "data": data}})

    def close(self, panel: str) -> None:
        self.send(panel, "close")


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
