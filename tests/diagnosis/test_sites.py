"""Where Python needs a traced value: every such line in one pass, and no line that JAX would trace."""

import functools
import linecache
import zlib
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis import diagnose, find_sites
from jupyter_jitmagic.diagnosis.sites.finding import one_for_each_line
from jupyter_jitmagic.diagnosis.types import Found


def met(fun, *args, static=(), **kwargs):
    return [(site.operation, site.arguments) for site in find_sites(fun, args, kwargs, static).sites]


X = jnp.arange(3.0)


def written(source):
    """The function `f` of this source, as a notebook's cell defines it (pytest rewrites a test module's own asserts)."""
    filename = f"<cell {zlib.crc32(source.encode())}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    names = {}
    exec(compile(source, filename, "exec"), names)
    return names["f"]


asserted = written("def f(x):\n    assert x[0] > -10, 'too small'\n    return x\n")


@pytest.mark.parametrize(
    ("body", "operation", "tested"),
    [
        ("if x:\n        pass", "if", "x"),
        ("if (\n        x):\n        pass", "if", "x"),
        ("if not x:\n        pass", "if", "x"),
        ("while x:\n        x = x - 1", "while", "x"),
        ("assert x", "assert", "x"),
        ("y = 1 if x else 2", "ternary", "x"),
        ("y = [x][0]\n    if [x][0]:\n        pass", "if", "[x][0]"),
        ("if abs(x).any():\n        pass", "if", "abs(x).any()"),
        ("while not x.all():\n        x = x + 1", "while", "x.all()"),
        ("y = [v for v in (1, 2) if x.any()]", "if", "x.any()"),
    ],
)
def test_a_bare_value_that_is_tested_is_told_from_its_statement(body, operation, tested):
    f = written(f"def f(x):\n    {body}\n    return x\n")
    site = find_sites(f, (1.0,), {}).sites[0]
    assert site.operation == operation
    line = linecache.getline(site.filename, site.line)
    assert line[site.column : site.end_column] == tested


def test_a_masked_assignment_is_one_site_and_needs_no_value_of_the_mask():
    f = written("def f(x):\n    x[x < 2] = 0\n    return x\n")
    assert [name for name, _ in met(f, X)] == ["in place"]


def test_every_site_is_found_in_one_pass_also_behind_the_first_failure():
    def f(x, n, key):
        if x.sum() > 0:
            x = x + 1
        out = jnp.zeros(n)
        for _ in range(n):
            out = out + 1
        y = float(x[1]) + np.log(x)[0]
        return x[x > 1], y, jax.random.split(key, n), f"{x[0]:.2f}", x[:n], jnp.round(x, n), {3: 1}[n]

    found = [operation for operation, _ in met(f, X, 3, jax.random.key(0))]
    assert found[:5] == ["if", "shape", "range", "float", "numpy"]
    assert found[5:] == ["mask", "static parameter", "format", "slice", "static parameter", "index"]


@pytest.mark.parametrize(
    ("fun", "args", "operation"),
    [
        (lambda x: x if x > 0 else -x, (1.0,), "ternary"),
        (lambda x: not x, (1.0,), "not"),
        (lambda x: x and 2, (1.0,), "and"),
        (lambda x: max(x, 2), (1.0,), "max"),
        (lambda x: sorted([x, 2.0]), (1.0,), "sorted"),
        (lambda x: x in (1, 2), (1.0,), "in"),
        (lambda x: [1, 2][x], (1,), "index"),
        (lambda x: x.item(), (X[0],), "item"),
        (lambda x: [0.0] * x, (2,), "index"),
        (lambda x: "%d" % x, (2,), "int"),  # noqa: UP031
        (asserted, (X,), "assert"),
        (lambda x: any(x > 1), (X,), "any"),
        (lambda x: 0 < x < 3, (1.0,), "bool"),
        (lambda x: x.tolist(), (X,), "item"),
        (lambda x: complex(x, 1.0), (1.0,), "complex"),
    ],
)
def test_the_operation_is_named_as_a_person_sees_it(fun, args, operation):
    assert [name for name, _ in met(fun, *args)] == [operation]


