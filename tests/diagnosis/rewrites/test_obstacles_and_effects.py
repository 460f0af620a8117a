"""What stands in the way is said; what falls away, is copied or lies close by is told apart."""

from __future__ import annotations

import warnings

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis import diagnose
from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, check, define

X = jnp.array([0.5, 2.0, -1.0])


def test_branches_of_different_shapes_are_said_to_stand_in_the_way():
    f = define("def f(x):\n    if x[0] > 0:\n        return x\n    return jnp.zeros(1)\n")["f"]
    diagnosis = diagnose(f, X)
    assert diagnosis.kind == "rewrite" and not diagnosis.rewrites
    assert "different shapes (float32[3] and float32[1])" in diagnosis.reason


def test_what_is_put_into_a_list_born_in_a_branch_is_no_effect():
    check(
        "def f(x):\n    if x.sum() > 0:\n        out = []\n        for v in x:\n"
        "            out.append(v * 2)\n        return jnp.array(out)\n    return x\n",
        (X,),
        (-X,),
        (X[:1],),
    )


def test_what_is_put_into_a_list_from_before_a_branch_is_one():
    f = define(
        "def f(x, out):\n    if x.sum() > 0:\n        if x[0] > 1:\n            out = []\n        out.append(x[0])\n"
        "        return x * len(out)\n    return x\n"
    )["f"]
    assert not diagnose(f, X, [1.0]).rewrites


def test_helpers_without_a_blank_line_between_them_are_told_apart():
    check(
        "def g(v):\n    if v > 1:\n        return v\n    return 1.0\n"
        "def f(x):\n    y = g(x[0]) + g(x[1])\n    if y > 3:\n        y = y - 3\n    return y\n",
        (X,),
        (-X,),
        (3 * X,),
    )


def test_a_branch_that_changes_nothing_read_later_falls_away():
    proposals = check(
        "def f(x, k):\n    if x[0] > k:\n        debt = x.sum()\n    else:\n        credit = k\n    return x * k\n",
        (X, 0.0),
        (X, 9.0),
    )
    assert "debt" not in proposals.rewrites[0].source


def test_a_tuple_after_a_parenthesis_is_returned_whole():
    check(
        "def f(x, k):\n    if x[0] > 0:\n        return x * 2, 1\n    return (x + 1) / (k - 2), abs(1)\n", (X, 5.0), (-X, 5.0)
    )


def test_a_dict_that_is_changed_is_compared_on_copies_and_the_difference_is_said():
    namespace = define(
        "def f(state, loss):\n    if loss < state['best']:\n        state['best'] = loss\n        state['bad'] = 0\n"
        "    else:\n        state['bad'] = state['bad'] + 1\n    return state\n"
    )
    state = {"best": jnp.array(1.0), "bad": jnp.array(2)}
    kept = dict(state)
    proposals = propose(namespace["f"], (state, jnp.array(0.5)), {})
    assert state == kept
    assert any("in place" in words for words in proposals.rewrites[0].compared.differences)
    with applied(proposals, namespace):
        fixed = jax.jit(namespace["f"])
        assert fixed(state, 0.5) == {"best": 0.5, "bad": 0}
        assert fixed(state, 5.0) == {"best": 1.0, "bad": 3}


def test_the_number_of_a_range_starts_as_one_would_write_it():
    source = (
        check(
            "def f(x, tol):\n    y = x[1]\n    for it in range(30):\n"
            "        y = y / 2\n        if y < tol:\n            break\n"
            "    return y, it\n",
            (X, 0.1),
            (X, 9.0),
            (X, -1.0),
        )
        .rewrites[0]
        .source
    )
    assert "eval_shape" not in source and "it = 0" in source


