"""The extension in a real ipykernel: what a front end gets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from checkout import ROOT
from jupyter_client.manager import KernelManager


class Kernel:
    """A kernel and what its cells bring."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def run(self, code: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The reply's content, and the content of every output with its message type as "type"; a stream's pieces are one."""
        outputs: list[dict[str, Any]] = []

        def keep(message: dict[str, Any]) -> None:
            content = {"type": message["msg_type"], **message["content"]}
            if content["type"] == "stream" and outputs and outputs[-1].get("name") == content["name"]:
                outputs[-1]["text"] += content["text"]  # a busy kernel sends a line and its end apart
            elif content["type"] in ("stream", "display_data", "execute_result", "error"):
                outputs.append(content)

        reply = self._client.execute_interactive(code, timeout=120, output_hook=keep, allow_stdin=False)
        return reply["content"], outputs


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(ROOT))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=120)
        yield Kernel(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def loaded(kernel: Kernel) -> Kernel:
    reply, outputs = kernel.run("%load_ext jupyter_jitmagic\nimport jax, jax.numpy as jnp")
    assert reply["status"] == "ok"
    assert outputs == [], "loading prints nothing"
    return kernel


LESSON = "%%jit\ndef f(x):\n    if x > 1:\n        return x\n    return 2 * x\n\nf(jnp.float32(3.0))"


def test_a_cell_runs_and_shows_its_value(loaded: Kernel) -> None:
    reply, outputs = loaded.run("%%jit\nimport asyncio\ndef g(x):\n    return x + 1\n\nawait asyncio.sleep(0)\ng(1)")
    assert reply["status"] == "ok"
    assert [output["type"] for output in outputs] == ["stream", "execute_result"]
    assert outputs[0]["text"] == "%%jit takes g\n"
    assert outputs[1]["data"]["text/plain"].startswith("Array(2")


def test_advice_is_html_and_text_below_the_error(loaded: Kernel) -> None:
    reply, outputs = loaded.run(LESSON)
    assert reply["status"] == "error"
    assert reply["ename"] == "TracerBoolConversionError"
    error, shown = outputs[-2:]
    assert error["type"] == "error"
    assert any("line 3" in line or "3" in line for line in error["traceback"])
    assert "f cannot be traced" in shown["data"]["text/plain"]
    assert "\x1b" not in shown["data"]["text/plain"]
    assert "<script" not in shown["data"]["text/html"]
    assert "jnp.where(x &gt; 1, x, 2 * x)" in shown["data"]["text/html"]


def test_jitfix_replaces_its_own_cell(loaded: Kernel) -> None:
    loaded.run(LESSON)
    reply, _ = loaded.run("%jitfix")
    (payload,) = reply["payload"]
    assert payload["source"] == "set_next_input"
    assert payload["replace"] is True
    assert payload["text"] == "%%jit\ndef f(x):\n    return jnp.where(x > 1, x, 2 * x)\n\nf(jnp.float32(3.0))"
    assert loaded.run(payload["text"])[0]["status"] == "ok"


def test_a_wrong_cell_is_one_line(loaded: Kernel) -> None:
    reply, outputs = loaded.run("%%jit nothing\nspoiled = 1\ndef h(x):\n    return x")
    assert (reply["status"], reply["ename"]) == ("error", "UsageError")
    (shown,) = outputs
    said = shown["text"] if shown["type"] == "stream" else "\n".join(shown["traceback"])
    assert said.strip().splitlines() == ["UsageError: %%jit: nothing is not a function of this cell (it has h)"]
    assert loaded.run("spoiled")[0]["ename"] == "NameError"


def test_jitstats_is_a_table_in_both_forms(loaded: Kernel) -> None:
    loaded.run("%%jit\ndef shown_in_a_table(x):\n    return x\n\nshown_in_a_table(1)")
    _, (shown,) = loaded.run("%jitstats")
    assert "<table" in shown["data"]["text/html"]
    assert shown["data"]["text/plain"].startswith("function")


def test_unloading_leaves_no_thread_and_no_comm(kernel: Kernel) -> None:
    look = (
        "import threading, gc, json\nfrom comm import get_comm_manager\n"
        "print(json.dumps([sorted(t.name for t in threading.enumerate()), sorted(get_comm_manager().comms), "
        "sorted(k for k in get_comm_manager().targets if 'jit' in k), len(get_ipython().events.callbacks['post_run_cell']), "
        "len(get_ipython().events.callbacks['pre_run_cell'])]))"
    )
    kernel.run("%unload_ext jupyter_jitmagic")
    _, (before,) = kernel.run(look)
    assert kernel.run("%load_ext jupyter_jitmagic")[0]["status"] == "ok"
    kernel.run(LESSON)
    kernel.run("%unload_ext jupyter_jitmagic")
    _, (after,) = kernel.run(look)
    assert after["text"] == before["text"]
    assert kernel.run("f(jnp.float32(3.0))")[0]["status"] == "error", "jitted functions go on as they were"
    kernel.run("%load_ext jupyter_jitmagic")
