"""What a failing function does beside computing must happen as often with advice as without: one kind of effect each.

``python -m tests.trials.effects`` tries all kinds, ``python -m tests.trials.effects NAME …`` these; prints what is wrong.

Each kind is a cell that makes something ready (`ready`), statements for the function's body (`effect`, before it fails) and an
expression that counts what they did (`count`). It is run once bare and once with advice.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import dedent, indent
from typing import Any, NamedTuple


class Kind(NamedTuple):
    ready: str
    effect: str
    count: str


_SLOTTED = "class Slotted:\n    __slots__ = ('n',)\n    def __init__(self): self.n = 0\nslotted = Slotted()"
_ATTRIBUTES = "class Plain:\n    total = 0\n    def __init__(self): self.n = 0; self.inner = {'a': [0]}\nplain = Plain()"
_SIZE = "os.path.getsize('log') if os.path.exists('log') else 0"
_FILE = "handle = open('log', 'a', buffering=1)"
_CURSOR = "db = sqlite3.connect('db.sqlite', isolation_level=None)\ndb.execute('create table t (x)')"
_ROWS = "db.execute('select count(*) from t').fetchone()"
_LOGGED = (
    "class Kept(logging.Handler):\n    def emit(self, record): kept.append(record)\nkept = []\n"
    "logger = logging.getLogger('trial'); logger.handlers[:] = [Kept()]; logger.setLevel(10)"
)

KINDS: dict[str, Kind] = {
    # files and the operating system
    "open_append": Kind("", "with open('log', 'a') as file: file.write('x')", _SIZE),
    "open_exclusive": Kind("n = [0]", "open(f'new{len(os.listdir())}', 'x').close()", "len(os.listdir())"),
    "open_bytes": Kind("", "with open('log', 'ab') as file: file.write(b'x')", _SIZE),
    "io_open": Kind("import io", "with io.open('log', 'a') as file: file.write('x')", _SIZE),
    "path_write": Kind("from pathlib import Path", "Path('log').write_text('x' * (Path('log').exists() + 1))", _SIZE),
    "path_touch": Kind("from pathlib import Path", "Path(f'f{len(os.listdir())}').touch()", "len(os.listdir())"),
    "path_unlink": Kind(
        "from pathlib import Path\nfor i in range(9): Path(str(i)).touch()",
        "sorted(Path('.').glob('[0-9]'))[0].unlink()",
        "len(os.listdir())",
    ),
    "handle": Kind(_FILE, "handle.write('x\\n')", _SIZE),
    "handle_print": Kind(_FILE, "print('x', file=handle)", _SIZE),
    "handle_method": Kind(_FILE + "\nwrite = handle.write", "write('x\\n')", _SIZE),
    "handle_in_list": Kind(_FILE + "\nhandles = [handle]", "handles[0].write('x\\n')", _SIZE),
    "handle_position": Kind(
        "open('log', 'w').write('abcdefghij' * 9)\nhandle = open('log')", "handle.read(1)", "handle.tell()"
    ),
    "handle_lines": Kind("open('log', 'w').write('a\\n' * 99)\nhandle = open('log')", "next(handle)", "len(list(handle))"),
    "descriptor": Kind("number = os.open('log', os.O_CREAT | os.O_WRONLY)", "os.write(number, b'x')", _SIZE),
    "os_open": Kind("", "number = os.open('log', os.O_CREAT | os.O_WRONLY | os.O_APPEND); os.write(number, b'x')", _SIZE),
    "os_open_new": Kind("", "os.open(str(len(os.listdir())), os.O_CREAT)", "len(os.listdir())"),
    "mkdir": Kind("", "os.mkdir(str(len(os.listdir())))", "len(os.listdir())"),
    "makedirs": Kind("", "os.makedirs(f'a/{len(os.listdir())}/b')", "len(os.listdir('.')) + len(os.listdir('a'))"),
    "rmdir": Kind("for i in range(9): os.mkdir(str(i))", "os.rmdir(sorted(os.listdir())[0])", "len(os.listdir())"),
    "rename": Kind("open('a', 'w').close()", "name = os.listdir()[0]; os.rename(name, name + 'a')", "os.listdir()"),
    "remove": Kind("for i in range(9): open(str(i), 'w').close()", "os.remove(sorted(os.listdir())[0])", "len(os.listdir())"),
    "symlink": Kind("", "os.symlink('x', str(len(os.listdir())))", "len(os.listdir())"),
    "truncate": Kind("open('a', 'w').write('x' * 99)", "os.truncate('a', os.path.getsize('a') - 1)", "os.path.getsize('a')"),
    "chmod": Kind(
        "open('a', 'w').close(); os.chmod('a', 0o600)", "os.chmod('a', os.stat('a').st_mode + 1)", "os.stat('a').st_mode"
    ),
    "chdir": Kind("", "os.makedirs('d', exist_ok=True); os.chdir('d')", "os.getcwd().count('/d')"),
    "umask": Kind("os.umask(0)", "os.umask(os.umask(0) + 1)", "os.umask(0)"),
    "system": Kind("", "os.system('echo x >> log')", _SIZE),
    "process": Kind("import subprocess", "subprocess.run('echo x >> log', shell=True)", _SIZE),
    "popen": Kind("", "os.popen('echo x >> log').read()", _SIZE),
    "environment": Kind("os.environ['TRIAL'] = ''", "os.environ['TRIAL'] += 'x'", "os.environ['TRIAL']"),
    "putenv": Kind(
        "calls = []", "os.environ.update(TRIAL2=os.environ.get('TRIAL2', '') + 'x')", "os.environ.pop('TRIAL2', '')"
    ),
    "copy": Kind("import shutil\nopen('a', 'w').close()", "shutil.copy('a', f'{len(os.listdir())}')", "len(os.listdir())"),
    "temporary": Kind("import tempfile", "tempfile.mkstemp(dir='.')", "len(os.listdir())"),
    "pickle": Kind("import pickle", "pickle.dump(1, open(f'p{len(os.listdir())}', 'wb'))", "len(os.listdir())"),
    "numpy_save": Kind("import numpy as np", "np.save(f'p{len(os.listdir())}', np.ones(2))", "len(os.listdir())"),
    "memmap": Kind("import numpy as np\nheld = np.memmap('m', 'u1', 'w+', shape=4)", "held[0] += 1", "int(held[0])"),
    "sqlite": Kind("import sqlite3\n" + _CURSOR, "db.execute('insert into t values (1)')", _ROWS),
    "sqlite_cursor": Kind(
        "import sqlite3\n" + _CURSOR + "\ncursor = db.cursor()", "cursor.execute('insert into t values (1)')", _ROWS
    ),
    "sqlite_opened": Kind(
        "import sqlite3\n" + _CURSOR,
        "with sqlite3.connect('db.sqlite') as other: other.execute('insert into t values (1)')",
        _ROWS,
    ),
    "socket": Kind(
        "import socket\none, other = socket.socketpair(); other.setblocking(False)",
        "one.send(b'x')",
        "len(other.recv(99))",
    ),
    "signal": Kind(
        "import signal\nsignal.signal(signal.SIGUSR2, signal.SIG_DFL)\nseen = []",
        "signal.signal(signal.SIGUSR2, lambda *_: None) is signal.SIG_DFL",
        "signal.signal(signal.SIGUSR2, signal.SIG_DFL) is not signal.SIG_DFL",
    ),
    "recursion_limit": Kind(
        "import sys; sys.setrecursionlimit(3000)",
        "sys.setrecursionlimit(sys.getrecursionlimit() + 1)",
        "sys.getrecursionlimit()",
    ),
    # Python's own objects
    "list": Kind("held = []", "held.append(1)", "held"),
    "list_item": Kind("held = [0]", "held[0] += 1", "held"),
    "long_list": Kind("held = [0] * 30_000", "held.append(1)", "len(held)"),
    "list_method": Kind("held = []\nadd = held.append", "add(1)", "held"),
    "dict": Kind("held = {}", "held[len(held)] = 1", "held"),
    "default_dict": Kind("import collections\nheld = collections.defaultdict(int)", "held['a'] += 1", "dict(held)"),
    "ordered_dict": Kind(
        "import collections\nheld = collections.OrderedDict(a=1, b=2)", "held.move_to_end(next(iter(held)))", "list(held)"
    ),
    "counter": Kind("import collections\nheld = collections.Counter()", "held['a'] += 1", "held"),
    "set": Kind("held = set()", "held.add(len(held))", "held"),
    "deque": Kind(
        "import collections\nheld = collections.deque(range(3), maxlen=3)", "held.append(len(held) + held[-1])", "list(held)"
    ),
    "deque_rotate": Kind("import collections\nheld = collections.deque(range(30))", "held.rotate(1)", "list(held)"),
    "bytearray": Kind("held = bytearray()", "held.append(1)", "held"),
    "array": Kind("import array\nheld = array.array('i')", "held.append(1)", "held"),
    "numpy": Kind("import numpy as np\nheld = np.zeros(2)", "held[0] += 1", "held.tolist()"),
    "numpy_objects": Kind("import numpy as np\nheld = np.array([[], None], dtype=object)", "held[0].append(1)", "held[0]"),
    "nested": Kind("held = {'a': ({'b': [[{'c': []}]]},)}", "held['a'][0]['b'][0][0]['c'].append(1)", "held"),
    "nested_deep": Kind(
        "held = []\nfor _ in range(40): held = [held]",
        "x0 = held\nwhile x0 and isinstance(x0[0], list): x0 = x0[0]\nx0.append(1)",
        "str(held)",
    ),
    "user_dict": Kind("class Held(dict): pass\nheld = Held()", "held[len(held)] = 1; held.n = len(held)", "(held, held.n)"),
    "attribute": Kind(_ATTRIBUTES, "plain.n += 1", "plain.n"),
    "inner_attribute": Kind(_ATTRIBUTES, "plain.inner['a'][0] += 1", "plain.inner"),
    "new_attribute": Kind(_ATTRIBUTES, "setattr(plain, f'a{len(vars(plain))}', 1)", "len(vars(plain))"),
    "class_attribute": Kind(_ATTRIBUTES, "Plain.total += 1", "Plain.total"),
    "slots": Kind(_SLOTTED, "slotted.n += 1", "slotted.n"),
    "new_slot": Kind("class Bare:\n    __slots__ = ('n',)\nbare = Bare()", "bare.n = 1", "hasattr(bare, 'n')"),
    "slots_in_list": Kind(_SLOTTED + "\nheld = [slotted]", "held[0].n += 1", "slotted.n"),
    "method": Kind(
        "class Tally:\n    def __init__(self): self.n = 0\n    def hit(self): self.n += 1\ntally = Tally()",
        "tally.hit()",
        "tally.n",
    ),
    "callable_object": Kind(
        "class Tally:\n    def __init__(self): self.n = 0\n    def __call__(self): self.n += 1\ntally = Tally()",
        "tally()",
        "tally.n",
    ),
    "namespace": Kind("import types\nheld = types.SimpleNamespace(n=0)", "held.n += 1", "held.n"),
    "function_attribute": Kind("def helper(): helper.n += 1\nhelper.n = 0", "helper()", "helper.n"),
    "global": Kind("total = 0\ndef add():\n    global total\n    total += 1", "add()", "total"),
    "new_global": Kind("", "global fresh; fresh = 1", "'fresh' in globals()"),
    "global_by_text": Kind("total = 0", "globals()['total'] += 1", "total"),
    "closure": Kind(
        "def made(n=0):\n    def add():\n        nonlocal n\n        n += 1\n        return n\n    return add\nadd = made()",
        "add()",
        "add()",
    ),
    "default": Kind("def add(held=[]):\n    held.append(1)\n    return held", "add()", "len(add())"),
    "keyword_default": Kind("def add(*, held=[]):\n    held.append(1)\n    return held", "add()", "len(add())"),
    "module_attribute": Kind("import types\nmodule = types.ModuleType('m'); module.n = 0", "module.n += 1", "module.n"),
    "sys_path": Kind("import sys", "sys.path.append('x')", "(sys.path.count('x'), sys.path.remove('x'))"),
    "lru_cache": Kind("import functools\n@functools.lru_cache\ndef kept(n): return n", "kept(3)", "kept.cache_info()"),
    "cached_property": Kind(
        "import functools\nclass Held:\n    @functools.cached_property\n    def a(self): return 1\nheld = Held()",
        "held.a",
        "vars(held)",
    ),
    # what goes on and cannot be taken back
    "iterator": Kind("held = iter(range(99))", "next(held)", "len(list(held))"),
    "list_iterator": Kind("held = iter([1] * 99)", "next(held)", "len(list(held))"),
    "iterator_for": Kind("held = iter(range(99))", "for _ in held: break", "len(list(held))"),
    "own_iterator": Kind(
        "class Own:\n    n = 0\n    def __iter__(self): return self\n    def __next__(self): self.n += 1\nheld = Own()",
        "next(held)",
        "held.n",
    ),
    "generator": Kind("held = (i for i in range(99))", "next(held)", "len(list(held))"),
    "generator_send": Kind(
        "def numbers():\n    n = 0\n    while True: n += (yield n) or 0\nheld = numbers(); next(held)",
        "held.send(1)",
        "held.send(0)",
    ),
    "count": Kind("import itertools\nheld = itertools.count()", "next(held)", "next(held)"),
    "zip": Kind("held = zip(range(99), range(99))", "next(held)", "len(list(held))"),
    "iterator_in_dict": Kind("held = {'a': iter(range(99))}", "next(held['a'])", "len(list(held['a']))"),
    "iterator_in_closure": Kind(
        "def made():\n    numbers = iter(range(99))\n    return lambda: next(numbers)\nadvance = made()",
        "advance()",
        "advance()",
    ),
    "string_io": Kind("import io\nheld = io.StringIO()", "held.write('x')", "held.getvalue()"),
    "lock": Kind("import threading\nheld = threading.Lock()", "held.acquire(blocking=False)", "held.locked()"),
    "semaphore": Kind("import threading\nheld = threading.Semaphore(99)", "held.acquire()", "held._value"),
    "event": Kind("import threading\nheld = threading.Event()", "held.set()", "held.is_set()"),
    "thread": Kind(
        "import threading\nheld = []", "t = threading.Thread(target=held.append, args=(1,)); t.start(); t.join()", "held"
    ),
    "queue": Kind("import queue\nheld = queue.Queue()", "held.put(1)", "held.qsize()"),
    "simple_queue": Kind("import queue\nheld = queue.SimpleQueue()", "held.put(1)", "held.qsize()"),
    "executor": Kind(
        "import concurrent.futures\nheld = []\npool = concurrent.futures.ThreadPoolExecutor(1)",
        "pool.submit(held.append, 1).result()",
        "held",
    ),
    "logging": Kind("import logging\n" + _LOGGED, "logger.warning('x')", "len(kept)"),
    "logging_root": Kind("import logging\n" + _LOGGED, "logging.getLogger('trial').warning('x')", "len(kept)"),
    "warning_filters": Kind(
        "import warnings\nbefore = len(warnings.filters)",
        "warnings.simplefilter('ignore', UserWarning, lineno=len(warnings.filters))",
        "len(warnings.filters) - before",
    ),
    "random": Kind("import random\nrandom.seed(0)", "random.random()", "random.random()"),
    "numpy_random": Kind("import numpy as np\nnp.random.seed(0)", "np.random.rand()", "np.random.rand()"),
    "own_random": Kind("import random\nheld = random.Random(0)", "held.random()", "held.random()"),
    "numpy_generator": Kind("import numpy as np\nheld = np.random.default_rng(0)", "held.random()", "held.random()"),
    "numpy_state": Kind("import numpy as np\nheld = np.random.RandomState(0)", "held.rand()", "held.rand()"),
    "context_variable": Kind(
        "import contextvars\nheld = contextvars.ContextVar('held', default=0)", "held.set(held.get() + 1)", "held.get()"
    ),
    "numpy_errors": Kind("import numpy as np", "np.seterr(all='ignore')", "(np.geterr(), np.seterr(all='warn')) and 0"),
    "weak_dictionary": Kind(
        "import weakref\nclass Key: pass\nkeys = [Key() for _ in range(9)]\nheld = weakref.WeakKeyDictionary()",
        "held[keys[len(held)]] = 1",
        "len(held)",
    ),
    "finalizer": Kind(
        "import weakref\nclass Key: pass\nkey = Key()\ncalled = []",
        "weakref.finalize(key, called.append, 1)",
        "sum(info.func == called.append for info in weakref.finalize._registry.values())",
    ),
    "exit_handler": Kind(
        "import atexit\nbefore = atexit._ncallbacks()", "atexit.register(len, 'x')", "atexit._ncallbacks() - before"
    ),
    "made_at_run_time": Kind("held = []", "exec('held.append(1)')", "held"),
    "sleep": Kind("import time\ndef rest(): time.sleep(0.01); open('log', 'a').write('x')", "rest()", _SIZE),
    "jax_configuration": Kind(
        "import jax\nbefore = jax.config.jax_log_compiles",
        "jax.config.update('jax_log_compiles', not jax.config.jax_log_compiles)",
        "(jax.config.jax_log_compiles, jax.config.update('jax_log_compiles', before))",
    ),
    # beyond the user's own objects
    "attribute_of_a_library": Kind("import string; string.n = 0", "string.n += 1", "string.n"),
    "attribute_of_sys": Kind("sys.n = 0", "setattr(sys, 'n', sys.n + 1)", "sys.n"),
    "attribute_of_an_import": Kind("import string; string.n = 0", "import string; string.n += 1", "string.n"),
    "attribute_of_a_library_class": Kind(
        "import string; string.Formatter.n = 0", "string.Formatter.n += 1", "string.Formatter.n"
    ),
    "context_variable_held": Kind(
        "import contextvars; held = contextvars.ContextVar('held'); held.set([]) and None",
        "held.get().append(1)",
        "len(held.get())",
    ),
    "bound_next": Kind("import itertools; advance = itertools.count().__next__", "advance()", "advance()"),
    "array_resized": Kind(
        "import numpy as np; grown = np.zeros(3)", "grown.resize(len(grown) + 1, refcheck=False)", "grown.shape"
    ),
    "array_reshaped": Kind("import numpy as np; flat = np.zeros(1)", "flat.shape = (1, *flat.shape)", "flat.shape"),
    "number_with_attributes": Kind("class Number(int): pass\nnumber = Number(3); number.n = 0", "number.n += 1", "number.n"),
    "attribute_made_when_asked": Kind(
        "asked = []\nclass Lazy:\n    def __getattr__(self, name): asked.append(name); return 1\nlazy = Lazy()",
        "lazy.anything",
        "len(asked)",
    ),
    "decimal_context": Kind(
        "import decimal; decimal.getcontext().prec = 28", "decimal.getcontext().prec += 1", "decimal.getcontext().prec"
    ),
}

_CELL = """\
def f(x, n):
    {effect}
    return jnp.zeros(n) + x