def test_a_name_bound_in_the_test_of_a_loop_travels_with_it():
    check(
        "def f(x, tol):\n    n = 0\n    while (err := abs(x * x - 2)) > tol and n < 20:\n"
        "        x = 0.5 * (x + 2 / x)\n        n += 1\n"
        "    return x, err, n\n",
        (jnp.array(3.0), 1e-2),
        (jnp.array(1.4142135), 1e-2),
    )


def test_a_print_of_a_traced_value_shows_it_in_each_run_as_in_plain_python(capfd):
    """Untouched, it would show a tracer, once; one of shapes stays as it was typed."""
    namespace = define("def f(x):\n    print('total', x.sum())\n    print('of', x.shape)\n    return x if x[0] > 0 else -x\n")
    found = propose(namespace["f"], (X,), {})
    assert capfd.readouterr().out == ""
    with applied(found, namespace):
        fixed = jax.jit(namespace["f"])
        for each in (X, 2 * X):
            fixed(each)
            jax.effects_barrier()
    told = capfd.readouterr().out
    assert f"total {float(X.sum())}" in told and f"total {float(2 * X.sum())}" in told and "Tracer" not in told
    assert "print('of', x.shape)" in found.rewrites[0].source


KEPT = (
    "class Log:\n    def __init__(self):\n        self.items = []\n    def add(self, v):\n        self.items.append(v)\n"
    "{before}def f(log, x):\n    {made}if x.sum() > 0:\n        return x\n    log.add(1)\n    return x * 2\n"
)


def test_what_follows_an_early_return_is_left_alone_where_it_changes_an_object_of_the_callers():
    """Both ways would be traced: the object would change in either."""
    source = KEPT.format(before="", made="")
    namespace = define(source)
    found = propose(namespace["f"], (namespace["Log"](), jnp.ones(2)), {}, (), ("log",))
    assert not found.rewrites and not found.unverified
    assert "behind the early return the function calls log.add for its effect" in found.why_not


def test_a_list_of_its_own_may_grow_behind_an_early_return():
    source = "def f(x):\n    parts = [x]\n    if x.sum() > 0:\n        return x\n"
    source += "    parts.append(x * 2)\n    return sum(parts)\n"
    namespace = define(source)
    fixed = propose(namespace["f"], (jnp.ones(2),), {}).rewrites[0]
    exec(fixed.source, namespace)
    assert jax.jit(namespace["f"])(-jnp.ones(2)).tolist() == [-3.0, -3.0]


def test_a_message_beside_a_value_that_one_branch_alone_sets_is_told_where_that_branch_is_taken(capfd):
    """`if norm < tol: print("converged"); return {…}` in a loop: no `cond` can give `result` on both sides."""
    source = """
def f(x, tol):
    for i in range(6):
        norm = jnp.abs(x).max()
        if norm < tol:
            print("converged", norm)
            return {"x": x, "found": True}
        else:
            x = x / 2
            print("next", x)
    return {"x": x, "found": False}
"""
    namespace = define(source)
    x = jnp.array([4.0, -1.0])
    found = propose(namespace["f"], (x, 1.5), {}, seconds=20)
    for tol in (1.5, 100.0, 0.0):
        plain = namespace["f"](x, tol)
        told = capfd.readouterr().out
        with applied(found, namespace):
            assert jax.tree.all(jax.tree.map(jnp.allclose, jax.jit(namespace["f"])(x, tol), plain))
        jax.effects_barrier()
        assert sorted(capfd.readouterr().out.splitlines()) == sorted(told.splitlines())


