"""What functions are known to do to the world, by module and name.

`unannounced` is what Python tells no audit hook of, so that `effects` could not stop it: `reach` refuses a function that
may do it. `noticed` is all that makes a run more than its result, which others could notice or which comes out otherwise each
time: `purity` asks for it.
"""

from __future__ import annotations

import builtins
from typing import Any

from jupyter_jitmagic.base.looking import attribute, text_attribute
from jupyter_jitmagic.sandbox import undo

FILTERS = "it changes the filters of warnings"
CHANGES_A_LOGGER = frozenset(
    {"setLevel", "addHandler", "removeHandler", "addFilter", "removeFilter", "handlers", "propagate", "disabled", "makeRecord"}
)
"""Attributes of a logger by which it is changed, or that reach its handlers."""

MUTATORS = frozenset(
    {
        "add", "append", "clear", "discard", "extend", "fill", "insert", "pop", "popitem", "put", "remove", "reverse",
        "setdefault", "sort", "update", "write", "writelines",
    }
)  # fmt: skip
"""Methods that change what they are called of."""

# By module: what its functions do, the names of those that do it, and the names of those that do not ("*": all others do)
_UNANNOUNCED: dict[str, tuple[str, str, str]] = {
    "logging": (
        "it changes what is logged",
        "*",
        "debug info warning warn error critical exception log isEnabledFor getEffectiveLevel getLogger getLevelName",
    ),  # `streams` takes the lines
    "matplotlib": ("it draws a figure", "*", ""),
    "wandb": ("it reports to a tracker", "*", ""),
    "mlflow": ("it reports to a tracker", "*", ""),
    "IPython": ("it shows something", "*", ""),
    "multiprocessing": ("it starts a process", "*", "cpu_count"),
    "concurrent": ("it starts a thread", "*", ""),
    "asyncio": ("it uses an event loop", "*", ""),
    "atexit": ("it changes what is done at exit", "*", ""),
    "faulthandler": ("it changes the interpreter", "*", ""),
    "signal": ("it changes a signal's handler", "*", "getsignal strsignal valid_signals Signals"),
    "_signal": ("it changes a signal's handler", "*", "getsignal strsignal valid_signals"),
    "gc": (
        "it changes the garbage collector",
        "*",
        "get_objects get_referrers get_referents get_stats get_count is_tracked isenabled",
    ),
    "_asyncio": ("it uses an event loop", "*", ""),
    "tracemalloc": ("it changes the interpreter", "*", "is_tracing get_traced_memory"),
    "_tracemalloc": ("it changes the interpreter", "*", "is_tracing get_traced_memory get_tracemalloc_memory"),
    "locale": ("it changes the locale", "setlocale resetlocale", ""),
    "_locale": ("it changes the locale", "setlocale", ""),
    "time": ("it sleeps", "sleep", ""),
    "sys": (
        "it changes the interpreter",
        "setrecursionlimit setswitchinterval settrace setprofile addaudithook set_asyncgen_hooks set_int_max_str_digits",
        "",
    ),
    "threading": ("it starts a thread", "Thread Timer settrace setprofile stack_size", ""),
    "_thread": ("it uses threads", "interrupt_main start_new_thread start_new exit stack_size", ""),
    "warnings": (FILTERS, "simplefilter filterwarnings resetwarnings", ""),
    "weakref": ("it registers a finalizer", "finalize", ""),
    "decimal": ("it changes the context of decimals", "getcontext setcontext", ""),
    "_decimal": ("it changes the context of decimals", "getcontext setcontext", ""),
    "importlib": ("it loads a module again", "reload", ""),
    "numpy": ("it changes NumPy's settings", "set_printoptions setbufsize seterrcall set_string_function", ""),
    "jax.monitoring": ("it changes what JAX tells", "*", ""),
    "jax._src.monitoring": ("it changes what JAX tells", "*", ""),
    "jax.profiler": ("it uses the profiler", "*", "annotate_function TraceAnnotation StepTraceAnnotation"),
    "jax._src.profiler": ("it uses the profiler", "*", "annotate_function TraceAnnotation StepTraceAnnotation"),
    "jax.distributed": ("it uses the network", "*", ""),
    "jax._src.distributed": ("it uses the network", "*", "is_initialized"),
    "jax": (
        "it changes JAX's state",
        "clear_caches clear_backends register_pytree_node register_pytree_with_keys register_dataclass "
        "register_pytree_node_class register_static register_pytree_with_keys_class",
        "",
    ),
    "builtins": ("it runs code made at run time", "exec eval", ""),
}  # fmt: skip
_DESCRIPTORS = (
    "write read close dup pipe fsync umask nice ftruncate sendfile abort mkfifo mknod lseek closerange dup2 _exit pwrite "
    "writev pwritev setuid setgid setpgid setsid sync wait waitpid copy_file_range splice eventfd eventfd_write readv fchdir "
    "posix_fallocate fdatasync"
)
_UNANNOUNCED["os"] = _UNANNOUNCED["posix"] = _UNANNOUNCED["nt"] = ("it uses file descriptors or the process", _DESCRIPTORS, "")
_BUILTINS = {"input": "it waits for the keyboard", "breakpoint": "it starts a debugger"}


