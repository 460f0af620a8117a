"""`jm.open` and `jm.compare`: what `jm.record_to` has kept, as the same tables, of any number of processes and runs."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_jitmagic.base.causes import word
from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.processes import levels, recording
from jupyter_jitmagic.tables import COLUMNS, no_such_level

if TYPE_CHECKING:
    import pandas as pd

    from jupyter_jitmagic.tables import Level


class _Kept(NamedTuple):
    """The folder of one process, and what it says of itself."""

    path: Path
    about: dict[str, Any]
    process: int


class Opened:
    """A folder of `jm.record_to`, or some of its runs. What is written later is read by the next question.

    `runs` are the names of its runs, the oldest first; `notes` says in a line each what could not be read.
    """

    def __init__(self, folder: Path, kept: Sequence[_Kept], notes: Sequence[str]) -> None:
        self.folder, self._kept = folder, list(kept)
        self.notes = list(notes)

    @property
    def runs(self) -> list[str]:
        return list(dict.fromkeys(str(each.about["run"]) for each in self._kept))

    @property
    def processes(self) -> pd.DataFrame:
        """One row for each process: run, process, host, pid, started_s, version, program."""
        import pandas as pd

        names = ("host", "pid", "started_s", "version", "program")
        rows = [
            {"run": each.about["run"], "process": each.process, **{n: each.about.get(n) for n in names}} for each in self._kept
        ]
        return pd.DataFrame(rows, columns=["run", "process", *names])

    def run(self, name: str) -> Opened:
        """One run of it.

        Raises:
            OptionError: there is none of this name.
        """
        if name not in self.runs:
            raise OptionError(f"{self.folder} holds no run {name!r} (there are: {', '.join(self.runs)})")
        return Opened(self.folder, [each for each in self._kept if each.about["run"] == name], self.notes)

    def stats(self, level: Level = "functions") -> pd.DataFrame:
        """As `jm.stats`, of every process, with the columns `run` and `process` in front.

        Raises:
            OptionError: there is no such level.
        """
        if level not in COLUMNS:
            raise no_such_level(level)
        return self._frame(level)

    def programs(self) -> pd.DataFrame:
        """What each process compiled, in its order, as text facts."""
        frame = self._frame(levels.PROGRAMS)
        if len(frame):
            frame["facts"] = [json.loads(facts) for facts in frame["facts"]]
        return frame

    def missed(self) -> pd.DataFrame:
        """When each call that missed began: run, process, call, started_s. The other calls, which are many, are not read."""
        return self._frame("calls", columns=["call", "started_s"], filters=[("outcome", "in", ["miss", "disk_hit"])])

    def _frame(self, level: Any, **only: Any) -> pd.DataFrame:
        """The table of a level; `only` are columns and filters as parquet's readers take them."""
        import pandas as pd

        frames = []
        for each in self._kept:
            frame = self._read(each, level, only)
            if frame is not None:
                frame.insert(0, "run", pd.Series([each.about["run"]] * len(frame), dtype="str"))
                frame.insert(1, "process", each.process)
                frames.append(frame)
        if not frames:
            return pd.DataFrame(columns=["run", "process", *only.get("columns", COLUMNS.get(level, ()))])
        filled = [frame for frame in frames if len(frame)]
        return pd.concat(filled or frames[:1], ignore_index=True)

    def _read(self, kept: _Kept, level: str, only: dict[str, Any]) -> Any:
        import pandas as pd

        files = sorted(kept.path.glob("calls-*.parquet")) if level == "calls" else [kept.path / f"{level}.parquet"]
        read = []
        for file in files:
            try:
                read.append(_parquet(file, only))
            except FileNotFoundError:
                continue  # nothing of it was written yet, or it was dropped a moment ago
            except Exception as error:
                self._note(f"{file.parent.name}/{file.name} cannot be read ({type(error).__name__}) and is left out")
        return pd.concat(read, ignore_index=True) if len(read) > 1 else read[0] if read else None

    def _note(self, line: str) -> None:
        if line not in self.notes:
            self.notes.append(line)
            warnings.warn(line, stacklevel=5)

    def __repr__(self) -> str:
        count = len(self._kept)
        return f"<{self.folder}: {count} process{'es' if count != 1 else ''}, runs: {', '.join(self.runs)}>"


def _parquet(file: Path, only: dict[str, Any]) -> Any:
    """With the types that it was written with, where this pandas has them."""
    import pandas as pd

    try:
        return pd.read_parquet(file, **only)
    except (TypeError, KeyError, NotImplementedError):
        from pyarrow import parquet

        return parquet.read_table(file, **only).to_pandas(ignore_metadata=True)