@pytest.mark.parametrize(
    "body",
    [
        "    if n < 3:\n        y = x + 1\n        return y, y.sum()\n    raise ValueError('too long')\n",
        "    if n < 1:\n        return x\n    elif n < 3:\n        return x * 2\n    else:\n        raise ValueError(f'{n}')\n",
        "    for b in [1, 2, 4]:\n        if n <= b:\n            return x / b\n    raise ValueError('too long')\n",
        "    if n < 1:\n        y = x\n    elif n < 3: y = x * 2\n    else: raise ValueError('too long')\n    return y + 1\n",
        "    if n < 3:\n        y, k = x * 2, x.sum()\n    else:\n        raise ValueError('too long')\n    return y * k\n",
    ],
)
def test_a_raise_that_no_case_is_left_for(body):
    """Behind tests of data, each of which returns: the answer says what becomes of it."""
    x = jnp.array([1.0, 2.0])
    found = check(f"def f(x, n):\n{body}", (x, jnp.array(0)), (x, jnp.array(2)), (x.astype(int), jnp.array(1)))
    assert any("compiled code cannot raise" in said for said in found.rewrites[0].compared.differences)


def test_a_raise_that_python_itself_decides_on_stays():
    """An option that is unknown raises while tracing, as before."""
    source = (
        "def f(x, mode='a'):\n    if x.sum() > 0:\n        return x\n    if mode == 'a':\n        return -x\n"
        "    raise ValueError(f'unknown mode {mode}')\n"
    )
    x = jnp.array([1.0, 2.0])
    found = check(source, (x,), (-x,))
    assert "raise ValueError" in found.rewrites[0].source


def test_a_case_of_pythons_own_among_tests_of_data_with_a_raise_behind():
    """`mode` stays a choice of Python's: where it is the case that holds, nothing is checked of the data."""
    source = (
        "def f(x, mode='a'):\n    if mode == 'b':\n        y = x\n    elif x.sum() > 0:\n        y = x * 2\n    else:\n"
        "        raise ValueError(f'{mode} of what is not positive')\n    return y + 1\n"
    )
    x = jnp.array([1.0, 2.0])
    check(source, (x, "a"), (x * 3, "a"), (x, "b"), (-x, "b"), static=("mode",))


@pytest.mark.parametrize(
    "kept", ["history.append(float(loss))", "history.append(loss.item())", "history.insert(0, float(loss))"]
)
def test_what_would_keep_a_traced_value_is_no_rewrite(kept):
    """`history.append(jnp.asarray(loss))` traces, and the list holds a tracer ever after."""
    source = f"history = []\ndef f(p, x):\n    loss = jnp.mean((x @ p) ** 2)\n    {kept}\n    return p - 0.1 * loss\n"
    namespace = define(source)
    found = diagnose(namespace["f"], jnp.ones(2), jnp.ones((4, 2)))
    assert not found.rewrites and all(each.pieces for each in found.unverified)
    assert namespace["history"] == []


@pytest.mark.parametrize(
    ("told", "lines"),
    [
        ('"pair {:.1f} {:.2f}".format(*x[:2])', "pair 0.5 2.00"),
        ('"{0:.1f}".format(*x), "of", "{n} {s:.1f}".format(n=len(x), s=jnp.sum(x))', "0.5 of 3 1.5"),
        ('"{} and {}".format(*(2 * x[:2]).tolist())', "1.0 and 4.0"),
    ],
)
def test_what_a_print_formats_of_several_values_is_formatted_by_the_host(told, lines, capsys):
    """`"…".format(*x)` asks each of them for its digits: only the values are computed before."""
    source = f"def f(x):\n    print({told})\n    return x * 2\n"
    found = check(source, (X,), (-X,))
    capsys.readouterr()
    with applied(found, namespace := define(source)):
        jax.jit(namespace["f"])(X)
        jax.effects_barrier()
    assert capsys.readouterr().out.strip() == lines


def test_what_a_branch_imports_is_known():
    """A warning below an import of its own is a message as any other."""
    found = check(
        "def f(x, limit):\n    if x.max() > limit:\n        import warnings as w\n        w.warn('large')\n    return x * 2\n",
        (jnp.arange(3.0), jnp.array(5.0)),
        (jnp.arange(3.0) + 9, jnp.array(5.0)),
    )
    assert "debug.callback" in found.rewrites[0].source


