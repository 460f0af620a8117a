"""Loading and unloading: quick, silent, twice without harm, and without a trace."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest
from shells import Shell

import jupyter_jitmagic as jm


def hooks(shell: Shell) -> dict[str, Any]:
    """Everything of a shell that an extension could have touched."""
    ip = shell.ip
    manager = ip.input_transformer_manager
    return {
        "line magics": set(ip.magics_manager.magics["line"]),
        "cell magics": set(ip.magics_manager.magics["cell"]),
        "registry": set(ip.magics_manager.registry),
        "transformers": (len(manager.cleanup_transforms), len(manager.line_transforms), len(ip.ast_transformers)),
        "events": {name: len(callbacks) for name, callbacks in ip.events.callbacks.items()},
        "configurables": [type(each).__name__ for each in ip.configurables],
        "matchers": len(ip.Completer.custom_matchers),
        "names": set(ip.user_ns),
        "threads": threading.active_count(),
        "exception handlers": ip.custom_exceptions,
        "formatters": {
            mime: (len(formatter.type_printers), len(formatter.deferred_printers))
            for mime, formatter in ip.display_formatter.formatters.items()
        },
    }


def test_loading_prints_nothing(bare: Shell) -> None:
    assert bare.ok("%load_ext jupyter_jitmagic").text == ""


def test_loading_twice_changes_nothing_more(bare: Shell) -> None:
    import jupyter_jitmagic

    jupyter_jitmagic.load_ipython_extension(bare.ip)
    once = hooks(bare)
    jupyter_jitmagic.load_ipython_extension(bare.ip)
    assert hooks(bare) == once
    jupyter_jitmagic.unload_ipython_extension(bare.ip)


def test_unloading_leaves_no_trace(bare: Shell) -> None:
    import jupyter_jitmagic

    before = hooks(bare)
    jupyter_jitmagic.load_ipython_extension(bare.ip)
    assert hooks(bare) != before
    jupyter_jitmagic.unload_ipython_extension(bare.ip)
    assert hooks(bare) == before
    jupyter_jitmagic.unload_ipython_extension(bare.ip)


def test_unloading_stops_following_compiles(shell: Shell) -> None:
    from jupyter_jitmagic.recording.compiles import spans

    shell.ok("1")
    following = len(spans.outside)
    shell.ok("%unload_ext jupyter_jitmagic")
    assert len(spans.outside) == following - 1


def test_loaded_used_and_unloaded_in_one_cell_leaves_no_listener(bare: Shell) -> None:
    """What the cell used between the two is taken out, too, and no later cell brings it back."""
    from jupyter_jitmagic.recording.compiles import spans
    from jupyter_jitmagic.recording.recorder import recorder

    bare.ok("import jax, jupyter_jitmagic as jm")
    bare.run("%load_ext nothing")  # from here on IPython has its own magics for it
    recorder.stop()
    following = list(spans.outside)
    before = hooks(bare)
    use = "f = jm.jit(lambda x: x)\nf(1.0)\nwith jm.watch(quiet=True): f(2)"
    bare.ok(f"%load_ext jupyter_jitmagic\n{use}\n%unload_ext jupyter_jitmagic")
    for _ in range(2):
        assert not spans._installed and spans.outside == following
        assert hooks(bare) == before | {"names": hooks(bare)["names"]}
        bare.ok("1")


@pytest.mark.parametrize(
    "name, bad", [("keep_calls", -1), ("timing", "x"), ("keep_misses", "many"), ("off", 3), ("tell_after_s", None)]
)
def test_a_bad_value_in_the_configuration_is_one_line_and_never_told_again(bare: Shell, name: str, bad: Any) -> None:
    """Whether it was set while the extension was loaded or before; what is right beside it counts."""
    default = getattr(jm.options, name)
    for loaded in (True, False):
        if loaded:
            bare.ok("%load_ext jupyter_jitmagic")
            assert f"JitMagic.{name}=" in bare.ok(f"%config JitMagic.{name} = {bad!r}").stderr
            bare.ok("%unload_ext jupyter_jitmagic")
            assert bare.ok("%load_ext jupyter_jitmagic").text == ""
            bare.ok("%unload_ext jupyter_jitmagic")
        else:
            bare.ip.config.JitMagic.update({name: bad, "keep_entries": 77})
            (line,) = bare.ok("%load_ext jupyter_jitmagic").text.splitlines()
            assert line.startswith(f"JitMagic.{name}=") and f"it stays {default!r}" in line
            assert jm.options.keep_entries == 77
            bare.ok("%unload_ext jupyter_jitmagic")
            assert bare.ok("%load_ext jupyter_jitmagic").text == ""
        assert getattr(jm.options, name) == default
    jm.options.reset()


def test_unloading_gives_back_a_magic_of_the_same_name(bare: Shell) -> None:
    bare.ip.register_magic_function(lambda line, cell: "mine", "cell", "jit")
    bare.ok("%load_ext jupyter_jitmagic")
    bare.ok("%unload_ext jupyter_jitmagic")
    assert bare.ip.run_cell_magic("jit", "", "x") == "mine"


def test_reloading_works_and_jitted_functions_go_on(shell: Shell) -> None:
    shell.ok("%%jit\ndef f(x):\n    return x + 1")
    shell.ok("%unload_ext jupyter_jitmagic")
    assert shell.ok("f(1)").value == 2
    assert "not found" in shell.run("%%jit\ndef f(x):\n    return x").text
    shell.ok("%reload_ext jupyter_jitmagic")
    shell.ok("%%jit\ndef f(x):\n    return x")


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_loading_imports_no_heavy_library() -> None:
    """Neither pandas, libcst and comm nor JAX itself, nor our own rooms that need them."""
    out = run_python(
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "import jupyter_jitmagic\n"
        "assert jupyter_jitmagic.load_ipython_extension(shell) is None\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'pandas', 'libcst', 'comm', 'jax', 'numpy'}))\n"
        "finders = len(sys.meta_path)\n"
        "from importlib.util import find_spec\n"
        "assert find_spec('jax').loader.is_package('jax') and 'jax' not in sys.modules\n"
        "shell.run_cell('import jax\\nf = jax.jit(lambda x: x * 2)\\nf(1.0)')\n"
        "assert type(jax_spec := sys.modules['jax'].__spec__.loader).__module__.endswith('importlib_external'), jax_spec\n"
        "print(len(sys.meta_path) - finders, jupyter_jitmagic.stats('others')['function'].tolist())\n"
    )
    before, after = (line for line in out.splitlines() if line.startswith(("[", "-1")))
    assert before == "[]"
    assert after == "-1 ['<lambda>']", "the cell that imports JAX is followed, also where somebody looked for JAX before"


@pytest.mark.parametrize(
    "off, first", [("", "from jupyter_jitmagic import jit"), ("1", "from jupyter_jitmagic import watch, diagnose, jit")]
)
def test_jax_may_be_imported_by_our_own_names_after_loading(off: str, first: str) -> None:
    """What follows JAX's import finds our modules whole, whichever of them imports it; also where nothing is recorded."""
    code = (
        f"import os, sys; os.environ['JITMAGIC_OFF'] = '{off}'\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_cell('%load_ext jupyter_jitmagic').raise_error()\n"
        f"shell.run_cell({first!r} + '\\nf = jit(lambda x: x * 2)\\ny = f(1.0)').raise_error()\n"
        "import jupyter_jitmagic as jm\n"
        "from jupyter_jitmagic.recording.compiles import spans\n"
        "print(repr(jm.faults.details()), len(spans.outside))\n"
    )
    assert run_python(code).splitlines()[-1] == "'' 2"