def open_folder(folder: str | os.PathLike[str]) -> Opened:
    """Read what `jm.record_to` has kept, of a job that ended, was killed, or still runs.

    Args:
        folder: the folder that was given to `jm.record_to` or ``JITMAGIC_RECORD``.

    Raises:
        OptionError: there is no such folder, or no record of ours is in it. What one of many processes left unreadable is left
            out, with a warning of one line.

    Example:
        >>> job = jm.open("runs")
        >>> job.stats("misses").groupby(["process", "cause"]).size()
        >>> job.runs
        ['lr-0.1', 'lr-0.2']
    """
    path = Path(folder).expanduser()
    notes, kept, foreign = [], [], []
    try:
        inside = sorted(path.iterdir())
    except OSError as error:
        raise OptionError(f"{folder} cannot be opened: {(error.strerror or str(error)).lower()}") from None
    for each in inside:
        if not (each / recording.META).is_file():
            if each.is_dir() and not each.name.startswith(".") and not recording.OWN_NAME.fullmatch(each.name):
                foreign.append(each.name)
            continue
        try:
            about = json.loads((each / recording.META).read_text(encoding="utf-8"))
            version = about["format"]
            if version <= recording.FORMAT:
                kept.append(_Kept(each, {**about, "run": str(about["run"])}, -1))
            else:
                notes.append(f"{each.name} is left out: a newer jupyter_jitmagic ({about['version']}) wrote it")
        except (OSError, ValueError, TypeError, KeyError) as error:
            notes.append(f"{each.name}/{recording.META} cannot be read ({type(error).__name__}): its tables are left out")
    if not kept and not notes:
        raise OptionError(f"{folder} holds no record of jupyter_jitmagic: jm.record_to({str(folder)!r}) makes one")
    if foreign:
        notes.append(_foreign(foreign))
    for note in notes:
        warnings.warn(note, stacklevel=2)
    return Opened(path, _numbered(kept), notes)


def _foreign(names: Sequence[str]) -> str:
    shown = [*names[:3], *([f"{len(names) - 3} more"] if len(names) > 3 else [])]
    listed = " and ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part)
    return f"{listed} {'is a folder' if len(names) == 1 else 'are folders'} of something else, left out"


def _numbered(kept: Sequence[_Kept]) -> list[_Kept]:
    """Each with its number in its run; those that do not know theirs are counted, by their start."""
    ordered = sorted(kept, key=lambda each: (each.about.get("started_s", 0.0), each.path.name))
    taken: dict[str, set[int]] = {}
    numbers: dict[Path, int] = {}
    for each in sorted(ordered, key=lambda each: each.about.get("process") is None):
        used = taken.setdefault(each.about["run"], set())
        own = each.about.get("process")
        number = next(n for n in range(len(kept)) if n not in used) if own is None else int(own)
        used.add(number)
        numbers[each.path] = number
    runs = list(dict.fromkeys(each.about["run"] for each in ordered))
    found = [each._replace(process=numbers[each.path]) for each in ordered]
    return sorted(found, key=lambda each: (runs.index(each.about["run"]), each.process))


# ---- two runs


_WORTH, _WORTH_S = 1.3, 0.1
"""A time is told as another one if it is so many times as long, and by so many seconds in all."""


def compare(run_a: Any, run_b: Any) -> pd.DataFrame:
    """What compiles more, more often or slower in the second run, and what executes slower, with the causes.

    Args:
        run_a: the run before: a folder, what `jm.open` made of it, or one run of that.
        run_b: the run after.

    Returns:
        One row for each function that differs, the largest added cost first: `function`, `change` (in words), `more_s` (seconds
        that it costs more, compiling and executing), of both runs, per process, `compiles`, `compile_s` (tracing, lowering and
        compiling), `calls` and `execute_s` (median, of the slowest process), and `why`: the causes of the misses that the
        second run has more of.

    Raises:
        OptionError: one of them cannot be opened.

    Example:
        >>> jm.compare("runs/before", "runs/after")
        >>> job = jm.open("runs"); jm.compare(job.run("lr-0.1"), job.run("lr-0.2"))
    """
    import pandas as pd

    sides = [_by_function(each if isinstance(each, Opened) else open_folder(each)) for each in (run_a, run_b)]
    rows = [_compared(name, sides[0].get(name), sides[1].get(name)) for name in dict.fromkeys((*sides[1], *sides[0]))]
    found = sorted((row for row in rows if row["change"]), key=lambda row: -row["more_s"])
    columns = ["function", "change", "more_s"]
    columns += [f"{name}_{run}" for name in ("compiles", "compile_s", "calls", "execute_s") for run in "ab"]
    return pd.DataFrame(found, columns=[*columns, "why"])


