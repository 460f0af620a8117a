"""The panel's conversation with a real kernel, message by message, as the front end has it: also while a cell runs."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Iterator
from queue import Empty
from typing import Any

import pytest
from checkout import ROOT, TESTS

from jupyter_jitmagic.live.protocol import COMM, QUERIES, SUBSHELL_PREFIX, SUBSHELLS_MARK, VERSION

ipykernel_base = pytest.importorskip("ipykernel.kernelbase")
manager_module = pytest.importorskip("jupyter_client.manager")

RECORDS = (TESTS / "panel_records.py").read_text(encoding="utf-8")


class Front:
    """A front end on a running kernel."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def run(self, code: str) -> str:
        """Run a cell to its end; its printed text."""
        printed: list[str] = []

        def keep(message: dict[str, Any]) -> None:
            assert message["msg_type"] != "error", "\n".join(message["content"]["traceback"])
            printed.append(message["content"].get("text", ""))

        self.client.execute_interactive(code, timeout=30, output_hook=keep)
        return "".join(printed)

    def control(self, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        message = self.client.session.msg(kind, content)
        self.client.control_channel.send(message)
        while True:
            reply = self.client.get_control_msg(timeout=10)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                answer: dict[str, Any] = reply["content"]
                return answer

    def comms(self) -> dict[str, Any]:
        found: dict[str, Any] = self.control("comm_info_request", {})["comms"]
        return found

    def ask(self, op: str, subshell: str | None, id_: str = "") -> str:
        """Send a panel's request; the id of the message."""
        data = {"v": VERSION, "op": op, "id": id_, "panel": "p", "args": {"subshell": subshell}}
        message = self.client.session.msg("comm_msg", {"comm_id": QUERIES, "data": data})
        message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def all_of(self, message_id: str, seconds: float) -> list[str]:
        """The kinds of all that comes of a message in so long."""
        end, kinds = time.monotonic() + seconds, []
        while (left := end - time.monotonic()) > 0:
            try:
                message = self.client.get_iopub_msg(timeout=left)
            except Empty:
                break
            if message["parent_header"].get("msg_id") == message_id:
                kinds.append(message["msg_type"])
        return kinds

    def hear(self, comm_id: str, kind: str, seconds: float = 10) -> dict[str, Any]:
        """The next message of a kind on a comm; what comes between is dropped."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                message = self.client.get_iopub_msg(timeout=0.2)
            except Empty:
                continue
            if message["msg_type"] == "comm_msg" and message["content"]["comm_id"] == comm_id:
                data: dict[str, Any] = message["content"]["data"]
                if data["t"] == kind:
                    return data
        raise AssertionError(f"no {kind} on {comm_id}")


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(ROOT)]))
    environment = {**os.environ, "PYTHONPATH": path}
    manager, client = manager_module.start_new_kernel(startup_timeout=60, env=environment)
    try:
        yield Front(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


QUIET = "concurrent" in inspect.signature(ipykernel_base.Kernel.dispatch_shell).parameters
"""Whether this ipykernel takes comm messages beside what a subshell is at work on."""


def test_a_panel_is_served_while_a_cell_runs_and_unload_takes_everything_back(front: Front) -> None:
    """Found on the control channel, answered through a subshell, updates from the running cell; after unload: no comm left."""
    before = front.comms()
    threads = "import threading; print(sorted(t.name for t in threading.enumerate()))"
    front.run("%load_ext jupyter_jitmagic")
    comms = front.comms()
    assert COMM in comms
    threads_before = front.run(threads)
    subshell = None
    if SUBSHELLS_MARK in comms:
        subshell = front.control("create_subshell_request", {})["subshell_id"]
    front.run(RECORDS + "\nfrom jupyter_jitmagic.records.log import log\nlog.functions.update(lesson().functions)")

    request = front.client.execute(
        "import time\nfrom jupyter_jitmagic.records.log import Changed\n"
        "for _ in range(15):\n"
        "    time.sleep(0.1); log.functions[1].hits += 1; log.listeners.emit(Changed('functions', 1))"
    )
    time.sleep(0.3)
    asked = time.monotonic()
    front.ask("open", subshell)
    snapshot = front.hear("p", "snapshot")
    waited = time.monotonic() - asked
    assert snapshot["busy"] is (subshell is not None)
    assert snapshot["functions"][0]["name"] == "padded"
    if subshell is not None:
        assert waited < 0.7, "the answer waited for the cell"
        assert SUBSHELL_PREFIX + subshell in front.comms()
        update = front.hear(COMM, "update", 1.0)
        assert update["seq"] == snapshot["seq"] + 1 and update["busy"] is True
        if QUIET:  # a "busy" would hold the answer back, an "idle" would end the cell for the front end
            assert front.all_of(front.ask("snapshot", subshell, "7"), 0.3) == ["comm_msg"]
    while front.client.get_shell_msg(timeout=10)["parent_header"].get("msg_id") != request:
        pass

    front.run("%unload_ext jupyter_jitmagic")
    assert front.comms() == before
    if subshell is not None:  # as any other subshell again
        assert front.all_of(front.ask("snapshot", subshell), 0.3).count("status") == 2
    if subshell is not None:
        front.control("delete_subshell_request", {"subshell_id": subshell})
    assert front.run(threads) == threads_before.replace(f", 'subshell-{subshell}'", "")
