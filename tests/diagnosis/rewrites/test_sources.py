"""Where functions come from: decorated, partial, methods, closures, callables, lambdas; and where they cannot be rewritten."""

import functools
import itertools
import linecache
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

X = jnp.array([3.0, -1.0])


def one(namespace, name, *args, **options):
    """The only rewrite of `namespace[name]` on these arguments."""
    fun = eval(name, namespace)  # noqa: S307
    proposals = propose(fun, args, {}, **options)
    assert proposals.rewrites, proposals
    return proposals.rewrites[0]


@pytest.mark.parametrize("decorator", ["@jax.jit", "@functools.partial(jax.jit, static_argnames='k')"])
def test_a_jitted_function_keeps_its_decorator_in_the_source(decorator):
    namespace = define(f"{decorator}\ndef f(x, k=2):\n    if x.sum() > 0:\n        x = x * k\n    return x\n")
    assert one(namespace, "f", X, static=("k",)).source.startswith(decorator)


def test_a_helper_under_its_own_jit_is_rewritten():
    source = "@jax.jit\ndef relu(x):\n    return x if x > 0 else 0.0 * x\n\ndef f(x):\n    return relu(x) + 1\n"
    namespace = define(source)
    rewrite = one(namespace, "f", jnp.array(1.0))  # as plain Python, without jit, the helper has values
    assert rewrite.sources["relu"].startswith("@jax.jit\ndef relu(x):") and rewrite.verified


def test_a_method_is_listed_as_class_and_name_and_the_class_stays():
    namespace = define("""
class Model:
    def __init__(self, w):
        self.w = w

    def step(self, x):
        # grows or not
        if (self.w * x).sum() > 0:
            return x * 2
        return x

m = Model(2.0)
""")
    before = namespace["Model"].step
    rewrite = one(namespace, "m.step", X)
    assert list(rewrite.sources) == ["Model.step"]
    assert rewrite.source.startswith("def step(self, x):") and "# grows or not" in rewrite.source
    assert namespace["Model"].step is before


def test_a_method_that_calls_another_method_that_must_change():
    namespace = define("""
class Model:
    def gate(self, x):
        return x if x > 0 else 0.0

    def step(self, x):
        return self.gate(x) * 2

m = Model()
""")
    assert list(one(namespace, "m.step", jnp.array(1.0)).sources) == ["Model.gate"]


def test_a_nested_function_comes_as_its_outermost_def_and_keeps_its_closure():
    namespace = define("""
def make(limit):
    def f(x):
        if x > limit:
            return x * 2
        return x
    return f

f = make(1.0)
""")
    rewrite = one(namespace, "f", jnp.array(3.0))
    assert rewrite.sources["make"].startswith("def make(limit):") and "f" in rewrite.sources


def test_a_lambda_keeps_its_name():
    namespace = define("f = lambda x, t: x * 2 if x > t else x  # doubling\n")
    assert one(namespace, "f", jnp.array(3.0), 0.0).sources == {
        "f": "f = lambda x, t: jnp.where(x > t, x * 2, x)  # doubling\n"
    }


def test_a_callable_object_is_rewritten_in_its_call():
    namespace = define("class F:\n    def __call__(self, x):\n        return x if x > 0 else -x\n\nf = F()\n")
    assert list(one(namespace, "f", jnp.array(3.0)).sources) == ["F.__call__"]


def test_a_decorator_of_the_users_is_kept():
    namespace = define("""
def doubled(fun):
    @functools.wraps(fun)
    def wrapper(*args):
        return fun(*args) * 2
    return wrapper

@doubled
def f(x):
    return x if x > 0 else -x
""")
    rewrite = one(namespace, "f", jnp.array(3.0))
    assert rewrite.sources["f"].startswith("@doubled\ndef f(x):")


def test_missing_imports_stand_inside():
    namespace = define("def f(x):\n    if x.sum() > 0:\n        return x * 2\n    return x\n", header="import math\n")
    rewrite = one(namespace, "f", X)
    assert rewrite.source.startswith("import jax.numpy as jnp\n\n\ndef f(x):")


def test_missing_imports_of_a_method_stand_in_its_body():
    source = "class M:\n    def step(self, x):\n        '''Doc.'''\n        return x if x.sum() > 0 else -x\n\nm = M()\n"
    rewrite = one(define(source, header=""), "m.step", X)
    assert rewrite.source.splitlines()[:3] == ["def step(self, x):", "    '''Doc.'''", "    import jax.numpy as jnp"]


def test_a_cell_with_a_magic_on_its_first_line_keeps_its_line_numbers():
    filename = "/tmp/ipykernel_1/magic.py"
    text = "%%jit --static n\ndef f(x):\n    return x if x > 0 else -x\n"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace = {}
    exec(compile("\n" + text.split("\n", 1)[1], filename, "exec"), namespace)
    assert one(namespace, "f", jnp.array(1.0)).changes[0].line == 3