@pytest.mark.parametrize(
    ("fun", "args"),
    [
        (lambda x: x == None, (1.0,)),  # noqa: E711
        (lambda x: (str(x), f"{x}", repr(x)) and x, (1.0,)),
        (lambda x: round(x, 2) + sum(x for x in [x, x]), (1.0,)),
        (lambda x: np.sum(x) + np.mean(x) + np.max(x), (X,)),
        (lambda x: next(iter(x)) + sum(a for a in x) + len(x), (X,)),
        (lambda x, n: jax.lax.fori_loop(0, n, lambda i, c: c + i, x), (X, 3)),
        (lambda x, n: jnp.roll(x, n) + jnp.eye(3, k=n)[0], (X, 1)),
        (lambda x, n: x**n, (X, 2)),
        (lambda x, n: n in (n,), (X, 2)),
    ],
)
def test_what_jax_traces_is_no_site(fun, args):
    found = find_sites(fun, args, {})
    assert found.sites == () and found.complete


def test_a_concretization_that_the_user_catches_is_no_site():
    def f(x, n):
        try:
            k = int(n)
        except TypeError:
            k = 1
        return x * k

    assert met(f, X, 3) == []


def test_a_handler_for_something_else_hides_no_site():
    def f(x, n):
        try:
            return x * TABLE[n]
        except KeyError:
            return x

    assert met(f, X, 1) == [("index", ("n",))]


TABLE = {1: 2.0}


def test_arguments_are_paths_in_the_function_s_own_parameters():
    def f(cfg, params, *rest, **options):
        if cfg["a"][0] > 1 and params[0].w > rest[1] and options["s"] > 0:
            return 1.0
        return 2.0

    @jax.tree_util.register_dataclass
    @dataclass
    class P:
        w: float

    found = find_sites(f, ({"a": (2.0,)}, [P(3.0)], 0, 1), {"s": 1.0}).sites
    assert one_for_each_line(found)[0].arguments == ("cfg['a'][0]", "params[0].w", "rest[1]", "s")


def test_sites_lie_in_helpers_closures_and_bodies_that_jax_traces():
    def helper(k):
        return jnp.ones(k)

    def f(x, n):
        def body(carry, row):
            return carry + helper(n * 2).sum(), row

        a = jax.lax.scan(body, 0.0, x)[0]
        b = jax.vmap(lambda row: row * jnp.zeros(n))(x)
        c = jax.grad(lambda y: y.sum() if y.sum() > 1 else y.max())(x)
        return a, b, c

    found = one_for_each_line(find_sites(f, (X, 2), {}).sites)
    assert [site.arguments for site in found] == [("n",), ("n",), ("x",)]
    assert [site.function for site in found] == ["helper", "<lambda>", "<lambda>"]


