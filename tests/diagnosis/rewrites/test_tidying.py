"""What no person would have typed goes from a rewrite: names for names, unused helpers, brackets within brackets."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose
from jupyter_jitmagic.diagnosis.rewrites.tidying import tidied

from .helpers import check, define

X = jnp.array([1.0, -2.0, 3.0, 0.5])
M = jnp.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])


def test_a_made_up_name_gives_way_to_the_one_that_it_stands_for():
    new = "def f(x, m):\n    kept = m\n    return jnp.sum(x, where=kept)\n"
    assert tidied(new, "def f(x, m):\n    return x[m].sum()\n") == "def f(x, m):\n    return jnp.sum(x, where=m)\n"


def test_the_users_name_is_kept_for_what_a_made_up_one_holds():
    source = "def f(x):\n    positive = x[x > 0]\n    how_many = len(positive)\n    return positive.sum() / how_many\n"
    text = check(source, (X,), (X + 1,)).rewrites[0].source
    assert "how_many = jnp.sum(" in text and "= count" not in text


def test_lines_that_the_user_typed_are_not_written_anew_for_a_shorter_name():
    before = "def f(x):\n    level = float(x)\n    y = level * 2\n    return y - level\n"
    new = before.replace("float(x)", "x")
    assert tidied(new, before) == new


@pytest.mark.parametrize(
    "new",
    [
        "def f(x):\n    kept = x\n    x = x + 1\n    return kept - x\n",
        "def f(x, n):\n    for i in range(n):\n        last = x\n        x = x + last\n    return x\n",
        "def f(xs):\n    made = []\n    for v in xs:\n        kept = v\n        made.append(lambda: kept)\n    return made\n",
        "def f(x, c):\n    if c:\n        kept = x\n    return kept\n",
        "def f(x):\n    kept = x\n    return f'{kept}'\n",
    ],
)
def test_a_name_that_may_hold_another_value_stays(new):
    assert tidied(new, "") == new


def test_a_helper_whose_calls_were_written_out_goes():
    source = (
        "def f(x, ks):\n    def count(v, k):\n        big = v > k\n        return len(jnp.where(big)[0])\n"
        "    made = []\n    for k in range(3):\n        made.append(count(x, k))\n    return jnp.array(made)\n"
    )
    text = check(source, (X, 3), (-X, 3)).rewrites[0].source
    assert ("def count(" in text) == ("count(x, k)" in text) and "arange" not in text


def test_an_argument_stands_in_one_pair_of_brackets():
    assert tidied("def f(x):\n    return g((x > 0))\n", "") == "def f(x):\n    return g(x > 0)\n"
    for other in ("def f(x):\n    return g((x, 0))\n", "def f(x):\n    return g((x > 0), 1)\n"):
        assert tidied(other, "") == other


def test_a_flag_that_is_returned_is_the_test_itself():
    source = (
        "def f(x, t):\n    if jnp.abs(x).sum() * 2.0 + jnp.max(x) > t + jnp.min(x):\n        return False\n    return True\n"
    )
    text = check(source, (X, 1.0), (X, 100.0)).rewrites[0].source
    assert "return jnp.logical_not(jnp.abs(x).sum()" in text and "pred" not in text
    text = (
        check("def f(x, t):\n    if x.sum() > t:\n        return True\n    else:\n        return False\n", (X, 1.0))
        .rewrites[0]
        .source
    )
    assert text == "def f(x, t):\n    return x.sum() > t\n"


def test_a_flag_of_jax_needs_no_bool_around_it():
    assert "return jnp.all(x > t)\n" in check("def f(x, t):\n    return bool(jnp.all(x > t))\n", (X, 1.0)).rewrites[0].source


def test_a_round_that_is_read_has_a_name():
    new = (
        "def f(x, n):\n    def body_fun(_, x):\n        return x.at[_].set(0)\n\n    return lax.fori_loop(0, n, body_fun, x)\n"
    )
    assert "def body_fun(i, x):\n        return x.at[i].set(0)\n" in tidied(new, "")
    unread = new.replace("at[_]", "at[0]")
    assert tidied(unread, "") == unread


def test_a_mask_is_asked_whether_anything_is_there_and_not_the_whole_choice():
    source = (
        "def f(c, s, t):\n    idx = jnp.flatnonzero(c > t)\n    if idx.size == 0:\n        return -1\n"
        "    return idx[jnp.argmax(s[idx])]\n"
    )
    s = jnp.array([3.0, 1.0, 2.0, 5.0])
    text = check(source, (X, s, 0.0), (X, -s, 9.0), (-X, s, -9.0)).rewrites[0].source
    assert ".size else 0" not in text or "where(counts, s[idx], -jnp.inf).size" not in text


def test_what_is_denied_twice_is_asked_once_and_no_pass_is_left():
    """`if not ok: continue` turned round was `logical_not(logical_not(ok))`."""
    source = "def f(x):\n    total = 0.0\n    for v in x:\n        if not jnp.isfinite(v):\n            continue\n"
    source += "        total = total + v\n    return total\n"
    found = check(source, (jnp.array([1.0, jnp.nan, 2.0]),), (jnp.ones(3),)).rewrites[0]
    assert "logical_not" not in found.source and "isfinite(v)" in found.source


def test_both_denied_and_the_choice_denied_is_both():
    new = "def f(a, b):\n    return jnp.logical_not(jnp.logical_or(jnp.logical_not(a > 0), jnp.logical_not(b > 0)))\n"
    assert tidied(new, "") == "def f(a, b):\n    return (a > 0) & (b > 0)\n"
    assert tidied(new, new) == new
    whole = new.replace("a > 0", "a").replace("b > 0", "b")
    assert tidied(whole, "") == whole  # of integers `&` would be another


def test_an_array_of_jax_is_made_none_again():
    new = "def f(x, k):\n    v = jnp.array([x, 2 * x])\n    v = v.at[k].add(1)\n    return jnp.asarray(v)[k]\n"
    assert tidied(new, "").endswith("return v[k]\n")
    listed = new.replace("    v = v.at[k].add(1)\n", "    v = [*v]\n")
    assert tidied(listed, "") == listed


def test_an_array_of_rows_is_not_stacked_once_more():
    new = "def f(x):\n    stacked = jnp.stack(jnp.array(TABLE))\n    return stacked[x] + stacked[0]\n"
    assert tidied(new, "").splitlines()[1] == "    stacked = jnp.array(TABLE)"
    along = new.replace("jnp.array(TABLE))", "jnp.array(TABLE), axis=1)")
    assert tidied(along, "") == along


def test_a_flag_or_a_test_is_one_of_both():
    """`self.stop` is a bool, and `or` gave a choice of the test and the flag."""
    source = "def f(n, most, stop):\n    stop = n >= most or stop\n    return n + 1, stop\n"
    found = check(source, (2, 3, False), (3, 3, False), (2, 3, True))
    assert "stop = (n >= most) | stop\n" in found.rewrites[0].source


def test_the_length_that_is_returned_beside_an_array_of_the_list_is_its_count():
    source = """
def f(best, blank):
    out, prev = [], -1
    for s in best:
        if s != prev and s != blank:
            out.append(s)
        prev = s
    return jnp.array(out, dtype=jnp.int32), len(out)
"""
    padded = propose(define(source)["f"], (jnp.array([0, 1, 1, 0, 2]), 0), {}).unverified[0]
    assert padded.padded and "return jnp.array(out, dtype=jnp.int32), out_length\n" in padded.source


def test_a_product_that_a_branch_adds_needs_no_brackets():
    source = "def f(loss, w, rate):\n    if rate > 0:\n        loss += rate * jnp.sum(w ** 2)\n    return loss\n"
    found = check(source, (jnp.array(1.0), X, 0.5), (jnp.array(1.0), X, -0.5), (jnp.array(1.0), X, 0.0))
    assert "loss + rate * jnp.sum(w ** 2)" in found.rewrites[0].source
    sums = source.replace("loss += rate * jnp.sum(w ** 2)", "loss -= rate - w.sum()")
    found = check(sums, (jnp.array(1.0), X, 0.5), (jnp.array(1.0), X, -0.5))
    assert "loss - (rate - w.sum())" in found.rewrites[0].source