def unannounced(function: Any) -> str:
    """What a function (or a class, when it is called) does to the process without Python announcing it; "" for any other."""
    if not callable(function):
        return ""
    name = function.__name__ if isinstance(function, type) else str(undo.attribute(function, "__name__"))
    module = str(attribute(function, "__module__", None) or "")
    for beginning, (what, does, does_not) in _UNANNOUNCED.items():
        if _is_in(module, beginning) and name not in does_not.split() and (does == "*" or name in does.split()):
            return what
    is_builtin = module == "builtins" and getattr(builtins, name, undo.ABSENT) is function
    return _BUILTINS.get(name, "") if is_builtin else ""


_NOTICED = {
    "time": "the time",
    "datetime": "the time",
    "random": "host randomness",
    "secrets": "host randomness",
    "uuid": "host randomness",
    "numpy.random": "host randomness",
    "os": "the operating system",
    "sys": "the interpreter",
    "io": "files",
    "shutil": "files",
    "pathlib": "files",
    "pickle": "files",
    "tempfile": "files",
    "h5py": "files",
    "sqlite3": "a database",
    "subprocess": "other processes",
    "threading": "threads",
    "socket": "the network",
    "requests": "the network",
    "urllib": "the network",
    "httpx": "the network",
}
_ALONE = {
    "datetime": frozenset({"now", "today", "utcnow"}),
    "uuid": frozenset({"uuid1", "uuid4", "uuid6", "uuid7", "uuid8", "getnode"}),
}
"""Of these modules what asks the world: a `timedelta` is a number."""
_FILES = frozenset({"save", "savez", "savetxt", "tofile", "load", "loadtxt", "fromfile", "memmap"})


def noticed(function: Any, module: str) -> str:
    """What a run of a function shows or takes of the world, in words; "" for nothing known.

    Args:
        function: the function, None where it is not known.
        module: the module it is called as part of, as "numpy.random".
    """
    if deed := unannounced(function):
        return deed
    name = text_attribute(function, "__name__")
    if function is builtins.open or (name in _FILES and module in ("numpy", "jax.numpy", "scipy.io")):
        return "it uses files"
    owner = attribute(function, "__self__", None)  # of a method that a name of its own stands for: `now = datetime.now`
    owners = str((owner if isinstance(owner, type) else type(owner)).__module__)
    modules = (str(attribute(function, "__module__", None) or ""), owners, module)
    parts = [
        part
        for part in _NOTICED
        if any(_is_in(each, part) for each in modules) and (not name or name in _ALONE.get(part, (name,)))
    ]
    return f"it uses {_NOTICED[parts[0]]}" if parts else ""


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
