"""Tables of real engines of ipyparallel as one, and the programs in which they differ."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT
from shells import Shell

import jupyter_jitmagic as jm
from jupyter_jitmagic.processes.asking import evaluated
from jupyter_jitmagic.processes.levels import whoami

HIDE = """
import sys
hidden = %r
kept = {name: module for name, module in sys.modules.items() if name.startswith(hidden)}
for name in kept:
    del sys.modules[name]

class Hidden:
    def find_spec(name, path=None, target=None):
        if name == hidden:
            raise ModuleNotFoundError(f"No module named {name!r}")

sys.meta_path.insert(0, Hidden)
"""
WAIT = "import os, time\nwhile not os.path.exists('{}'): time.sleep(0.05)"
ipyparallel = pytest.importorskip("ipyparallel", reason="in the environment of `make test`")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two engines that have this checkout on their path."""
    cluster = ipyparallel.Cluster(n=2, profile_dir=str(tmp_path_factory.mktemp("profile")), log_level=40)
    try:
        client = cluster.start_and_connect_sync(activate=False)
        client.wait_for_engines(2, timeout=120)
        # an engine that is not distributed is an engine: no rank of a job around the tests is its number
        client[:].push({"root": str(ROOT)}, block=True)
        client[:].execute("import sys; sys.path.insert(0, root)", block=True)
        client[:].execute("import jupyter_jitmagic; jupyter_jitmagic.options.advice_limit_s = 300", block=True).get(120)
        yield client
        client.close()
    finally:
        cluster.stop_cluster_sync()


@pytest.fixture
def used(client: Any) -> Any:
    """Both have called `step` twice, the second one with another shape at last, and once more."""
    client[:].execute("import jax.numpy as jnp, jupyter_jitmagic as jm; jm.reset()", block=True).get(60)
    client[:].execute("@jm.jit\ndef step(x, n=2):\n    return x * n", block=True).get(60)
    client[:].execute("step(jnp.ones((32, 8)))", block=True).get(60)
    client[:].execute("step(jnp.ones((32, 8)))", block=True).get(60)
    client[1].execute("step(jnp.ones((31, 8)))", block=True).get(60)
    return client


def test_one_table_of_all_engines(used: Any) -> None:
    """Every row says of which engine it is; a view asks its own engines only."""
    functions = jm.gather(used, timeout_s=60)
    rows = functions[["engine", "function", "calls", "hits", "misses"]].values.tolist()
    assert rows == [[0, "step", 2, 1, 1], [1, "step", 3, 1, 2]]
    assert jm.gather(used[1], "misses", timeout_s=60)["now"].tolist() == ["", "f32[31,8]"]
    with pytest.raises(jm.OptionError, match="there is no level 'rows'"):
        jm.gather(used, "rows")  # type: ignore[arg-type]
    with pytest.raises(jm.OptionError, match="give a client or a view of ipyparallel, not list"):
        jm.gather([1, 2])