def test_a_line_of_a_log_with_a_number_in_it_is_written_when_the_value_is_there(caplog):
    """`logging` formats it, which asks a tracer for its number."""
    source = (
        "import logging\nlog = logging.getLogger('rewrites.steps')\nlog.setLevel('INFO')\n"
        "def f(x):\n    m = {'loss': float(x.sum())}\n    log.info('loss %.2f', m['loss'])\n    return m\n"
    )
    namespace = define(source)
    x = jnp.array([1.0, 2.0])
    found = propose(namespace["f"], (x,), {}, seconds=20)
    caplog.clear()
    with applied(found, namespace), caplog.at_level("INFO", "rewrites.steps"):
        assert float(jax.jit(namespace["f"])(x)["loss"]) == 3.0
        jax.effects_barrier()
    assert [record.getMessage() for record in caplog.records if record.name == "rewrites.steps"] == ["loss 3.00"]


def test_what_a_line_of_a_log_computes_is_computed_before_it_is_written(caplog):
    """On the host no operation of JAX's runs in the middle of a program."""
    source = (
        "import logging\nlog = logging.getLogger('steps')\n\n"
        "def f(x, tol):\n    size = tol + 1\n    while size > tol:\n        x = x / 2\n        size = jnp.abs(x).max()\n"
        "        log.warning(f'norm {jnp.linalg.norm(x)=} of {size:.2f}')\n    return x\n"
    )
    first = check(source, (jnp.array([2.0, 1.0]), 0.6), (jnp.array([0.5, 0.1]), 0.6)).rewrites[0]
    assert "lambda value, size: log.warning(" in first.source
    with applied(check(source, (jnp.array([2.0, 1.0]), 0.6)), namespace := define(source)):
        caplog.clear()
        jax.block_until_ready(jax.jit(namespace["f"])(jnp.array([1.0, 0.0]), 0.6))
        jax.effects_barrier()
    assert [record.getMessage().endswith("of 0.50") for record in caplog.records] == [True]


@pytest.mark.parametrize(
    ("body", "served"),
    [
        (
            "    msg = f'{step}: {loss:.1f}'\n    if loss > 1.0:\n        print(msg)\n        loss = loss * 0.5\n"
            "    return loss\n",
            True,
        ),
        (
            "    for _ in range(2):\n        msg = f'{loss:.1f}'\n        print(msg)\n        loss = loss + 1\n"
            "    return loss\n",
            True,
        ),
        ("    msg = f'{loss:.1f}'\n    loss = loss + 1\n    print(msg)\n    return loss\n", False),
        (
            "    msg = f'{loss:.1f}'\n    for _ in range(2):\n        print(msg)\n        loss = loss + 1\n    return loss\n",
            False,
        ),
        ("    a = [loss]\n    msg = f'{a[0]:.1f}'\n    a.append(a.pop() + 1)\n    print(msg)\n    return a[0]\n", False),
        ("    msg = f'{loss:.1f}'\n    print(msg)\n    return loss, len(msg)\n", False),
    ],
)
def test_a_message_in_a_variable_is_told_where_its_values_are_still_the_same(body, served, capfd):
    """A text that is made of other values than those where it is told, or that the function goes on to use, is left alone."""
    source = f"def f(loss, step):\n{body}"
    if not served:
        assert not propose(define(source)["f"], (jnp.array(2.0), 3), {}).rewrites
        return
    found = check(source, (jnp.array(2.0), 3), (jnp.array(0.5), 4), seconds=20.0)
    assert "jax.debug.print(" in found.rewrites[0].source and "msg" not in found.rewrites[0].source


NOT_ALWAYS = {
    "the other side of `or`": "    if hit(x[0]) or hit(x[1]):\n        n = n + 10\n    return x * 1.0, n\n",
    "items after the first": "    if any(hit(v) for v in x):\n        n = n + 10\n    return x * 1.0, n\n",
    "items after the one sought": "    k = next((i for i, v in enumerate(x) if hit(v)), -1)\n    return k, n\n",
}


