"""What is told below a cell, while it still runs: in a real kernel whose cells wait for the test to have seen it."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT
from jupyter_client.manager import KernelManager

PATIENCE_S = 120


class Kernel:
    """A kernel, and the outputs of one cell at a time as they come."""

    def __init__(self, client: Any, signal: Path) -> None:
        self._client = client
        self._signal = signal

    def run(self, code: str, on_output: Callable[[dict[str, Any]], None] = lambda output: None) -> list[dict[str, Any]]:
        """Every output of a cell, which must not fail, in order, with its message type as "type"."""
        self._signal.unlink(missing_ok=True)
        asked = self._client.execute(code)
        outputs: list[dict[str, Any]] = []
        while True:
            try:
                message = self._client.get_iopub_msg(timeout=PATIENCE_S)
            except queue.Empty:
                raise AssertionError(f"nothing more came, after {outputs}") from None
            if message["parent_header"].get("msg_id") != asked:
                assert message["msg_type"] not in ("display_data", "update_display_data"), "below another cell"
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                break
            if kind in ("stream", "display_data", "update_display_data", "clear_output", "error"):
                outputs.append({"type": kind, **content})
                on_output(outputs[-1])
        assert self._client.get_shell_msg(timeout=PATIENCE_S)["content"]["status"] == "ok", outputs
        return outputs

    def go_on(self) -> None:
        """The cell that waits may go on."""
        self._signal.touch()


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    signal = tmp_path_factory.mktemp("signal") / "go on"
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(ROOT))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE_S)
        made = Kernel(client, signal)
        made.run(
            f"""
            %load_ext jupyter_jitmagic
            import os, time
            import jax, jax.numpy as jnp, numpy as np
            import jupyter_jitmagic as jm
            from jupyter_jitmagic.magics import below_cells
            below_cells.LOOK_EVERY_S = 0.01
            jm.options.tell_after_s = 0

            signal = {str(signal)!r}

            def wait():
                until = time.monotonic() + {PATIENCE_S}
                while not os.path.exists(signal):
                    assert time.monotonic() < until, "the test has not seen it"
                    time.sleep(0.01)
                os.remove(signal)
            """
        )
        yield made
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def text(output: dict[str, Any]) -> str:
    return " ".join(output["data"]["text/plain"].split())


def told(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [output for output in outputs if output["type"] in ("display_data", "update_display_data")]


def test_a_recompile_is_told_while_the_cell_runs_and_updated_in_place(kernel: Kernel) -> None:
    """The cell goes on only when the line is seen, twice: then it is not told again at the end."""
    kernel.run("%%jit --quiet\ndef live_step(x):\n    return x + 1\nlive_step(np.ones(4));")

    def seen(output: dict[str, Any]) -> None:
        if "live_step recompiled (" in text(output) or "live_step recompiled 2 times (" in text(output):
            kernel.go_on()

    outputs = kernel.run("live_step(np.ones(5))\nwait()\nlive_step(np.ones((2, 2)))\nwait()", seen)
    first, *updates = told(outputs)
    assert first["type"] == "display_data" and "x is f64[5] now" in text(first).replace("f32", "f64")
    assert {update["type"] for update in updates} == {"update_display_data"}
    assert {update["transient"]["display_id"] for update in updates} == {first["transient"]["display_id"]}
    assert "live_step recompiled 2 times (" in text(updates[-1])
    assert told(kernel.run("live_step(np.ones(5));")) == []


def test_what_would_have_saved_recompiles_takes_the_place_of_their_line(kernel: Kernel) -> None:
    kernel.run("%%jit --quiet\ndef churned(x):\n    return x + 1\nchurned(np.ones(4));")

    def seen(output: dict[str, Any]) -> None:
        if told([output]) and any(words in text(output) for words in ("churned recompiled", "padded to powers of two")):
            kernel.go_on()

    cell = "churned(np.ones(5))\nwait()\nfor size in (6, 7, 9, 10):\n    churned(np.ones(size))\nwait()"
    last = text(told(kernel.run(cell, seen))[-1])
    assert last.startswith("churned (called in cell [") and "padded to powers of two" in last and "recompiled" not in last


def test_a_stale_global_is_told_in_the_loop_that_uses_it(kernel: Kernel) -> None:
    kernel.run("rate = 2.0")
    kernel.run("%%jit --quiet\ndef grown(x):\n    return x * rate\ngrown(1.0);")

    def seen(output: dict[str, Any]) -> None:
        if output["type"] == "display_data" and "grown still uses the old rate: rate is 3.0 now" in text(output):
            kernel.go_on()

    loop = (
        f"rate = 3.0\nuntil = time.monotonic() + {PATIENCE_S}\n"
        "while not os.path.exists(signal) and time.monotonic() < until:\n    grown(1.0)\n    time.sleep(0.005)\nwait()"
    )
    (only,) = told(kernel.run(loop, seen))
    assert "grown still uses the old rate" in text(only)


def test_an_unrolled_loop_is_told_while_the_cell_runs(kernel: Kernel) -> None:
    def seen(output: dict[str, Any]) -> None:
        if output["type"] == "display_data" and "was unrolled 60 times" in text(output):
            kernel.go_on()

    deep = "def deep(x):\n    for _ in range(60):\n        x = jnp.sin(x) * 2\n    return x\n"
    cell = f"%%jit --quiet\n{deep}\ndeep(np.ones(3))\nwait()"
    (only,) = told(kernel.run(cell, seen))
    assert "deep: the loop in cell [" in text(only)


def test_what_the_cell_clears_away_is_shown_again_at_its_end(kernel: Kernel) -> None:
    kernel.run("%%jit --quiet\ndef cleared(x):\n    return x + 1\ncleared(np.ones(4));")

    def seen(output: dict[str, Any]) -> None:
        if output["type"] == "display_data":
            kernel.go_on()

    outputs = kernel.run("from IPython.display import clear_output\ncleared(np.ones(5))\nwait()\nclear_output()", seen)
    assert [output["type"] for output in outputs] == ["display_data", "clear_output", "display_data"]
    assert text(outputs[0]) == text(outputs[2])


def test_a_cell_that_captures_its_output_does_not_capture_what_is_told(kernel: Kernel) -> None:
    kernel.run("%%jit --quiet\ndef caught(x):\n    return x + 1\ncaught(np.ones(4));")

    def seen(output: dict[str, Any]) -> None:
        if output["type"] == "display_data":
            kernel.go_on()

    outputs = kernel.run("%%capture all_of_it\ncaught(np.ones(5))\nwait()", seen)
    assert len(told(outputs)) == 1
    assert kernel.run("print(len(all_of_it.outputs))")[0]["text"] == "0\n"


def test_no_thread_is_left_behind_and_none_begins_where_nothing_is_recorded(kernel: Kernel) -> None:
    look = "import threading\nprint([each.name for each in threading.enumerate() if 'below' in each.name])"
    kernel.run("%unload_ext jupyter_jitmagic")
    assert kernel.run(look)[0]["text"] == "[]\n"
    kernel.run("%load_ext jupyter_jitmagic")