class _Of(NamedTuple):
    """One function in one run, all its processes together, per process."""

    compiles: float = 0.0
    compile_s: float = 0.0
    calls: float = 0.0
    execute_s: float | None = None
    causes: tuple[tuple[str, str, str, str], ...] = ()


def _by_function(run: Opened) -> dict[str, _Of]:
    functions, misses, others = run.stats("functions"), run.stats("misses"), run.stats("others")
    processes = max(len(run.processes), 1)
    found = {}
    for name, rows in functions.groupby("function", sort=False):
        mine = misses[misses["function"] == name] if len(misses) else misses
        median = rows["execute_median_s"].max()
        found[str(name)] = _Of(
            rows["misses"].sum() / processes,
            float((rows["trace_s"] + rows["lower_s"] + rows["compile_s"]).sum()) / processes,
            rows["calls"].sum() / processes,
            None if median != median else float(median),
            tuple(mine[["cause", "argument", "before", "now"]].fillna("").itertuples(index=False, name=None)),
        )
    others = others[others["module"] != "jax"] if len(others) else others
    for name, rows in others.groupby("function", sort=False):
        if str(name) not in found:
            spent = float((rows["trace_s"] + rows["lower_s"] + rows["compile_s"]).sum()) / processes
            causes = tuple((str(row["cause"]), str(row["argument"]), "", "") for _, row in rows.iterrows())
            found[str(name)] = _Of(rows["compiles"].sum() / processes, spent, 0.0, None, causes)
    return found


def _compared(name: str, before: _Of | None, after: _Of | None) -> dict[str, Any]:
    a, b = before or _Of(), after or _Of()
    changes = []
    if before is None or after is None:
        changes.append("only in the second run" if before is None else "only in the first run")
    elif a.compiles != b.compiles:
        changes.append(f"compiles {'more' if b.compiles > a.compiles else 'less'} often")
    each_a, each_b = a.compile_s / max(a.compiles, 1), b.compile_s / max(b.compiles, 1)
    executing = 0.0
    if before is not None and after is not None:
        if a.compiles and b.compiles and _is_longer(each_a, each_b, b.compiles):
            changes.append("compiles slower")
        elif a.compiles and b.compiles and _is_longer(each_b, each_a, a.compiles):
            changes.append("compiles faster")
        if a.execute_s is not None and b.execute_s is not None:
            executing = (b.execute_s - a.execute_s) * b.calls
            if _is_longer(a.execute_s, b.execute_s, b.calls):
                changes.append("executes slower")
            elif _is_longer(b.execute_s, a.execute_s, a.calls):
                changes.append("executes faster")
    return {
        "function": name,
        "change": ", ".join(changes),
        "more_s": b.compile_s - a.compile_s + executing,
        **{f"{field}_a": getattr(a, field) if before else None for field in ("compiles", "compile_s", "calls", "execute_s")},
        **{f"{field}_b": getattr(b, field) if after else None for field in ("compiles", "compile_s", "calls", "execute_s")},
        "why": _more_causes(a, b),
    }


def _is_longer(one: float, other: float, times: float) -> bool:
    return other > _WORTH * one and (other - one) * times > _WORTH_S


def _more_causes(a: _Of, b: _Of) -> str:
    """The causes that the second run has more of, as "x f32[31] (shape) ×3"."""
    counts: dict[tuple[str, str], int] = {}
    values: dict[tuple[str, str], str] = {}
    for sign, side in ((-1, a), (1, b)):
        for cause, argument, _, now in side.causes:
            counts[cause, argument] = counts.get((cause, argument), 0) + sign
            if sign > 0 and now:
                values[cause, argument] = now
    found = sorted((key for key, count in counts.items() if count > 0), key=lambda key: -counts[key])
    texts = []
    for cause, argument in found[:3]:
        said = " ".join(part for part in (argument, values.get((cause, argument), "")) if part)
        times = f" ×{counts[cause, argument]}" if counts[cause, argument] > 1 else ""
        texts.append((f"{said} ({word(cause)})" if said else word(cause)) + times)
    return "; ".join(texts)
