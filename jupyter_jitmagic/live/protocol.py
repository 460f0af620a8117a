"""The panel's messages, as types. Imports nothing of ours; `labextension/src/protocol.ts` is the same page in TypeScript.

How a conversation goes. The kernel keeps comms that were never opened towards the front end: a `comm_info_request` finds them,
and front ends without the panel ignore them. A panel sends its `Request`s to `QUERIES` (through a subshell where the kernel
has them, so that the answer comes while a cell runs), each with the `panel`'s own name; what is meant for it alone, a
`Snapshot` first, comes back as messages of a comm of that name. From then on every change is an `Update` on `COMM`, at most 20
a second, each with the next `seq`; who misses one asks for a snapshot. A new `epoch` means a new start of the extension: what
was known before is void, and a question about a row of another epoch is refused. No comm is ever opened or closed: a
`comm_open` that reaches a kernel just restarted or unloaded is answered by a `comm_close`, which JupyterLab logs as an error;
a message to a comm that is gone is dropped.

All durations are seconds, all moments Unix time; numbers that are not finite travel as null. Rows replace the row with
the same id. A reader ignores keys that it does not know; `v` grows only when an older reader would go wrong.
"""

from __future__ import annotations

from types import NoneType
from typing import Literal, NotRequired, TypedDict, TypeGuard

VERSION = 1
COMM = "jitmagic"
"""Id of the comm on which the kernel speaks, and target of all; nobody sends on it."""
QUERIES = "jitmagic:queries"
"""Id of the comm to which panels send."""
SUBSHELLS_MARK = "jitmagic:subshells"
"""Id of a comm that only says: this kernel answers through subshells."""
SUBSHELL_PREFIX = "jitmagic:subshell:"
"""Prefix of the id of a comm that only names the subshell which panels share."""
TEXT_LIMIT = 20_000
"""Longer texts are cut before they are sent. A row shows the beginning, its tooltip the whole."""


class Place(TypedDict):
    """A line of the user's: in the cell that ran as `In[cell]`, or, where `cell` is null, in a file."""

    cell: int | None
    file: str
    line: int


class FunctionRow(TypedDict):
    id: int
    name: str
    module: str
    place: Place
    static_argnames: list[str]
    donate_argnames: list[str]
    alive: bool
    superseded: bool
    recording: bool
    calls: int
    hits: int
    misses: int
    errors: int
    inlined: int
    created_s: float | None
    trace_s: float | None
    lower_s: float | None
    compile_s: float | None
    apart: list[str]
    """What tells its entries apart, as "n" or "x.shape[0]"; each entry has the values."""


class EntryRow(TypedDict):
    id: int
    function: int
    avals: str
    arguments: str
    """The arguments by name, large containers folded."""
    apart: list[str]
    """The values of what tells its function's entries apart."""
    static: dict[str, str]
    transformation: str
    outcome: str
    hits: int
    trace_s: float | None
    lower_s: float | None
    compile_s: float | None
    execute_s: float | None
    executable_bytes: int | None
    temp_bytes: int | None
    argument_bytes: int | None
    output_bytes: int | None
    created_s: float | None
    last_used_s: float | None
    superseded: bool
    alive: bool


class CauseRow(TypedDict):
    cause: str
    argument: str
    before: str
    now: str


class MissRow(TypedDict):
    id: int
    call: int
    function: int
    entry: int
    causes: list[CauseRow]
    cost_s: float | None
    call_site: Place | None
    started_s: float | None


class DiagnosisRow(TypedDict):
    """A failed trace, in short; the panel never needs more than it shows."""

    id: int
    function: str
    started_s: float | None
    kind: str
    reason: str
    static_argnames: list[str]
    verified: bool
    diff: str
    fix: str
    """The first way out in a few words, as "jnp.where"; empty where none was found."""
    place: Place | None
    """The line that fails."""


class OtherRow(TypedDict):
    """What one function that is not under `jm.jit` has compiled from one line: plain ``jax.jit``, libraries, JAX's own
    operations (`module` "jax"). `causes` are of the latest compile, `cost_s` is tracing, lowering and compiling together."""

    id: int
    function: str
    module: str
    place: Place | None
    compiles: int
    cost_s: float | None
    causes: list[CauseRow]


class DonePhase(TypedDict):
    phase: str
    duration_s: float | None


class NowRow(TypedDict):
    """What is traced, lowered or compiled at this moment. `elapsed_s` is the age of the running phase when the message was
    made, so that the clocks of kernel and browser need not agree; `phase` is empty between two phases."""

    function: int
    name: str
    phase: str
    elapsed_s: float
    done: list[DonePhase]
    thread: int


class Table(TypedDict):
    """Rows column by column: the fields in which all of them agree, and the others, each with its `count` values."""

    count: int
    same: dict[str, object]
    each: dict[str, list[object]]


