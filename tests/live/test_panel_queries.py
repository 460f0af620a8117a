"""What the panel asks for and the kernel answers, on real functions and a real failed trace."""

from __future__ import annotations

import json
import re
from html import unescape
from types import SimpleNamespace
from typing import Any

import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.base.errors import JitMagicError, faults
from jupyter_jitmagic.display import Document, to_html, to_text
from jupyter_jitmagic.display.model import PanelLink, Paragraph
from jupyter_jitmagic.live.question_answers import CALLS_SHOWN, QUERIES
from jupyter_jitmagic.magics import fix_magic, loading
from jupyter_jitmagic.records.log import CellRecord, log


@pytest.fixture
def doubled() -> Any:
    jm.reset()
    f = jm.jit(lambda x: x * 2)
    f(jnp.ones(3))
    f(jnp.ones(3))
    f(jnp.ones(5))
    return f


def entries() -> list[int]:
    log.fold()
    return list(log.entries)


def test_an_entrys_programs_and_figures(doubled: Any) -> None:
    entry = entries()[0]
    text = QUERIES["detail"]({"entry": entry, "what": "jaxpr"})
    assert "mul" in str(text["text"]) and text["length"] == len(str(text["text"]))
    assert "HloModule" in str(QUERIES["detail"]({"entry": entry, "what": "hlo"})["text"])
    memory: Any = QUERIES["detail"]({"entry": entry, "what": "memory"})["values"]
    assert memory["argument_bytes"] == 12 and log.entries[entry].argument_bytes == 12


@pytest.mark.parametrize("args", [{}, {"entry": "1"}, {"entry": 10**9, "what": "jaxpr"}])
def test_a_question_that_cannot_be_answered_gets_one_line(args: dict[str, object]) -> None:
    with pytest.raises(JitMagicError) as caught:
        QUERIES["detail"](args)
    assert "\n" not in str(caught.value)


def test_an_entrys_last_calls(doubled: Any) -> None:
    told = QUERIES["calls"]({"entry": entries()[0]})
    assert told["count"] == 2 and told["outcome"] == ["miss", "hit"]
    for _ in range(CALLS_SHOWN + 5):
        doubled(jnp.ones(3))
    told = QUERIES["calls"]({"entry": entries()[0]})
    assert told["count"] == CALLS_SHOWN + 7 and len(told["outcome"]) == CALLS_SHOWN  # type: ignore[arg-type]
    assert set(told["outcome"]) == {"hit"}  # type: ignore[call-overload]


def test_two_entries_side_by_side_by_the_names_of_their_arguments() -> None:
    jm.reset()
    f = jm.jit(lambda params, x, n: x * n, static_argnames="n")
    params = {"a": jnp.ones(2), "b": jnp.ones(2), "c": jnp.ones(2)}
    f(params, jnp.ones(3), 1)
    f(params, jnp.ones(5), 2)
    before, now = entries()
    assert QUERIES["compare"]({"entry": now, "other": before}) == {
        "changed": [
            {"what": "n", "now": "2", "before": "1", "cause": "static_value"},
            {"what": "x", "now": "f32[5]", "before": "f32[3]", "cause": "shape"},
        ],
        "same": [{"what": "params", "now": "{3}"}],
    }
    with pytest.raises(JitMagicError, match="not known any more"):
        QUERIES["compare"]({"entry": now, "other": 10**9})


def test_clearing_a_function_ends_its_entries_and_says_how_many(doubled: Any) -> None:
    other = jm.jit(lambda x: x + 1)
    other(jnp.ones(3))
    function = log.entries[entries()[0]].function
    assert QUERIES["clear"]({"function": function}) == {"entries": 2}
    assert [entry.alive for entry in log.entries.values()] == [False, False, True]
    doubled(jnp.ones(3))
    assert [cause.cause for cause in log.misses[-1].causes] == ["cleared"]
    assert QUERIES["clear"]({"function": 0}) == {"entries": 2}


def test_a_cells_number_leads_to_its_id_in_the_notebook() -> None:
    jm.reset()
    log.cells.extend([CellRecord(3, 1.0, 2.0, "old"), CellRecord(4, 2.0, 3.0), CellRecord(3, 3.0, None, "new")])
    assert QUERIES["cell"]({"number": 3}) == {"cell_id": "new"}
    assert QUERIES["cell"]({"number": 4}) == QUERIES["cell"]({"number": 10**9}) == {"cell_id": ""}
    jm.reset()


