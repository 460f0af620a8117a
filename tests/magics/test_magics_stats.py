"""%jitstats, %jitcache, %config JitMagic and Tab in a real shell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jax
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.error import UsageError
from shells import Shell

import jupyter_jitmagic as jm
from jupyter_jitmagic.display.plot import sparklines


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    jm.reset()
    yield
    jm.reset()
    jm.options.reset()


@pytest.fixture
def used(shell: Shell) -> Shell:
    """A shell in which two functions were called: one with a static argument of three values, one with two shapes."""
    shell.ok(
        "%%jit --static n\ndef framed(x, n):\n    return jnp.zeros(n, x.dtype).at[: x.size].set(x)\n\n"
        "for n in (5, 5, 8, 13):\n    framed(jnp.ones(3), n)"
    )
    shell.ok("%%jit\ndef double(x):\n    return x * 2\n\nfor n in (3, 3, 4):\n    double(jnp.ones(n))")
    return shell


def test_the_functions_table(used: Shell) -> None:
    lines = used.ok("%jitstats").text.strip().splitlines()
    assert lines[0].split() == [
        "function",
        "calls",
        "hits",
        "misses",
        "compile",
        "execute",
        "time",
        "why",
        "it",
        "compiled",
        "again",
    ]
    double, framed = sorted(lines[1:3])  # which comes first is a matter of milliseconds
    assert framed.split()[:4] == ["framed", "4", "1", "3"]
    assert framed.endswith("n 5, 8, 13 (static value)")
    assert double.split()[:4] == ["double", "3", "1", "2"]
    assert "(shape)" in double
    assert lines[3].startswith("2 functions, 7 calls, 5 compiles, ")


def test_chosen_functions_only(used: Shell) -> None:
    text = used.ok("%jitstats double").text
    assert "double" in text
    assert "framed" not in text


@pytest.mark.parametrize("level", ["entries", "calls", "misses", "diagnoses"])
def test_every_level_shows(used: Shell, level: str) -> None:
    assert used.ok(f"%jitstats --level {level}").text.strip()


def test_misses_stand_together_by_cause_and_name_the_cell(used: Shell) -> None:
    text = used.ok("%jitstats --level misses").text
    (line,) = [line for line in text.splitlines() if "static value" in line]
    assert "now 13 and before 8" in line
    assert "cell [" in line


def test_a_miss_of_several_causes_is_one_miss_so_times_add_up(shell: Shell) -> None:
    jm.reset()
    shell.ok("import jax.numpy as jnp, jupyter_jitmagic as jm\n@jm.jit\ndef caused(x, y): return x.sum() + y.sum()")
    shell.ok("for n in (3, 4, 5): caused(jnp.ones(n), jnp.ones(n))")
    text = shell.ok("%jitstats caused --level misses").text
    (line,) = [line for line in text.splitlines() if "shape" in line]
    assert "x, y" in line and " 2 " in line and "3 misses" in text


def test_output_goes_into_a_variable(used: Shell) -> None:
    ran = used.ok("%jitstats --level calls -o calls")
    assert ran.text.strip() == ""
    assert list(used.names["calls"]["outcome"]) == ["miss", "hit", "miss", "miss", "miss", "hit", "miss"]


def test_reset_forgets_the_rows_and_not_the_caches(used: Shell) -> None:
    used.ok("%jitstats --reset")
    assert "Nothing recorded yet" in used.ok("%jitstats").text
    used.ok("framed(jnp.ones(3), 5)")
    assert jm.stats("calls")["outcome"].tolist() == ["hit"]


def test_before_anything_was_called(shell: Shell) -> None:
    assert "put %%jit over a cell" in shell.ok("%jitstats").text


@pytest.mark.parametrize(
    "line, said",
    [
        ("%jitstats nothing", "no recorded function is called nothing (there are: double, framed)"),
        ("%jitstats --level rows", "invalid choice: 'rows'"),
        ("%jitstats --leve calls", "unknown option --leve"),
        ("%jitstats -o 3", "-o 3: not a name"),
        ("%jitstats -o", "expected one argument"),
        ("%jitcache eject", "invalid choice: 'eject'"),
        ("%jitcache show 999999", "there is no entry 999999"),
        ("%jitcache drop", "drop needs the number of one entry"),
        ("%jitcache list nothing", "no jitted function is called nothing"),
        ("%jitfix one", "'one' is not a whole number above 0"),
        ("%jitfix", "no trace has failed"),
    ],
)
def test_bad_input_is_one_line(used: Shell, line: str, said: str) -> None:
    ran = used.run(line)
    assert isinstance(ran.error, UsageError)
    (shown,) = ran.text.strip().splitlines()
    assert said in shown


def test_the_cache_as_text(used: Shell) -> None:
    text = used.ok("%jitcache").text
    assert "n=13 · x f32[3]" in text
    (number,) = {int(entry) for entry in jm.stats("entries").query("static == 'n=8'")["entry"]}
    shown = used.ok(f"%jitcache show {number}").text
    assert f"framed, entry {number}" in shown
    assert "static n" in shown
    assert "compile" in shown
    assert "JAX cannot drop one entry alone" in used.run(f"%jitcache drop {number}").text


def test_entries_of_a_model_are_listed_by_what_differs_in_one_line_each(shell: Shell) -> None:
    shell.run("import jax.numpy as jnp, jupyter_jitmagic as jm")
    shell.run("step = jm.jit(lambda params, x: x * 2); params = {f'p{i}': jnp.ones(2) for i in range(6)}")
    shell.run("for n in (96, 40): step(params, jnp.ones((n, 64)))")
    listed = shell.ok("%jitcache list").text
    assert "x.shape[0]=96 · x f32[96,64] · params {6}" in listed and "'p0'" not in listed
    rows = shell.ok("%jitstats --level entries").text
    assert "x.shape[0]=40" in rows and "'p0'" not in rows


def test_a_watched_cell_tells_what_compiled_and_why(used: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    ran = used.ok(
        "%%jit --watch\nplain = jax.jit(lambda x: x + 1)\nfor n in (5, 6):\n    double(jnp.arange(n) * 1.0)\n    plain(n)"
    )
    text = ran.displays[-1]["text/plain"]
    (line,) = [line for line in text.splitlines() if line.startswith("double")]
    assert line.split()[1] == "2"
    assert "x is f32[6] now and was f32[5] before" in line
    assert "cell [" in line
    assert "<lambda>" in text
    assert "in this cell" in text
    assert used.ok("%%jit --watch\n1").text.count("Nothing compiled in this cell.") == 1
    assert "compiled" not in used.ok("double(jnp.ones(3))").text, "one cell only"


def test_a_watched_cell_that_fails_still_tells(used: Shell) -> None:
    ran = used.run("%%jit --watch\ndouble(jnp.ones(17))\n1 / 0")
    assert isinstance(ran.error, ZeroDivisionError)
    assert "double" in ran.displays[-1]["text/plain"]


def test_what_compiles_elsewhere_is_seen_once_the_extension_is_loaded(shell: Shell) -> None:
    shell.ok("elsewhere = jax.jit(lambda x: x * 3)\nelsewhere(2.0)")
    (line,) = [line for line in shell.ok("%jitstats --others").text.splitlines() if line.startswith("<lambda>")]
    assert "first call" in line
    assert "cell [" in line


def test_budgets_are_options_of_the_magic(shell: Shell) -> None:
    ran = shell.run("%%jit --max-compiles 1\ndef f(x):\n    return x\n\nf(jnp.ones(3))\nf(jnp.ones(4))")
    assert isinstance(ran.error, jm.RecompileError)
    assert "x is f32[4] now and was f32[3] before" in str(ran.error)
    assert ran.displays == [], "this is no failed trace"


def test_clearing_a_cache_makes_the_next_call_compile(used: Shell) -> None:
    assert "Cleared: double." in used.ok("%jitcache clear double").text
    used.ok("double(jnp.ones(3))")
    assert jm.stats("misses")["cause"].iloc[-1] == "cleared"


def test_an_entrys_programs_as_text(used: Shell) -> None:
    (number,) = {int(entry) for entry in jm.stats("entries").query("static == 'n=8'")["entry"]}
    assert "lambda" in used.ok(f"%jitcache show {number} jaxpr").text
    assert "stablehlo" in used.ok(f"%jitcache show {number} stablehlo").text
    assert "temporary memory" in used.ok(f"%jitcache show {number}").text
    assert "choose one of" in used.run(f"%jitcache show {number} assembler").text


def test_entries_are_numbered_one_after_the_other_and_alike_everywhere(used: Shell) -> None:
    numbers = jm.stats("entries").entry.tolist()
    assert numbers == list(range(numbers[0], numbers[0] + 5)), "whatever else was recorded between them"
    assert set(jm.stats("calls").entry) == set(jm.stats("misses").entry) == set(numbers)
    listed = used.ok("%jitcache list").text
    lines = [line for line in listed.splitlines() if "f32[" in line]
    assert all(f" {number} " in line for number, line in zip(numbers, lines, strict=True)), listed
    assert f"framed, entry {numbers[0]}" in used.ok(f"%jitcache show {numbers[0]}").text
    assert "flops" in used.ok(f"%jitcache show {numbers[-1]} cost").text


def test_break_even_is_a_column(used: Shell) -> None:
    text = used.ok("%jitstats double --break-even").text
    assert "pays after" in text.splitlines()[0]
    assert "pays after" not in used.ok("%jitstats double").text


def test_a_plot_with_a_sparkline_beside_it(used: Shell) -> None:
    (shown,) = used.ok("%jitstats --plot").displays
    framed, arrows = shown["text/plain"].splitlines()[:2]
    assert framed.startswith("framed  ")
    assert arrows.split() == ["▲", "▲▲"], "a compile at the first, third and fourth call"
    assert max(map(len, shown["text/plain"].splitlines())) <= 80
    assert ("image/png" in shown) is (find_spec("matplotlib") is not None)
    assert shown.get("image/png", "iVBOR").startswith("iVBOR")


def test_a_sparkline_has_80_columns_and_shows_no_dispatch_as_an_execution() -> None:
    miss = {"outcome": "miss", "dispatch_s": 0.1, "execute_s": None}
    unseen, seen = ({"outcome": "hit", "dispatch_s": 1e-5, "execute_s": took} for took in (None, 2e-3))
    name = "a_function_with_a_rather_long_name_of_its_own"
    bars, arrows, *legend = sparklines({name: [seen] * 100 + [miss, unseen, seen]}).splitlines()
    assert max(map(len, (bars, arrows, *legend))) <= 80
    assert bars.endswith("▁█·▁  2.0 ms … 100 ms")
    assert arrows.index("▲") == bars.index("█")
    assert sparklines({"f": [unseen]}).splitlines()[0] == "f  ·"


@pytest.mark.parametrize("suffix", ["csv", "json", "html"])
def test_saving(used: Shell, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"stats.{suffix}"
    said = used.ok(f"%jitstats --save {file}").text
    assert "written to" in said and len(said.strip().splitlines()) <= 2  # a long path may wrap
    text = file.read_text()
    assert "framed" in text
    if suffix == "html":
        assert "static value" in text and f"<dd>{jax.__version__}</dd>" in text
        headings = re.findall(r"<h2[^>]*>(.*?)(?: <small>|</h2>)", text)
        assert [each for each in headings if "able" not in each] == ["Timeline", "Functions", "Misses", "Entries", "Calls"]
        assert "http" not in text, "it needs nothing that is not in it"
        assert ">execute, seen<" in text, "the timeline's sums are of the executions whose end was seen"
        assert ">dispatch<" not in text and ">until it returned<" in text, "a miss' time until it returned is not its dispatch"


def test_a_report_has_every_row_and_nothing_of_the_users_runs_in_it(shell: Shell, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("jupyter_jitmagic.display.page.ROWS_AT_ONCE", 2)
    evil = "</script><img src=x onerror=alert(1)>"
    shell.names["evil"] = [f"{evil}{number}" for number in range(5)]
    shell.ok("%%jit --static s\ndef told(x, s):\n    return x * 2\n")
    shell.ok("for s in evil: told(jnp.ones(3), s)")
    shell.ok(f"%jitstats --save {tmp_path}/r.html")
    text = (tmp_path / "r.html").read_text()
    assert "<img" not in text and text.count("<script") == text.count("</script>")
    misses = text[text.index(">Misses ") : text.index(">Entries ")]
    assert misses.count("<tr>") == 1 + 2, "the head and what is shown at once"
    rest = json.loads(re.findall(r'class="rest">(.*?)</script>', misses)[0])
    assert len(rest) == 3 and any(evil in cell for cell in rest[0][0]) and len(rest[0][0]) == len(rest[0][1])


@pytest.mark.parametrize("level", ["functions", "entries", "calls", "misses"])
def test_what_is_saved_reads_back_as_it_was(used: Shell, tmp_path: Path, level: str) -> None:
    import pandas as pd

    pytest.importorskip("pyarrow")
    table = jm.stats(level)
    for suffix in ("parquet", "json", "csv"):
        used.ok(f"%jitstats --level {level} --save {tmp_path}/t.{suffix}")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t.parquet"), table)
    for read in (pd.read_json(tmp_path / "t.json"), pd.read_csv(tmp_path / "t.csv", keep_default_na=False, na_values=[""])):
        assert list(read.columns) == list(table.columns) and len(read) == len(table)
        for name in table.columns[table.dtypes == "float64"]:
            pd.testing.assert_series_equal(read[name].astype(float), table[name], rtol=1e-9)


def test_a_trace_is_saved_by_its_name_and_names_cells_and_lines(used: Shell, tmp_path: Path) -> None:
    import json

    file = tmp_path / "run.perfetto-trace.json"
    assert "ui.perfetto.dev" in used.ok(f"%jitstats --save {file}").text
    events = json.loads(file.read_text())["traceEvents"]
    assert any(event.get("cat") == "miss" and "cell [" in event["args"]["called at"] for event in events)
    assert any(event.get("cat") == "cell" for event in events)


def test_help_says_what_every_column_means(shell: Shell) -> None:
    from jupyter_jitmagic.tables import COLUMNS

    told = jm.stats.__doc__
    assert told is not None and all(
        f"{name} " in told and meaning in told for c in COLUMNS.values() for name, meaning in c.items()
    )


def test_a_file_that_cannot_be_written_is_one_line(used: Shell, tmp_path: Path) -> None:
    assert "must end with one of .csv" in used.run("%jitstats --save stats.doc").text
    ran = used.run(f"%jitstats --save {tmp_path}/nowhere/stats.csv")
    assert isinstance(ran.error, UsageError)
    assert len(ran.text.strip().splitlines()) == 1


def test_auto_check_and_keep_reach_jit(shell: Shell) -> None:
    with pytest.warns(UserWarning, match="static_argnames"):
        shell.ok("%%jit --auto\ndef zeros(n):\n    return jnp.zeros(n)\n\nzeros(3)")
    with pytest.warns(UserWarning, match="prints"):
        shell.ok("%%jit --check\ndef f(x):\n    print('traced')\n    return x\n\nf(1.0)")
    kept = "%%jit --keep\ndef g(x):\n    return x * 2\n\ng(1.0)"
    shell.ok(kept)
    shell.ok(kept)
    assert jm.stats("calls")["outcome"].tolist()[-2:] == ["miss", "hit"]


def test_that_nothing_is_recorded_is_said(shell: Shell) -> None:
    jm.options.off = True
    try:
        assert "Nothing is recorded: jm.jit is plain jax.jit now" in shell.ok("%jitstats").text
    finally:
        jm.options.off = False


def test_config_and_options_are_one(shell: Shell) -> None:
    shell.ok("%config JitMagic.timing = 'block'")
    assert jm.options.timing == "block"
    jm.options.keep_misses = 77
    text = shell.ok("%config JitMagic").text
    assert "Current: 77" in text
    assert "Misses kept with their causes" in text
    shell.run("%config JitMagic.timing = 'sometimes'")
    assert jm.options.timing == "block", "a value that makes no sense changes nothing"


@pytest.mark.parametrize("magic", ["%%jit", "%jitstats", "%jitcache", "%jitfix", "%jitlines"])
def test_every_magic_has_help_with_every_option(shell: Shell, magic: str) -> None:
    from jupyter_jitmagic.magics import request

    kind = "cell" if magic.startswith("%%") else "line"
    help_text = shell.ip.magics_manager.magics[kind][magic.strip("%")].__doc__
    assert f"{magic} [" in help_text
    parsers = {
        "%%jit": request.jit_parser,
        "%jitstats": request.stats_parser,
        "%jitcache": request.cache_parser,
        "%jitfix": request.fix_parser,
        "%jitlines": request.lines_parser,
    }
    options = set(parsers[magic]().options) - {"--output"}
    assert {option for option in options if option not in help_text} == set()
    assert options or magic in ("%jitcache", "%jitfix", "%jitlines"), "these have none"


def completions(shell: Shell, text: str) -> list[str]:
    """What Tab offers at the | in `text`."""
    cursor = text.index("|")
    with provisionalcompleter():
        return [found.text for found in shell.ip.Completer.completions(text.replace("|", ""), cursor)]


def test_tab_completes_options_and_names(used: Shell) -> None:
    assert completions(used, "%%jit --st|") == ["--static"]
    assert completions(used, "%%jit --static |\ndef f(x, n: int = 3, *, k=(1, 2)):\n    ret") == ["k", "n", "x"]
    assert completions(used, "%%jit --static x,|\ndef f(x, n):\n    ret") == ["n"]
    assert completions(used, "%%jit --static f.|\ndef f(x):\n    pass\n\ndef g(x):\n    pass") == ["f.x"]
    assert completions(used, "%%jit --on-miss |") == ["allow", "eager", "raise", "warn"]
    assert completions(used, "%%jit fo|\ndef foo(x):\n    pass") == ["foo"]
    assert completions(used, "%jitstats fra|") == ["framed"]
    assert "misses" in completions(used, "%jitstats --level |")
    assert completions(used, "%jitcache c|") == ["clear"]


def test_tab_elsewhere_is_as_before(used: Shell) -> None:
    assert "jnp" in completions(used, "jn|")


def test_functions_that_came_in_each_others_place_stand_together(shell: Shell) -> None:
    """One row for the three that were replaced, above or below the one that stands: rows are in the order of their cost."""
    shell.ok("import jupyter_jitmagic as jm\nfor k in range(4):\n    @jm.jit\n    def inner(x): return x * k\n    inner(1.0)")
    lines = [line.split() for line in shell.ok("%jitstats").text.splitlines() if line.startswith("inner")]
    before, now = sorted(lines, key=lambda line: line[1] != "(3")
    assert len(lines) == 2
    assert (before[:5], now[:4]) == (["inner", "(3", "replaced)", "3", "0"], ["inner", "1", "0", "1"])


def test_an_interrupted_save_leaves_the_file_as_it_was(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither half a table nor a file of ours beside it."""
    import pandas

    file = tmp_path / "calls.csv"
    file.write_text("before")

    def interrupted(self: object, path: Path, **_: object) -> None:
        Path(path).write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(pandas.DataFrame, "to_csv", interrupted)
    assert isinstance(shell.run(f"%jitstats --save {file}").error, KeyboardInterrupt)
    assert [each.name for each in tmp_path.iterdir()] == ["calls.csv"] and file.read_text() == "before"


@pytest.mark.parametrize("interrupted", range(1, 6))
def test_an_interrupted_watched_cell_watches_no_longer(shell: Shell, interrupted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever Ctrl-C comes as the watch begins, nothing of it is left when the cell has ended."""
    import sys

    from jupyter_jitmagic.magics import watched_cell
    from jupyter_jitmagic.recording.compiles.elsewhere import others

    shell.ok("%%jit --watch\n1")
    listeners, events = len(others.listeners), len(shell.ip.events.callbacks["post_run_cell"])
    begin, lines = watched_cell.begin, [0]

    def trace(frame: Any, event: str, _: object) -> Any:
        if frame.f_code is begin.__code__ and event == "line":
            lines[0] += 1
            if lines[0] == interrupted + 4:
                raise KeyboardInterrupt
        return trace

    def begins() -> None:
        sys.settrace(trace)
        try:
            begin()
        finally:
            sys.settrace(None)

    monkeypatch.setattr(watched_cell, "begin", begins)
    shell.run("%%jit --watch\n1")
    assert lines[0] >= interrupted
    assert (len(others.listeners), len(shell.ip.events.callbacks["post_run_cell"])) == (listeners, events)
    assert not watched_cell._open