f(1.0, 3)"""
_SHORT = (
    "attribute_of_a_library",
    "attribute_of_sys",
    "attribute_of_a_library_class",
    "context_variable_held",
    "bound_next",
    "array_resized",
    "array_reshaped",
    "number_with_attributes",
    "attribute_made_when_asked",
    "decimal_context",
    "open_append",
    "handle",
    "mkdir",
    "system",
    "sqlite",
    "environment",
    "descriptor",
    "deque",
    "slots",
    "nested_deep",
    "long_list",
)
_SHORT += (
    "iterator",
    "generator",
    "semaphore",
    "thread",
    "queue",
    "logging",
    "numpy_generator",
    "lru_cache",
    "bytearray",
    "closure",
)
SHORT = _SHORT


def body(kind: Kind) -> str:
    return _CELL.format(effect=indent(dedent(kind.effect), "    ").strip())


@contextmanager
def elsewhere() -> Iterator[None]:
    """An empty folder to work in; afterwards the process is as it was."""
    before, path, mask = os.getcwd(), list(sys.path), os.umask(0)
    os.umask(mask)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)
            os.umask(mask)
            sys.path[:] = path


def counted(shell: Any, kind: Kind, decorator: str) -> str:
    """What the effect came to after one failing call under this decorator, in a shell with IPython's own cells."""
    with elsewhere():
        shell.ok("import os, sys\n" + kind.ready)
        ran = shell.run(f"@{decorator}\n{body(kind)}")
        assert ran.error is not None
        text = repr(shell.ok(kind.count).value)
    if decorator == "jm.jit":
        assert "f cannot be traced" in ran.text or "f fails" in ran.text, ran.text
    return text


def wrong(name: str, shell: Any) -> str:
    """What is wrong with the kind of this name, "" if nothing is."""
    kind = KINDS[name]
    shell.ok("import jupyter_jitmagic as jm")
    bare, advised = counted(shell, kind, "jax.jit"), counted(shell, kind, "jm.jit")
    return "" if bare == advised else f"{name}: {bare} without advice, {advised} with it"


def main(names: list[str]) -> int:
    from tests.shells import make_shell

    shell = make_shell()
    shell.ok("%load_ext jupyter_jitmagic\nimport jax\nimport jax.numpy as jnp")
    found = [text for name in names or KINDS if (text := wrong(name, shell))]
    for text in found:
        print(text)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