def test_an_engine_needs_no_pandas_to_answer() -> None:
    """Importing it took most of the first time."""
    script = """
import pickle, sys
import jupyter_jitmagic as jm
from jupyter_jitmagic.processes.levels import PROGRAMS, answer
jm.jit(lambda x: x + 1)(1.0)
pickle.dumps(answer([PROGRAMS, "functions", "entries", "calls", "misses", "diagnoses", "others"]))
print("pandas" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_who_only_asks_does_not_import_jax() -> None:
    """That was most of the first time on the other side."""
    script = "import jupyter_jitmagic as jm, sys; jm.gather, jm.compare_processes, jm.open; print('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_what_differs_between_engines(used: Any) -> None:
    found = jm.compare_processes(used, timeout_s=60)
    said = "engine 1 compiled step once more, for f32[31,8]; engine 0 did not"
    assert found["differs"].tolist() == [said]
    used[0].execute("step(jnp.ones((30, 8)))", block=True).get(60)
    (row,) = jm.compare_processes(used, timeout_s=60).to_dict("records")
    assert row["differs"] == "engine 1 compiled step for f32[31,8], engine 0 for f32[30,8]: x"
    assert (row["place"], row["theirs"], row["others"]) == ("x", "f32[31,8]", "f32[30,8]")
    used[:].execute("@jm.jit\ndef alike(x):\n    return x\nalike(1.0)", block=True).get(60)
    table = jm.gather(used, timeout_s=60)
    assert list(table)[:3] == ["engine", "function", "differs"]
    assert table[["function", "differs"]].values.tolist() == [["step", row["differs"]], ["alike", ""]] * 2
    used[:].execute("jm.reset()", block=True).get(60)
    assert jm.compare_processes(used, timeout_s=60).empty


def test_an_engine_that_cannot_answer_is_a_line(used: Any, tmp_path: Path) -> None:
    """Busy, without the package, of another version: the others' rows are there."""
    client, busy = used, used[1].execute(WAIT.format(tmp_path / "enough"), block=False)
    with pytest.warns(UserWarning, match=r"engine 1 did not answer within 6 s \(busy, or gone\) and is left out"):
        assert jm.gather(client, timeout_s=6)["engine"].tolist() == [0]
    (tmp_path / "enough").touch()
    busy.get(60)
    for missing, said in (
        ("jupyter_jitmagic", "engine 1 has no jupyter_jitmagic and is left out"),
        ("jupyter_jitmagic.processes", "engine 1 has another version of jupyter_jitmagic and is left out"),
    ):
        client[1].execute(HIDE % missing, block=True).get(60)
        with pytest.warns(UserWarning, match=said):
            assert jm.gather(client, timeout_s=60)["engine"].tolist() == [0]
        client[1].execute("sys.meta_path.remove(Hidden); sys.modules.update(kept)", block=True).get(60)
    client[1].execute("sys.modules['jupyter_jitmagic'].__version__ = '0.0.1'", block=True).get(60)
    own = jm.__version__
    with pytest.warns(UserWarning, match=f"engine 1 has jupyter_jitmagic 0.0.1, which is not {own} as here, and is left out"):
        assert jm.gather(client, timeout_s=60)["engine"].tolist() == [0]
    client[1].execute(f"sys.modules['jupyter_jitmagic'].__version__ = {own!r}", block=True).get(60)


def test_the_magics_on_engines_and_over_them(used: Any, shell: Shell) -> None:
    """``%%px`` hands ``%%jit`` to the engines; ``%jitstats --engines`` says the difference first, then all together."""
    shell.names["client"] = used
    shell.ok("client[:].activate()\n%px %load_ext jupyter_jitmagic")
    try:
        shell.ok("%%px --block\n%%jit --quiet\ndef double(x):\n    return x * 2\n\ndouble(jnp.ones(3)); double(jnp.ones(3))")
        text = shell.ok("%jitstats --engines").text
        first = text.strip().splitlines()[0]
        assert first.startswith("engine 1 compiled step once more, for f32[31,8]; engine 0 did not")
        rows = [line.split()[:4] for line in text.splitlines()]
        assert ["double", "4", "2", "2"] in rows and ["step", "5", "2", "3"] in rows
        assert [row[:4] for row in rows if row[:1] in (["0"], ["1"]) and "double" in row] == [
            ["0", "double", "2", "1"],
            ["1", "double", "2", "1"],
        ]
        assert shell.ok("%jitstats --engines double --level misses -o found").text == ""
        assert shell.names["found"]["engine"].tolist() == [0, 1]
        assert "step once more" in shell.ok("%jitstats --differ").text
    finally:
        shell.ok("%px %unload_ext jupyter_jitmagic")
        sys.modules["IPython"].get_ipython().magics_manager.registry.pop("ParallelMagics", None)


@pytest.fixture
def numbered(client: Any, shell: Shell) -> Shell:
    """A shell whose engines know their number as `rank`."""
    client[:].scatter("rank", [0, 1], flatten=True, block=True)
    client[:].execute("import jax.numpy as jnp", block=True).get(60)
    shell.names["client"] = client
    return shell


def test_a_cell_for_engines_shows_once_what_they_show_alike(numbered: Shell) -> None:
    """Lines, displays and results; what differs is told by engine. A wrong line is a line, and nothing runs."""
    ran = numbered.ok("%%jit --engines\ndef g(x):\n    return x * 2\n\nprint('once')\ng(jnp.ones(2))")
    assert ran.stdout == "%%jit takes g\nonce\n" and ran.text.count("all 2 engines:") == 1
    assert ran.text.count("[2., 2.]") == 1
    ran = numbered.ok("%%jit --quiet --engines\ndef g(x):\n    return x * rank\n\ng(jnp.ones(2))")
    assert [line.strip() for line in ran.text.splitlines() if line.strip()] == [
        "engine 0:", "Array([0., 0.], dtype=float32)", "engine 1:", "Array([1., 1.], dtype=float32)",
    ]  # fmt: skip
    wrong = str(numbered.run("%%jit --engines --statik n\ndef g(x, n):\n    return x").error)
    assert wrong.startswith("%%jit: unknown option --statik: did you mean --static?")
    assert (
        str(numbered.run("%%jit --engines h\ndef g(x):\n    return x").error)
        == "%%jit: h is not a function of this cell (it has g)"
    )


