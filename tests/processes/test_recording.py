"""Rows kept in a folder and read again: of several processes and runs, of one that was killed, of what cannot be read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import pandas as pd
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.processes import recording
from jupyter_jitmagic.processes.as_log import as_log
from jupyter_jitmagic.processes.recording import Writer

JOB = """
import sys, time
import jax, jax.numpy as jnp
import jupyter_jitmagic as jm

@jm.jit
def step(x):
    return x * 2

@jax.jit
def plain(x):
    return x + 1

plain(jnp.ones(3))
for n in range(int(sys.argv[1])):
    step(jnp.ones(n + 1))
print("done", flush=True)
if sys.argv[2:] == ["wait"]:
    time.sleep(600)
"""


def start(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    every = {"JITMAGIC_RECORD": str(folder), **environment}
    command = [sys.executable, "-c", JOB, *arguments]
    return subprocess.Popen(command, env={**os.environ, **every}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_share_a_folder_and_one_is_killed(tmp_path: Path) -> None:
    """What was written before a kill -9 is whole; the other process and its run are there, each row with both."""
    killed = start(tmp_path, "2", "wait", JITMAGIC_RUN="first", SLURM_PROCID="3")
    try:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("*/programs.parquet")):  # the last of its files
            assert time.monotonic() < deadline and killed.poll() is None, killed.communicate()
            time.sleep(0.05)
    finally:
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
    ended = start(tmp_path, "3", JITMAGIC_RUN="second")
    assert ended.communicate(timeout=60) == ("done\n", "")
    job = jm.open(tmp_path)
    assert job.runs == ["first", "second"] and job.notes == []
    assert list(zip(job.processes["run"], job.processes["process"], strict=True)) == [("first", 3), ("second", 0)]
    functions = job.run("second").stats()
    assert functions[["run", "process", "function", "calls", "misses"]].values.tolist() == [["second", 0, "step", 3, 3]]
    assert job.run("second").stats("calls")["outcome"].tolist() == ["miss"] * 3
    others = job.stats("others")
    assert set(others[others["function"] == "plain"]["run"]) == {"first", "second"}
    misses = job.run("second").stats("misses")
    assert misses["cause"].tolist() == ["first_call", "shape", "shape"] and misses["now"].tolist()[1:] == ["f32[2]", "f32[3]"]


def write(folder: Path, run: str = "", **given: int) -> Writer:
    writer = Writer(folder, run, 5.0, given.get("limit_bytes", 10**9))
    writer.write(last=True)
    return writer


@pytest.fixture
def step():
    jm.reset()

    @jm.jit
    def step(x, n=1):
        return x * n

    return step


def test_the_tables_are_those_of_the_process(tmp_path: Path, step) -> None:
    """Every level has the rows and the types that `jm.stats` gives, with the run and the process in front."""
    for n in (3, 3, 4):
        step(jnp.ones(n))
    write(tmp_path, "one")
    job = jm.open(tmp_path)
    for level in ("functions", "entries", "calls", "misses"):
        here, kept = jm.stats(level), job.stats(level)
        assert list(kept.columns) == ["run", "process", *here.columns]
        unsized = [name for name in here.columns if not name.endswith("_bytes")]
        pd.testing.assert_frame_equal(kept[unsized], here[unsized], check_categorical=False)
    with pytest.raises(jm.OptionError, match="there is no level 'rows': choose one of functions"):
        job.stats("rows")
    with pytest.raises(jm.OptionError, match=r"holds no run 'two' \(there are: one\)"):
        job.run("two")


def test_calls_are_written_in_parts_that_are_bounded(tmp_path: Path, step, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call stands in one part; beyond the limit the oldest parts go, and the totals stay."""
    monkeypatch.setattr(recording, "_PART_ROWS", 100)
    writer = Writer(tmp_path, "one", 5.0, 10**9)
    for _ in range(5):
        for _ in range(60):
            step(jnp.ones(3))
        writer.write(last=True)
        writer.write(last=True)
    calls = jm.open(tmp_path).stats("calls")
    assert calls["call"].is_monotonic_increasing and calls["call"].is_unique and len(calls) == 300
    assert len(list(tmp_path.glob("*/calls-*.parquet"))) == 3
    writer._limit_bytes = 1
    for _ in range(60):
        step(jnp.ones(3))
    writer.write(last=True)
    job = jm.open(tmp_path)
    assert len(job.stats("calls")) < 200 and job.stats()["calls"].tolist() == [360]


def test_rows_that_are_forgotten_here_stay_in_the_folder(tmp_path: Path, step) -> None:
    """`jm.reset()` and `keep_calls` shorten the table of the process, not the calls that are written already."""
    writer = Writer(tmp_path, "one", 5.0, 10**9)
    for n in (5, 6):
        for _ in range(n):
            step(jnp.ones(3))
        writer.write(last=True)
        jm.reset()
    assert len(jm.open(tmp_path).stats("calls")) == 11