def test_a_function_that_is_gone_cannot_be_cleared(doubled: Any) -> None:
    with pytest.raises(JitMagicError, match="gone"):
        QUERIES["clear"]({"function": 10**9})


def test_fixes_of_a_failed_trace_come_as_the_cell_before_and_after(shell: Any) -> None:
    """The text before is the cell as typed, so that the front end finds it; the text after traces."""
    cell = "%%jit\ndef conditional_double(x, threshold):\n    if x > threshold:\n        return x * 2\n    return x"
    shell.ok("import jax.numpy as jnp")
    shell.ok(cell)
    failures = _load_failures(shell)
    shell.run("conditional_double(jnp.float32(3.0), 1.0)")
    told: Any = fix_magic.for_panel(shell.ip, failures, {"diagnosis": log.diagnoses[-1].id})
    first = told["fixes"][0]
    assert first["before"].strip() == cell
    assert "+    return jnp.where" in first["diff"] and first["elsewhere"] == []
    shell.ok(first["after"])
    assert float(shell.ok("conditional_double(jnp.float32(3.0), 1.0)").value) == 6.0


def test_advice_that_is_not_known_any_more_says_so(shell: Any) -> None:
    with pytest.raises(JitMagicError, match="too old"):
        fix_magic.for_panel(shell.ip, SimpleNamespace(by_record={}), {"diagnosis": 1})


def _load_failures(shell: Any) -> Any:
    assert shell.ip in loading._loaded
    return shell.ip.magics_manager.registry["JitMagics"].failures


def test_the_link_into_the_panel_is_html_only_and_there_only_if_a_panel_listens(shell: Any) -> None:
    """Elsewhere the advice is as it is: no word of a panel that nobody has."""
    link = PanelLink("Show in <the> panel", "advice", 7)
    assert to_text(Document.of([link])).strip() == ""
    html = to_html(Document.of([link]))
    assert 'data-commandlinker-command="jitmagic:open"' in html and "&lt;the&gt;" in html
    assert "{&quot;advice&quot;: 7}" in html and "href" not in html
    odd = Document.of([Paragraph("why", link=PanelLink("Show", "cure", """rule f '"<x>""", "e1"))])
    args = re.search('data-commandlinker-args="([^"]*)"', to_html(odd))
    assert args and json.loads(unescape(args[1])) == {"cure": """rule f '"<x>""", "epoch": "e1"}
    assert to_text(odd).strip() == "why"
    shell.ok("import jax.numpy as jnp")
    shell.ok("%%jit\ndef branch(x):\n    return x if x > 0 else -x")
    assert "Show in the panel" not in shell.run("branch(jnp.float32(3.0))").html


def test_what_gave_up_recording_is_not_recorded_again_after_a_pause(doubled: Any) -> None:
    with pytest.warns(RuntimeWarning, match="a test failed"):
        doubled._state.give_up("a test", ValueError("no matter"))
    faults.clear()
    QUERIES["pause"]({"on": True})
    QUERIES["pause"]({"on": False})
    before = len(jm.stats("calls"))
    assert doubled(jnp.ones(3)).tolist() == [2.0] * 3 and len(jm.stats("calls")) == before


def test_paused_calls_make_no_rows_and_the_pause_is_told(doubled: Any) -> None:
    """Nothing of what is called meanwhile is counted, of functions made meanwhile neither; afterwards all is recorded again."""
    function = next(iter(log.functions.values()))
    began = QUERIES["pause"]({"on": True})["paused_s"]
    try:
        assert log.paused_s == began and QUERIES["pause"]({"on": True})["paused_s"] == began
        tripled = jm.jit(lambda x: x * 3)
        for size in (3, 7):
            assert float(doubled(jnp.ones(size))[0]) == 2 and float(tripled(jnp.ones(size))[0]) == 3
        log.fold()
        assert (function.calls, function.hits, function.misses) == (3, 1, 2)
        assert not list(log.functions.values())[-1].calls and len(log.misses) == 2
    finally:
        assert QUERIES["pause"]({"on": False})["paused_s"] is None
    doubled(jnp.ones(7))  # compiled in the pause: a hit
    doubled(jnp.ones(3))
    doubled(jnp.ones(9))
    tripled(jnp.ones(3))
    log.fold()
    assert (function.calls, function.hits, function.misses) == (6, 3, 3)
    assert list(log.functions.values())[-1].hits == 1