FAILS = """def f(x, n):
    return x * jnp.ones(n)

f(jnp.float32(1), 3)"""


def test_advice_of_engines_comes_once_and_its_fix_into_the_cell(numbered: Shell) -> None:
    """One traceback where both fail alike, one for each where they do not; `%jitfix` asks the engine for the fixed cell."""
    ran = numbered.run(f"%%jit --engines\n{FAILS}")
    assert ran.text.count("f cannot be traced") == 1 and ran.text.count("Traceback (most recent call last)") == 1
    assert "there is no fix 9" in str(numbered.run("%jitfix 9").error)
    numbered.run(f"%%jit --engines\n{FAILS}")
    assert "Fix 1 is in the cell" in numbered.ok("%jitfix").text
    fixed = numbered.ip.rl_next_input
    assert fixed == f"%%jit --static n --engines\n{FAILS}"
    assert "cannot be traced" not in numbered.ok(fixed).text
    ran = numbered.run("%%jit --engines\ndef g(x):\n    return x\n\n1 / rank")
    assert isinstance(ran.error, Exception) and ran.text.count("Traceback (most recent call last)") == 1
    assert "engine 0: ZeroDivisionError" in ran.text and "1.0" in ran.text
    assert "the last failure was no trace (ZeroDivisionError)" in str(numbered.run("%jitfix").error)


def test_an_engine_without_the_package_runs_nothing(numbered: Shell, client: Any) -> None:
    """Nor do the others: they might wait for it."""
    client[1].execute(HIDE % "jupyter_jitmagic", block=True).get(60)
    client[1].execute("get_ipython().extension_manager.loaded.discard('jupyter_jitmagic')", block=True).get(60)
    error = numbered.run("%%jit --engines\ndef g(x):\n    return x\nran = True").error
    client[1].execute("sys.meta_path.remove(Hidden); sys.modules.update(kept)", block=True).get(60)
    assert str(error) == "%%jit: engine 1 has no jupyter_jitmagic: nothing was run"
    assert client[:].apply_sync(eval, "'ran' in globals()") == [False, False]


def test_without_engines_a_line_says_what_to_do(shell: Shell) -> None:
    said = "%jitstats: there are no engines here: ipyparallel.Cluster(n=4).start_and_connect_sync() starts some"
    assert str(shell.run("%jitstats --engines").error) == said
    cell = "%%jit --engines\ndef g(x):\n    return x"
    assert str(shell.run(cell).error) == said.replace("%jitstats", "%%jit")
    both = str(shell.run("%jitstats --engines --from runs").error)
    assert both == "%jitstats: --from and --engines are two sources: choose one"


def test_each_line_with_the_engine_that_is_slowest_at_it(used: Any, shell: Shell) -> None:
    """A statement that fails on an engine is a line."""
    shell.names["client"] = used
    used[:].execute("small = jnp.ones((32, 8))", block=True).get(60)
    text = shell.ok("%jitlines --engines step(small).block_until_ready()").text
    assert "return x * n" in text and "a call by engine 0: " in text and ", engine 1: " in text
    used[1].execute("del small", block=True).get(60)
    text = " ".join(shell.ok("%jitlines --engines step step(small)").text.split())
    assert "engine 1 cannot answer (NameError: name 'small' is not defined) and is left out" in text
    assert "a call by engine 0: " in text
    assert "--engines takes a statement" in str(shell.run("%jitlines --engines").error)


def test_an_engine_that_has_died_since_is_a_line() -> None:
    """A client forgets it."""

    class Client:
        def __init__(self) -> None:
            self.ids = [0, 1]

        def __getitem__(self, engine: int) -> Any:
            return self

        def apply_async(self, *_: Any) -> Any:
            return self

        def get(self, timeout: float) -> dict[str, Any]:
            return {"about": whoami()}

    client = Client()
    assert [engine for engine, _ in evaluated(client, "", 5.0)[0]] == [0, 1]
    client.ids = [1]
    told, notes = evaluated(client, "", 5.0)
    assert [engine for engine, _ in told] == [1] and notes == ["engine 0 is gone and is left out"]