def test_what_cannot_be_read_is_named_and_the_rest_is_read(tmp_path: Path, step) -> None:
    """Half written, newer, not ours: a line each."""
    step(jnp.ones(3))
    write(tmp_path, "good")
    (tmp_path / "notes.txt").write_text("not ours")
    (tmp_path / "other").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / write(tmp_path, "begins")._own.name / recording.META).unlink()  # it has written nothing yet
    half = tmp_path / "half"
    half.mkdir()
    (half / recording.META).write_text('{"format": 1, "ru')
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / recording.META).write_text(json.dumps({"format": 99, "version": "9.0", "run": "x", "tables": []}))
    torn = write(tmp_path, "torn")._own
    (torn / "misses.parquet").write_bytes(b"PAR1 and no more")
    with pytest.warns(UserWarning) as told:
        job = jm.open(tmp_path)
    assert [str(each.message) for each in told] == [
        f"half/{recording.META} cannot be read (JSONDecodeError): its tables are left out",
        "newer is left out: a newer jupyter_jitmagic (9.0) wrote it",
        "other is a folder of something else, left out",
    ]
    assert sorted(job.runs) == ["good", "torn"] and len(job.stats()) == 2
    with pytest.warns(UserWarning, match=r"torn|misses.parquet cannot be read \(ArrowInvalid\) and is left out"):
        assert set(job.stats("misses")["run"]) == {"good"}


def test_a_folder_as_a_log_has_the_rows_of_every_process(tmp_path: Path) -> None:
    """With the times of its misses; of one process alone functions have their own names."""
    jm.reset()

    def step(x, n):
        return x * n

    step = jm.jit(step, static_argnames="n")
    step(jnp.ones(3), n=4)
    step(jnp.ones(3), n=4)
    step(jnp.ones(5), n=4)
    write(tmp_path, "one")
    (only,) = as_log(jm.open(tmp_path)).functions.values()
    name = only.name
    assert name.endswith("step") and (only.calls, only.hits, only.misses) == (3, 1, 2)
    write(tmp_path, "two")
    log = as_log(jm.open(tmp_path))
    assert sorted(record.name for record in log.functions.values()) == [f"{name} · one", f"{name} · two"]
    calls = jm.stats("calls")
    for function in log.functions.values():
        first, second = log.entries_of(function.id)
        assert [(entry.avals, entry.static, entry.hits) for entry in (first, second)] == [
            ("f32[3]", {"n": "4"}, 1),
            ("f32[5]", {"n": "4"}, 0),
        ]
        misses = [miss for miss in log.misses if miss.function == function.id]
        assert [miss.entry for miss in misses] == [first.id, second.id]
        assert [miss.started_s for miss in misses] == calls[calls["outcome"] == "miss"]["started_s"].tolist()
        assert [(cause.cause, cause.argument, cause.now) for cause in misses[1].causes] == [("shape", "x", "f32[5]")]


def test_folders_of_something_else_are_one_line(tmp_path: Path, step) -> None:
    """However many; with nothing of ours beside them it is the error that it was."""
    for name in "abcde":
        (tmp_path / name).mkdir()
    with pytest.raises(jm.OptionError, match="holds no record"):
        jm.open(tmp_path)
    step(jnp.ones(3))
    write(tmp_path, "good")
    with pytest.warns(UserWarning, match="^a, b, c and 2 more are folders of something else, left out$"):
        assert jm.open(tmp_path).runs == ["good"]


def test_a_folder_that_is_none_of_ours(tmp_path: Path) -> None:
    with pytest.raises(jm.OptionError, match=r"holds no record of jupyter_jitmagic: jm.record_to\('.*'\) makes one"):
        jm.open(tmp_path)
    with pytest.raises(jm.OptionError, match="nowhere cannot be opened: no such file or directory"):
        jm.open(tmp_path / "nowhere")


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    """Asked for by name it is an error of one line; by the environment a line on stderr, and the job runs."""
    (tmp_path / "file").touch()
    with pytest.raises(jm.OptionError, match="file/runs: nothing can be recorded there: not a directory"):
        jm.record_to(tmp_path / "file" / "runs")
    job = start(tmp_path / "file" / "runs", "1")
    out, error = job.communicate(timeout=60)
    assert out == "done\n" and job.returncode == 0
    assert (
        error.strip()
        == f"jupyter_jitmagic: JITMAGIC_RECORD={tmp_path}/file/runs: nothing can be recorded there: not a directory"
    )


def test_a_folder_that_goes_away_is_told_once(tmp_path: Path, step, capsys: pytest.CaptureFixture[str]) -> None:
    """The job goes on, and the recording does not begin again."""
    step(jnp.ones(3))
    writer = write(tmp_path / "runs")
    for file in writer._own.iterdir():
        file.unlink()
    writer._own.rmdir()
    step(jnp.ones(4))
    assert writer._try() is False
    said = capsys.readouterr().err
    assert said == f"jupyter_jitmagic: nothing more is recorded to {writer._own}: No such file or directory\n"


def test_two_runs_compared(tmp_path: Path, step) -> None:
    """The second run's further compiles come with their causes; what is the same in both is no row."""
    fixed = jm.jit(jax.nn.relu)
    fixed(jnp.ones(3))
    step(jnp.ones(3))
    write(tmp_path, "before")
    for n in (4, 5):
        step(jnp.ones(n))
    write(tmp_path, "after")
    job = jm.open(tmp_path)
    found = jm.compare(job.run("before"), job.run("after"))
    (row,) = found[found["change"].str.contains("often")].to_dict("records")
    assert row["function"].endswith("step") and row["change"].startswith("compiles more often")
    assert (row["compiles_a"], row["compiles_b"], row["why"]) == (1, 3, "x f32[5] (shape) ×2")
    assert row["more_s"] > 0 and row["compile_s_b"] > row["compile_s_a"]
    assert jm.compare(job.run("after"), job.run("after")).empty
    with pytest.raises(jm.OptionError, match="cannot be opened"):
        jm.compare(tmp_path / "nowhere", job)