def test_changed_source_is_said_and_nothing_is_rewritten(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("def f(x):\n    return x if x > 0 else -x\n")
    namespace = {}
    exec(compile(path.read_text(), str(path), "exec"), namespace)
    time.sleep(0.01)
    path.write_text("def f(x):\n    return x if x > 1 else -x\n")
    linecache.checkcache(str(path))
    proposals = propose(namespace["f"], (jnp.array(1.0),), {})
    assert not proposals.rewrites and "has changed since" in proposals.obstacles[0]


def _exec_function():
    namespace = {}
    exec("def f(x):\n    return x if x > 0 else -x\n", namespace)
    return namespace["f"]


async def _coroutine(x):
    return x if x > 0 else -x


def _generator(x):
    yield x if x > 0 else -x


@pytest.mark.filterwarnings("ignore:coroutine '_coroutine' was never awaited:RuntimeWarning")  # nobody can
@pytest.mark.parametrize("fun", [_exec_function(), abs, len, np.sin, _coroutine, _generator, functools.partial(max, 1.0), 3])
def test_what_has_no_source_or_is_no_plain_function_gives_an_honest_nothing(fun):
    """Never an exception of ours."""
    proposals = propose(fun, (jnp.array(1.0),), {})
    assert not proposals.rewrites


def test_an_endless_loop_on_the_calls_values_is_told_within_the_time():
    source = "def f(x):\n    while x < 10:\n        x = x * 1.0\n    return x\n"
    namespace = define(source)
    start = time.perf_counter()
    proposals = propose(namespace["f"], (jnp.array(1.0),), {}, seconds=0.5)
    assert time.perf_counter() - start < 10
    assert not proposals.rewrites and "runs too long" in proposals.unverified[0].reason


def test_random_numbers_of_the_host_are_not_drawn():
    namespace = define("import random\ndef f(x):\n    if x > 0:\n        x = x * random.random()\n    return x\n")
    state = namespace["random"].getstate()
    proposals = propose(
        namespace["f"],
        (jnp.array(1.0),),
        {},
    )
    assert not proposals.rewrites and namespace["random"].getstate() == state


@pytest.mark.parametrize(
    "line",
    [
        "self.n = 1",
        "STATE['n'] = 1",
        "global N; N = 1",
        "open('/dev/null')",
        "time.sleep(0)",
        "x.append(1)",
        "z = x[0]; z.append(1)",
        "STATE.update(n=1)",
    ],
)
def test_what_could_be_noticed_is_not_run(line):
    source = (
        f"import time\nSTATE = {{}}\nN = 0\ndef f(self, x, y):\n    {line}\n    if y > 0:\n        y = y * 2\n    return y\n"
    )
    namespace = define(source)

    class Thing:
        n = 0

    from jupyter_jitmagic.sandbox.purity import impurity

    reason, _ = impurity(namespace["f"], ())
    assert reason, line


def test_a_list_that_becomes_a_part_of_an_array_was_the_functions_own():
    source = (
        "def f(x):\n    s = []\n    for v in x:\n        if v > 0:\n            s.append(v)\n"
        "    s = jnp.sort(jnp.array(s))[::-1]\n    return s.sum()\n"
    )
    assert one(define(source), "f", jnp.array([1.0, -2.0, 3.0])).verified


def test_nothing_printed_reaches_the_user(capfd):
    namespace = define("def f(x):\n    print('noise')\n    return x if x > 0 else -x\n")
    assert one(namespace, "f", jnp.array(1.0)).verified
    jax.effects_barrier()
    assert "noise" not in capfd.readouterr().out


def test_with_running_switched_off_the_rewrite_is_traced_only():
    namespace = define("def f(x):\n    return x if x > 0 else -x\n")
    proposals = propose(namespace["f"], (jnp.array(1.0),), {}, run=False)
    assert not proposals.rewrites and "traced, not compared" in proposals.unverified[0].reason


def test_arguments_and_containers_of_the_user_stay_as_they_are():
    source = "def f(p):\n    if p['w'].sum() > 0:\n        p = {'w': p['w'] * 2}\n    return p\n"
    params = {"w": np.ones(3, np.float32)}
    check(source, (params,))
    assert params["w"].tolist() == [1.0, 1.0, 1.0]


def test_a_deleted_argument_is_no_fault_of_ours():
    namespace = define("def f(x):\n    return x if x.sum() > 0 else -x\n")
    x = jnp.ones(3)
    x.delete()
    assert not propose(namespace["f"], (x,), {}).rewrites


def test_a_very_long_function_is_rewritten_within_the_time():
    body = "".join(f"    x = x + {k % 7}.0\n" for k in range(600))
    namespace = define(f"def f(x):\n{body}    if x > 0:\n        x = x * 2\n    return x\n")
    proposals = propose(namespace["f"], (jnp.array(1.0),), {})
    assert proposals.rewrites or proposals.unverified


def test_another_module_of_the_user_is_followed(tmp_path, monkeypatch):
    name = f"users_helpers_{next(_names)}"
    (tmp_path / f"{name}.py").write_text("def relu(x):\n    return x if x > 0 else 0.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    namespace = define(f"import {name}\nfrom {name} import relu\ndef f(x):\n    return relu(x) + {name}.relu(-x)\n")
    rewrite = one(namespace, "f", jnp.array(1.0))
    assert rewrite.filenames["relu"].endswith(f"{name}.py")


_names = itertools.count(1)


def test_huge_arguments_are_traced_and_not_run():
    namespace = define("def f(x, t):\n    return x * 2 if t > 0 else x\n")
    proposals = propose(namespace["f"], (np.broadcast_to(np.float32(1), (1 << 30,)), jnp.float32(1.0)), {})
    assert not proposals.rewrites and "too large" in proposals.unverified[0].reason


def test_large_results_are_compared_too():
    namespace = define("def f(x, t):\n    return x * 2 if t > 0 else x\n")
    assert propose(namespace["f"], (jnp.ones(1 << 19), jnp.float32(1.0)), {}).rewrites