def test_without_jax_one_plain_line() -> None:
    out = run_python(
        "import sys\n"
        "sys.modules['jax'] = None\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "import importlib.util as u\n"
        "real = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'jax' else real(name, *rest)\n"
        "InteractiveShell.instance().run_cell('%load_ext jupyter_jitmagic')\n"
    )
    assert out.strip() == "jupyter_jitmagic needs JAX, which is not installed here: %pip install jax"


def test_with_an_old_jax_one_plain_line() -> None:
    out = run_python(
        "import sys, types\n"
        "sys.modules['jax'] = types.ModuleType('jax'); sys.modules['jax'].__version__ = '0.4.30'\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "InteractiveShell.instance().run_cell('%load_ext jupyter_jitmagic')\n"
    )
    assert out.strip() == "jupyter_jitmagic needs JAX 0.10 or newer and this is 0.4.30: %pip install -U jax"


def test_public_names() -> None:
    """What the contract promises is there, listed by dir(), and nothing else pretends to be."""
    assert jm.__version__.count(".") == 2
    assert issubclass(jm.RecompileError, Exception)
    assert {"jit", "diagnose", "stats", "reset", "options", "faults", "RecompileError"} <= set(dir(jm))
    with pytest.raises(AttributeError, match="nonsense"):
        jm.nonsense  # noqa: B018


def test_cells_are_noted_under_their_own_numbers(bare: Shell) -> None:
    """Also while they run, whether IPython counts before it runs a cell or after."""
    from jupyter_jitmagic.records.log import log

    bare.ok("1")
    bare.ok("%load_ext jupyter_jitmagic")
    jm.reset()
    seen: list[int] = []
    bare.names["note"] = lambda: seen.append(log.cells[-1].number)
    wanted = []
    for _ in range(3):
        bare.ok("note()")
        wanted.append(len(bare.names["In"]) - 1)
    assert seen == wanted
    assert [cell.number for cell in log.cells] == wanted
    assert all(cell.ended_s is not None for cell in log.cells)