def test_numbers_made_by_jnp_are_traced_even_from_static_arguments():
    found = find_sites(lambda n: jnp.zeros(int(jnp.sqrt(n))), (4,), {})
    assert found.numbers == (False,)
    assert find_sites(lambda n: jnp.zeros(n // 2), (4,), {}).numbers == (True,)


def test_positions_and_observed_values_are_exact():
    def f(x):
        while x > 1.0:
            x = x / 2
        return x

    found = find_sites(f, (4.0,), {})
    site = found.sites[0]
    assert site.code == "while x > 1.0:"
    assert (site.line, site.column, site.end_column) == (f.__code__.co_firstlineno + 1, 14, 21)
    assert found.observed == ((True, True, False),)


def test_options_objects_tell_which_field_is_needed():
    @dataclass(frozen=True)
    class Options:
        n: int = 2
        kind: str = "a"
        scale: float = 2.0

    def f(x, options):
        if options.kind == "a":
            x = x * options.scale
        return jnp.zeros(options.n) + x[0]

    assert met(f, X, Options()) == [("if", ("options.kind",)), ("shape", ("options.n",))]


def test_a_cache_of_the_user_s_keeps_nothing_of_the_run():
    @functools.lru_cache
    def table(n):
        return jnp.arange(n)

    def f(x, n):
        return x + table(n)[0]

    assert met(f, X, 3)[0] == ("hash", ("n",))
    assert table(3).shape == (3,) and not isinstance(table(3), jax.core.Tracer)


def test_an_endless_loop_on_concrete_values_ends():
    def f(x):
        while x > 0:
            x = x + 1.0
        return x

    found = find_sites(f, (1.0,), {}, seconds=0.2)
    assert [site.operation for site in found.sites] == ["while"]


def test_the_run_goes_on_behind_an_assignment_in_place():
    def f(x):
        before = x * 2
        x[0] = -1.0
        if before[0] > 0 and x[0] < 0:
            x[1] = 5.0
        return x

    given = np.ones(3)
    found = find_sites(f, (given,), {})
    assert [site.operation for site in one_for_each_line(found.sites)] == ["in place", "if", "in place"]
    assert found.complete and list(given) == [1.0, 1.0, 1.0]


def test_the_operand_is_marked_whose_truth_was_asked_for() -> None:
    """In characters, whatever stands before it on its line, and on every Python."""

    source = """
def f(t):
    a = "äöü→" and (t > 0 and 1)
    b = t or 2
    c = [each for each in (1,) if t if a]
    d = not t
    while not (t < 3):
        break
    assert d or t, "ä"
    return 1 if "→" and t - 2 else (b, c)
"""
    sites = find_sites(written(source), (jnp.float32(7),), {}).sites
    marked = [source.splitlines()[site.line - 1][site.column : site.end_column] for site in sites]
    assert marked == ["t > 0", "t", "t", "t", "t < 3", "t", "t - 2"]


def test_a_long_loop_of_jaxs_own_is_compiled_in_the_run_that_finds_sites():
    """By NumPy its rounds would take the time that the sites behind it need."""

    def fun(x):
        total = jax.lax.fori_loop(0, 300_000, lambda i, s: s + x[0] * 1e-6, 0.0)
        if total > 0.1:
            x = x * 2
        return x if x[1] > 0 else -x

    found = find_sites(fun, (jnp.array([1.0, -1.0]),), {}, seconds=30.0)
    assert [site.code for site in found.sites] == ["if total > 0.1:", "return x if x[1] > 0 else -x"]


def test_what_looks_closely_at_tracers_and_ends_our_run_is_not_the_place():
    """JAX's own trace went on there: its error names the line."""
    fun = written(
        "def f(x):\n    if 'Shadow' in type(x).__name__:\n        raise ValueError('of another level')\n"
        "    if x.sum() > 0:\n        return x\n    return -x\n"
    )
    found = diagnose(fun, jnp.ones(3))
    assert found.kind == "rewrite" and [site.code for site in found.sites] == ["if x.sum() > 0:"]


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        ("collections.deque(x, maxlen=n + 1)", "n"),
        ("list(itertools.permutations((1, 2, 3), n))", "n"),
        ("collections.deque(x, n, 'too many')", None),
    ],
)
def test_a_function_in_c_that_takes_an_integer_and_asks_a_tracer_for_none_is_a_site(made, wanted):
    """It looks at the type alone: `an integer is required` had no site, and so no static argument. No site where plain Python
    fails in the same way."""
    f = written(f"import collections, itertools\ndef f(x, n):\n    held = {made}\n    return x[0] * len(held)\n")
    if wanted is None:
        assert not find_sites(f, (X, 2), {}).sites
        return
    assert met(f, X, 2) == [("integer", (wanted,))]
    found = diagnose(f, X, 2)
    assert (found.kind, found.static_argnames, found.verified) == ("static", (wanted,), True)


def test_runs_that_are_cut_off_have_other_shapes_by_what_both_came_to():
    """In another order is the same; a list that grows is not compared beyond the shorter run."""
    grown = Found(shapes=((1,), (2,), (3,)))
    assert not grown.has_other_shapes(Found(shapes=((2,), (1,))))
    assert not grown.has_other_shapes(Found(shapes=((1,), (2,), (3,), (4,))))
    assert grown.has_other_shapes(Found(shapes=((1,), (5,))))
    assert Found(shapes=((1,),), complete=True).has_other_shapes(Found(shapes=((1,), (2,)), complete=True))