class FewRows(TypedDict):
    functions: list[FunctionRow]
    misses: list[MissRow]
    diagnoses: list[DiagnosisRow]
    others: list[OtherRow]
    now: list[NowRow]


class Rows(FewRows):
    entries: list[EntryRow]


class TableRows(FewRows):
    entries: Table


class Snapshot(TableRows):
    """Everything; what the reader had before is void."""

    t: Literal["snapshot"]
    v: int
    epoch: str
    seq: int
    busy: bool
    package: str
    """The version of the Python package."""
    home: str
    """The user's folder where the kernel runs: the server tells its root with ``~`` in its place."""
    paused_s: float | None
    """Since when nothing is recorded, because the user wants it so; null while calls are recorded."""
    id: str
    """The request that this answers; empty where it answers none."""


class Update(Rows):
    """What changed since `seq - 1`. `ping` asks the panel to say that it is still there."""

    t: Literal["update"]
    v: int
    epoch: str
    seq: int
    busy: bool
    gone_functions: list[int]
    gone_entries: list[int]
    ping: NotRequired[bool]


class Counts(TypedDict):
    """All that a status bar shows, for a panel that asked for `counts`; at most one a second."""

    t: Literal["counts"]
    v: int
    epoch: str
    busy: bool
    running: int
    """How many functions are traced, lowered or compiled at this moment."""
    misses: int
    compile_s: float | None
    ping: NotRequired[bool]


class Announcement(TypedDict):
    """The extension was loaded or unloaded; sent to whoever hears it."""

    t: Literal["loaded", "unloaded"]
    v: int
    epoch: str


class Reply(TypedDict):
    """The answer to one request, to the panel alone; `error` is one plain line where `ok` is false."""

    t: Literal["reply"]
    v: int
    id: str
    ok: bool
    error: NotRequired[str]
    data: NotRequired[dict[str, object]]


class Request(TypedDict):
    """What a panel sends: `op` is "open", "snapshot", "alive", "close" or one of `question_answers`'; `panel` names the sender.

    A question about rows tells in `args` of which `epoch` they are.
    """

    v: int
    op: str
    id: str
    panel: str
    args: dict[str, object]


class ProtocolError(ValueError):
    """A message that cannot be understood; the text is one plain line."""


ARGUMENTS: dict[str, dict[str, tuple[type, ...]]] = {
    "open": {"subshell": (str, NoneType), "counts": (bool,)},
    "detail": {"entry": (int,), "what": (str,)},
    "calls": {"entry": (int,)},
    "compare": {"entry": (int,), "other": (int,)},
    "timeline": {"from_s": (int, float, NoneType), "to_s": (int, float, NoneType), "stretches": (int,)},
    "clear": {"function": (int,)},
    "pause": {"on": (bool,)},
    "here": {},
    "cell": {"number": (int,)},
    "fixes": {"diagnosis": (int,)},
    "lines": {"entry": (int,)},
    "roll": {"entry": (int,)},
    "program": {"entry": (int,), "what": (str,)},
}
"""Of which types the arguments of each operation are."""


def parse_request(data: object) -> Request:
    """`data` of a comm message as a `Request`.

    Raises:
        ProtocolError: it is not one, or its version is newer than ours.
    """
    if not isinstance(data, dict):
        raise ProtocolError("the message is not an object")
    version, op, panel = data.get("v"), data.get("op"), data.get("panel")
    if type(version) is not int or not isinstance(op, str) or not is_comm_id(panel):
        raise ProtocolError("the message has no version, no operation or no sender")
    if version > VERSION:
        raise ProtocolError(
            f"the panel speaks version {version}, this kernel's jupyter_jitmagic version {VERSION}: update it in the kernel"
        )
    identity, args = data.get("id", ""), data.get("args", {})
    if not isinstance(identity, str) or not isinstance(args, dict):
        raise ProtocolError(f"the message {op[:40]!r} has an id that is not text, or arguments that are not an object")
    for name, types in {"epoch": (str,), **ARGUMENTS.get(op, {})}.items():
        if name in args and type(args[name]) not in types:
            wanted = " or ".join(_JSON[each] for each in types)
            raise ProtocolError(f"{name} of {op!r} is {_JSON.get(type(args[name]), 'something else')} and has to be {wanted}")
    subshell = args.get("subshell")
    if subshell and not is_comm_id(subshell):
        raise ProtocolError("the subshell's name is not made of ASCII letters")
    return Request(v=version, op=op, id=identity, panel=panel, args=args)


def is_comm_id(value: object) -> TypeGuard[str]:
    """Can this be the id of a comm? It becomes the topic of messages, which are ASCII."""
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isascii() and value.isprintable()


_JSON: dict[type, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    NoneType: "null",
    list: "a list",
    dict: "an object",
}
