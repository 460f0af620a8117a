"""The rooms of ARCHITECTURE.md and what each may import, held by reading every import of the package, lazy ones included."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from checkout import ROOT

PACKAGE = ROOT / "jupyter_jitmagic"
NAME = PACKAGE.name

# room: (the modules in it, by the beginning of their names; the rooms that it may import)
_LEAVES = {"errors", "looking", "options", "plain", "internals"}  # of base/, each for every room but the rooms named before it
ROOMS: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "errors": (("base.errors",), set()),
    "options": (("base.options",), {"errors"}),
    "looking": (("base.looking",), set()),
    "plain": (("base",), {"errors", "looking"}),
    "internals": (("base.jax_internals", "base.jax_frames", "base.live_programs"), {"errors"}),
    "records": (("records",), {"errors", "plain"}),
    "protocol": (("live.protocol",), set()),
    "advice": (("diagnosis.types", "diagnosis.fixes"), set()),
    "user code": (("usercode",), {"internals", "looking"}),
    "source": (("source",), {"internals", "looking", "user code"}),
    "sandbox": (("sandbox",), {"internals", "looking", "source", "user code"}),
    "uncompiled": (("diagnosis.uncompiled",), {"internals", "sandbox"}),
    "call": (("diagnosis.call",), {"internals", "looking", "sandbox", "source", "user code"}),
    "sites": (("diagnosis.sites",), {*_LEAVES, "advice", "call", "sandbox", "uncompiled", "user code"}),
    "statics": (("diagnosis.statics",), {*_LEAVES, "advice", "call", "sandbox", "sites", "source", "user code"}),
    "proof": (
        ("diagnosis.proof",),
        {"internals", "looking", "plain", "advice", "sandbox", "source", "uncompiled", "user code"},
    ),
    "rewrites": (("diagnosis.rewrites",), {*_LEAVES, "advice", "proof", "sandbox", "source", "user code", "uncompiled"}),
    "splits": (
        ("diagnosis.splits",),
        {*_LEAVES, "advice", "call", "proof", "rewrites", "sandbox", "sites", "source", "statics", "user code"},
    ),
    "objects": (
        ("diagnosis.objects",),
        {*_LEAVES, "advice", "call", "proof", "rewrites", "sandbox", "source", "splits", "statics", "user code"},
    ),
    "words": (("diagnosis.words",), {*_LEAVES, "advice", "call", "sites", "statics"}),
    "diagnosis": (
        ("diagnosis",),
        {
            *_LEAVES, "advice", "call", "objects", "proof", "rewrites", "sandbox", "sites", "source", "splits", "statics",
            "uncompiled", "user code", "words",
        },
    ),
    "causes": (("recording.causes",), {"looking", "plain", "records", "internals"}),
    "facts": (("recording.jitted",), {"plain", "internals", "causes", "records", "user code"}),
    "guards": (("recording.guards",), {*_LEAVES, "records", "causes", "facts", "sandbox", "user code"}),
    "compiles": (("recording.compiles",), {*_LEAVES, "records", "causes", "facts", "guards", "user code"}),
    "hot path": (("recording.hot_path",), {"plain", "internals", "options", "records", "compiles"}),
    "executions": (("recording.executions",), {*_LEAVES, "records", "compiles", "hot path"}),
    "calls": (
        ("recording.calls",),
        {*_LEAVES, "records", "causes", "facts", "guards", "compiles", "hot path", "executions", "sandbox", "user code"},
    ),
    "recorder": (("recording.recorder",), {"plain", "records", "compiles", "hot path", "executions", "calls"}),
    "recording": (
        ("recording",),
        {
            *_LEAVES, "records", "causes", "facts", "guards", "compiles", "hot path", "calls", "recorder", "sandbox",
            "diagnosis", "user code",
        },
    ),
    "by line": (
        ("by_line",),
        {
            *_LEAVES, "advice", "diagnosis", "sandbox", "source", "records", "recording", "calls", "compiles", "guards",
            "user code", "display", "front end",
        },
    ),
    "front end": (("magics.front_end", "magics.timed_cells"), {"display", "source"}),
    "explaining": (("explaining",), {"errors", "advice", "diagnosis", "display", "guards", "recording"}),
    "cell": (
        ("magics.cell_tree", "magics.cell_names", "magics.factories", "magics.wrapping", "magics.request"),
        {"errors", "options", "recording"},
    ),
    "tables": (("tables",), {"errors", "options", "plain", "records"}),
    "display": (("display",), {"errors", "options", "plain", "records", "advice"}),
    "live": (("live",), {"errors", "options", "plain", "records", "protocol", "recording", "calls", "recorder"}),
    "magics": (
        ("magics",),
        {
            "errors", "options", "plain", "records", "advice", "diagnosis", "source", "user code", "recording", "calls",
            "guards", "looking", "recorder", "cell", "front end", "by line", "tables", "display", "live", "processes",
        },
    ),
    "processes": (("processes",), {*_LEAVES, "records", "compiles", "tables", "recording"}),
    "pytest plugin": (("pytest_plugin",), {"plain", "recording"}),
}  # fmt: skip
ROOMS["package"] = (("",), set(ROOMS))  # the public names, each from its room

# third party: the rooms that alone may import it
DOORS = {
    "pandas": {"tables", "by line", "processes"},
    "comm": {"live"},
    "IPython": {"magics"},
    "traitlets": {"magics", "live"},
    "anywidget": {"live"},
    "matplotlib": {"display"},
    "pytest": {"pytest plugin"},
    "pyarrow": {"processes"},
    "ipyparallel": set[str](),
    "ipykernel": set[str](),
    "jax._src": {"internals"},
    "jax.extend": {"internals"},
    "jaxlib": {"internals"},
}


def room_of(module: str) -> str | None:
    """The room of a module ("diagnosis.types"): the one that names the longest beginning of it."""
    matches = [
        (len(start), room)
        for room, (starts, _) in ROOMS.items()
        for start in starts
        if module == start or (start and module.startswith((f"{start}.", f"{start}_")))
    ]
    return max(matches)[1] if matches else None


def imports(file: Path, module: str) -> tuple[str, ...]:
    """Every module or name that a file imports, dotted from the top, wherever in the file it stands."""
    package = (NAME, *module.split(".")) if file.name == "__init__.py" else (NAME, *module.split(".")[:-1])
    return _imports(file.read_text(encoding="utf-8"), package)


@cache
def _imports(text: str, package: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_imported(text, package))


def _imported(text: str, package: tuple[str, ...]) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [part for part in package if part][: len(package) - node.level + 1] if node.level else []
            yield from (".".join([*base, node.module or "", alias.name]).replace("..", ".") for alias in node.names)
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            yield from (str(argument.value) for argument in node.args[:1] if isinstance(argument, ast.Constant))


def violations(package: Path) -> list[str]:
    """One line for each import that the tables forbid and each module that has no room."""
    modules = {
        ".".join(file.relative_to(package).with_suffix("").parts).removesuffix("__init__").removesuffix("."): file
        for file in sorted(package.rglob("*.py"))
    }
    found = []
    for module, file in modules.items():
        room = room_of(module)
        if room is None:
            found.append(f"{module} has no room: add it to the table in {Path(__file__).name} and to ARCHITECTURE.md")
            continue
        for name in imports(file, module):
            if name == NAME or name.startswith(f"{NAME}."):
                ours = name.removeprefix(NAME).removeprefix(".")
                target = ours if ours in modules else ours.rpartition(".")[0]
                other = room_of(target) if target or not module else None
                if other is None:  # `from jupyter_jitmagic import jit`: our own rooms go to the room itself
                    found.append(f"{module} imports {name}, which is no module")
                elif other != room and other not in ROOMS[room][1]:
                    found.append(f"{module} ({room}) imports {target} ({other})")
            for door, keepers in DOORS.items():
                if (name == door or name.startswith(f"{door}.")) and room not in keepers:
                    found.append(f"{module} ({room}) imports {door}")
    return found


def test_every_import_goes_along_the_arrows() -> None:
    assert violations(PACKAGE) == []


def test_the_arrows_make_no_circle() -> None:
    below: set[str] = set()
    left = dict(ROOMS)
    while left:
        free = {room for room, (_, allowed) in left.items() if allowed <= below}
        assert free, f"these import each other: {sorted(left)}"
        below |= free
        left = {room: rest for room, rest in left.items() if room not in free}


def test_one_file_is_the_door_to_jax_internals() -> None:
    users = [
        file.name
        for file in PACKAGE.rglob("*.py")
        if any(name.startswith("jax._src") for name in imports(file, ".".join(file.relative_to(PACKAGE).with_suffix("").parts)))
    ]
    assert set(users) == {"jax_internals.py"}


@pytest.mark.parametrize(
    "file, line, said",
    [
        (
            "records/log.py",
            "from jupyter_jitmagic.base.errors import faults\nimport pandas",
            "records.log (records) imports pandas",
        ),
        (
            "base/errors.py",
            "def f():\n    from jupyter_jitmagic.records import log",
            "base.errors (errors) imports records.log (records)",
        ),
        ("base/errors.py", "from jupyter_jitmagic import records", "base.errors (errors) imports records (records)"),
        ("diagnosis/types.py", "from ..base.errors import faults", "diagnosis.types (advice) imports base.errors (errors)"),
        ("diagnosis/types.py", "from jax._src import core", "diagnosis.types (advice) imports jax._src"),
        (
            "sandbox/clock.py",
            "from jupyter_jitmagic.diagnosis.call import calls",
            "sandbox.clock (sandbox) imports diagnosis.call.calls (call)",
        ),
        ("magics/cell_tree.py", "import IPython.core.magic as m", "magics.cell_tree (cell) imports IPython"),
        ("magics/cell_tree.py", "import importlib\nimportlib.import_module('comm')", "magics.cell_tree (cell) imports comm"),
        ("display/x.py", "from jupyter_jitmagic.records.log import log\nimport comm", "display.x (display) imports comm"),
        ("novel.py", "", "novel has no room: add it to the table in test_imports.py and to ARCHITECTURE.md"),
    ],
)
def test_a_planted_import_is_found(tmp_path: Path, file: str, line: str, said: str) -> None:
    """The test above can fail: in a copy of the package with one bad import, exactly that one is named."""
    copy = tmp_path / NAME
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "labextension"))
    with (copy / file).open("a", encoding="utf-8") as planted:
        planted.write("\n" + line + "\n")
    assert [each for each in violations(copy) if each not in violations(PACKAGE)] == [said]


def test_no_room_has_the_name_of_something_public() -> None:
    """Importing `jupyter_jitmagic.lines` would put the room in the place of the function `jm.lines`."""
    import jupyter_jitmagic as jm

    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms and not rooms & set(jm._HOME)