@pytest.mark.parametrize("how", NOT_ALWAYS)
def test_what_is_not_always_called_counts_no_call_that_plain_python_leaves_out(how):
    """Also where no input that is compared makes the difference; pieces around the line may serve."""
    source = (
        "def f(x, t):\n    n = 0\n    def hit(v):\n        nonlocal n\n        n += 1\n        return v > t + 1e9\n"
        + NOT_ALWAYS[how]
    )
    assert not diagnose(define(source)["f"], X, 0.25).rewrites


def test_a_method_that_counts_is_not_always_called():
    source = """
class Counter:
    def __init__(self):
        self.n = 0
    def hit(self, v):
        self.n += 1
        return v > 1e9
def f(x):
    c = Counter()
    if c.hit(x[0]) or c.hit(x[1]):
        return x * 1.0, c.n
    return -x, c.n
"""
    assert not diagnose(define(source)["f"], X).rewrites


def test_a_name_that_is_set_on_the_way_keeps_its_value_where_plain_python_does_not_come():
    source = "def f(x, t):\n    z = t\n    if (z := x[0] * 2) > 1e9 or (z := x[1]) < 1e8:\n        t = z\n    return t + z\n"
    assert not diagnose(define(source)["f"], X, 0.25).rewrites


def test_a_name_that_is_set_on_the_way_and_nowhere_else_may_always_be():
    source = "def f(x, t):\n    if (m := x.max()) > t and (n := x.min()) < -t:\n        return m - n\n    return m\n"
    check(source, (X, 0.25), (-X, 0.25), (X, 3.0), (X * 9, 1.0))


def test_a_global_that_a_branch_writes_is_not_written_on_both_sides():
    """Not as code that was not compared, either."""
    f = define(
        "taken = 0\ndef f(x, y):\n    global taken\n    if x.sum() > 0:\n        taken += 1\n        return y\n    return x\n"
    )["f"]
    found = diagnose(f, X, -X)
    assert not found.rewrites and not found.unverified
    assert "one branch writes the global taken, a side effect" in found.reason


@pytest.mark.parametrize(
    "told",
    [
        "    if r < t:\n        word = 'low'\n    elif r < 2 * t:\n        word = 'mid'\n    else:\n        word = 'high'\n"
        "    y = x / r\n    print(word, 'of', 3)\n",
        "    word = 'high'\n    if r < 2 * t:\n        word = 'low'\n    y = x / r\n    r = r * 0\n    print(word)\n",
        "    y = x / r\n    print('r is', 'low' if r < t else 'high')\n",
    ],
)
def test_a_word_that_data_chooses_is_told_each_way(told, capfd):
    namespace = define(f"def f(x, t):\n    r = jnp.sqrt(jnp.sum(x**2))\n{told}    return y\n")
    x = jnp.array([3.0, 4.0])
    found = propose(namespace["f"], (x, 6.0), {}, (), (), seconds=15.0)
    for t in (6.0, 4.0, 1.0):
        namespace["f"](x, t)
        wanted = capfd.readouterr().out
        with applied(found, namespace):
            jax.block_until_ready(jax.jit(namespace["f"])(x, t))
            jax.effects_barrier()
        assert capfd.readouterr().out == wanted


def test_words_whose_further_tests_would_be_of_other_numbers_stay():
    told = "    word = 'a' if r < t else 'b' if r < 2 * t else 'c'\n    r = r * 0\n    print(word)\n"
    found = propose(define(f"def f(x, t):\n    r = jnp.sum(x)\n{told}    return r\n")["f"], (jnp.ones(3), 2.0), {})
    assert not found.rewrites


