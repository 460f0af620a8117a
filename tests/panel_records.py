"""Records like those of the lesson, for the panel's tests and its golden files."""

from __future__ import annotations

from jupyter_jitmagic.base.causes import Cause
from jupyter_jitmagic.records.log import Changed, DiagnosisRecord, EntryRecord, FunctionRecord, Log, MissRecord, OtherRecord

START_S = 1_700_000_000.0


def lesson() -> Log:
    """Two functions, three entries, three misses and a diagnosis; one number that is not finite and one text with HTML."""
    log = Log()
    log.functions[1] = FunctionRecord(
        id=1,
        name="padded",
        module="__main__",
        qualname="padded",
        filename="/tmp/ipykernel_1/5.py",
        line=2,
        static_argnames=("n",),
        created_s=START_S,
        calls=5,
        hits=3,
        misses=2,
        trace_s=0.008,
        lower_s=0.006,
        compile_s=0.088,
    )
    log.functions[2] = FunctionRecord(
        id=2,
        name="<b>bold</b>",
        module="__main__",
        qualname="bold",
        filename="/home/user/model.py",
        line=1,
        compile_s=float("nan"),
    )
    for number, (n, hits) in enumerate([(5, 3), (8, 0)], start=10):
        log.entries[number] = EntryRecord(
            id=number,
            function=1,
            avals=f"f32[{n}]",
            static={"n": str(n)},
            hits=hits,
            created_s=START_S,
            trace_s=0.004,
            lower_s=0.003,
            compile_s=0.044,
            execute_s=7.9e-6 if hits else None,
            executable_bytes=12345,
            last_used_s=START_S + 1,
        )
    log.misses.append(
        MissRecord(
            id=1,
            call=1,
            function=1,
            entry=10,
            causes=(Cause("first_call"),),
            cost_s=0.051,
            call_site="/tmp/ipykernel_1/5.py:6",
            started_s=START_S,
        )
    )
    log.misses.append(
        MissRecord(
            id=2,
            call=5,
            function=1,
            entry=11,
            causes=(Cause("static_value", "n", "5", "8"), Cause("shape", "x", "f32[5]", "f32[8]")),
            cost_s=0.051,
            call_site="/tmp/ipykernel_1/7.py:1",
            started_s=START_S + 1,
        )
    )
    other = OtherRecord(
        id=1,
        function="solve",
        module="__main__",
        call_site="/tmp/ipykernel_1/9.py:4",
        compiles=3,
        trace_s=0.01,
        lower_s=0.01,
        compile_s=0.1,
        causes=(Cause("shape", "x", "f32[5]", "f32[8]"),),
        last_s=START_S,
    )
    log.others["solve", "__main__", other.call_site] = other
    log.diagnoses.append(
        DiagnosisRecord(
            id=1,
            function="conditional_double",
            started_s=START_S + 2,
            diagnosis={
                "kind": "rewrite",
                "reason": "x > threshold needs the value of x.",
                "static_argnames": [],
                "sites": [{"filename": "/tmp/ipykernel_1/9.py", "line": 3}],
                "verified": True,
                "fix": "jnp.where",
                "rewrites": [{"diff": "-    if x > threshold:\n+    return jnp.where(x > threshold, x * 2, x)"}],
            },
        )
    )
    return log


def go_on(log: Log) -> None:
    """A little later: two more hits, and a third miss."""
    log.functions[1].hits += 2
    log.functions[1].calls += 3
    log.functions[1].misses += 1
    log.functions[1].compile_s = 0.132
    log.entries[10].hits += 2
    log.entries[12] = EntryRecord(
        id=12, function=1, avals="f32[13]", static={"n": "13"}, created_s=START_S + 3, compile_s=0.044
    )
    log.misses.append(
        MissRecord(
            id=3,
            call=8,
            function=1,
            entry=12,
            causes=(Cause("static_value", "n", "8", "13"),),
            cost_s=0.044,
            call_site="/tmp/ipykernel_1/8.py:1",
            started_s=START_S + 3,
        )
    )
    log.listeners.emit(Changed("entries", 12))
    log.listeners.emit(Changed("misses", 3))