def test_a_warning_of_a_number_that_has_its_first_value_in_the_branch_is_given_the_number():
    """The branch is not taken in this call: its names have no values yet, and the host would be shown tracers."""
    source = (
        "import warnings\ndef f(x, t):\n    if t > 0:\n        y = x.sum()\n        warnings.warn(f'large {y}')\n    else:\n"
        "        y = x.max()\n    return x + y\n"
    )
    namespace = define(source)
    with applied(propose(namespace["f"], (jnp.ones(3), -1.0), {}), namespace):
        fixed = jax.jit(namespace["f"])
        with pytest.warns(UserWarning, match=r"large 3\.0"):
            fixed(jnp.ones(3), 1.0).block_until_ready()
            jax.effects_barrier()


def test_a_callback_that_is_left_out_is_called_by_the_host_once_it_is_given():
    source = (
        "def f(x, tol=1e-3, callback=None):\n    for k in range(20):\n        if abs(x ** 2 - 2) < tol:\n"
        "            return x, k\n        x = x - (x ** 2 - 2) / (2 * x)\n"
        "        if callback is not None:\n            callback(x)\n    return x, 20\n"
    )
    namespace = define(source)
    f, seen, wanted = namespace["f"], [], []
    f(1.5, callback=wanted.append)
    found = diagnose(f, 1.5)
    assert found.rewrites[0].static_argnames == ("callback",)
    with applied(found, namespace):
        assert jnp.allclose(jnp.array(jax.jit(namespace["f"])(1.5)), jnp.array(f(1.5)))
        jax.jit(namespace["f"], static_argnames="callback")(1.5, callback=seen.append)
        jax.effects_barrier()
    assert jnp.allclose(jnp.array(seen), jnp.array(wanted))


def test_where_compiled_code_cannot_print_it_is_said_what_is_missing(monkeypatch):
    """As on a machine with JAX_PLATFORMS=cuda: `jax.debug.print` fails there, and a loop that prints was a fault of ours."""

    def devices(*args, backend=None, **kwargs):
        raise RuntimeError(f"Unknown backend {backend}")

    def halved(x):
        rounds = 0
        while x > 1.0:
            x, rounds = x / 2, rounds + 1
            print("now", x)
        return rounds

    def checked(x):
        if x < 0:
            raise ValueError("x must not be negative")
        return jnp.sqrt(x)

    monkeypatch.setattr(jax, "local_devices", devices)
    found = diagnose(halved, jnp.float32(9.0))
    assert not found.rewrites and "with JAX_PLATFORMS=cuda,cpu, set before JAX is imported" in found.reason
    assert diagnose(checked, jnp.float32(9.0)).verified


def test_a_loop_that_takes_items_out_where_it_uses_them_has_no_compiled_form():
    """Compiled, its round would take one item, once; nothing is said of a loop that finds no end."""
    source = """
def f(x, budget):
    left = sorted(x.tolist())
    total = 0.0
    while left and total + left[0] <= budget:
        total += left.pop(0)
    return total, len(left)
"""
    found = propose(define(source)["f"], (jnp.array([1.0, -2.0, 3.0]), 1.0), {})
    assert not found.rewrites and not found.unverified and "changes left in place" in found.why_not


WALRUS = [
    'label = "low" if (k := x.sum()) < t else "high"\n    return {"low": k, "high": -k}[label]',
    'parts = {"low": 0.0, "high": 0.0}\n    for v in x:\n        parts["low" if (k := v * 2) < t else "high"] += k\n'
    '    return parts["low"] - parts["high"]',
    'if (k := x.sum()) < t:\n        how = "low"\n    else:\n        how = "high"\n    return k * (2 if how == "low" else 3)',
]


@pytest.mark.parametrize("body", WALRUS)
def test_a_word_whose_test_binds_a_number_is_no_fault_of_a_rule(body):
    """What is found, if anything, gives plain Python's number; no rule raises."""
    f = define(f"def f(x, t):\n    {body}\n")["f"]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found = diagnose(f, X, 1.0)
    assert found.kind in ("rewrite", "static+rewrite")
    assert all(each.verified for each in found.rewrites)
