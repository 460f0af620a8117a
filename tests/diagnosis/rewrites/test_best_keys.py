"""Keys that data chooses among those of a dict, or names of a list, and what is asked by them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from .helpers import applied, check, check_with_gradients, define, offered, propose

TABLES = """
import collections

COST = {"b": 3.0, "c": 0.5, "a": 1.0}
AFTER = {"a": "b", "b": "c", "c": "a"}
SHAPES = {"a": lambda v: v**2, "b": lambda v: v + 1.0, "c": jnp.sin}
LIMITS = {"a": {"low": 0.0, "high": 1.0}, "b": {"low": -1.0, "high": 0.5}, "c": {"low": 2.0, "high": 3.0}}
CENTRES = {"a": jnp.array([1.0, 0.0]), "b": jnp.array([0.0, 2.0])}
NAMES = ("b", "a", "c")
Span = collections.namedtuple("Span", "low high")
SPANS = {"a": Span(0.0, 1.0), "b": Span(-1.0, 0.5), "c": Span(2.0, 3.0)}
SIZES = {"a": 3, "b": 0.5, "c": 1}

def scarcest(stock):
    return min(stock, key=stock.get)

def paid(stock, name):
    return stock[name] * COST[name]

"""
_FIRST = "of equal values it is the first by its name"
RATES = '    rates = {"b": x, "a": 2.0 * y, "c": 1.0}\n'
CALLS = tuple(
    (jnp.array(x), jnp.array(y)) for x, y in ((2.0, 3.0), (0.5, 3.0), (2.0, 0.25), (1.0, 0.5), (4.0, 2.0), (-1.0, 1.0))
)
BODIES = {
    "read several times": "k = min(rates, key=rates.get); return rates[k] + 1.0, {n: v - rates[k] for n, v in rates.items()}",
    "its place": "k = max(rates, key=lambda n: rates[n]); return list(rates).index(k), sorted(rates).index(k)",
    "another table": "k = min(rates, key=rates.get); return COST[k], COST.get(k), COST[AFTER[k]]",
    "a key of its own": "k = min(rates, key=lambda n: abs(rates[n] - COST[n])); return rates[k] * COST[k]",
    "a key of several parts": "k = max(rates, key=lambda n: (rates[n] > 1.5, COST[n])); return rates[k]",
    "compared": "k = min(rates, key=rates.get); return x if k == 'a' else y if k in ('b', 'd') else rates[k]",
    "compared with each": "k = max(rates, key=rates.get); return [1.0 if n == k else 0.5 for n in rates], k != 'd'",
    "at once": "return rates[min(rates, key=rates.get)] - rates[max(rates, key=rates.get)]",
    "the pair": "k, most = max(rates.items(), key=lambda pair: pair[1]); return most, COST[k], most - rates[k]",
    "the value of a pair": "return min(rates.items(), key=lambda pair: pair[1])[1]",
    "the key of a pair": "return COST[max(rates.items(), key=lambda p: -p[1])[0]] * x",
    "records": "k = max(rates, key=rates.get); low = LIMITS[k]; return LIMITS[k]['high'], low['low']",
    "fields, and numbers of two kinds": "k = max(rates, key=rates.get); return SPANS[k].high - x, SPANS[k], SIZES[k] * y",
    "a default": "k = max(rates, key=rates.get); return COST.get(k, 0.0) + {'a': 2.0}.get(k, 9.0)",
    "in a function": "k = max(rates, key=rates.get); g = lambda v: v * COST[k] + rates[k]; return g(x), g(y)",
    "functions": "k = max(rates, key=rates.get); return SHAPES[k](x) + y",
    "sorted keys": "k = min(sorted(rates), key=rates.get); return COST[k], list(rates).index(k)",
    "set at it": "k = max(rates, key=rates.get); before = rates[k]; rates[k] *= x + 1.0; return before, rates[k], rates",
    "a helper that gives it": "k = scarcest(rates); return rates[k] * COST[k]",
    "a helper that is given it": "k = min(rates, key=rates.get); return paid(rates, k) + x",
    "a name by its place": "k = NAMES[jnp.argmin(jnp.array([rates[n] for n in NAMES]))]; return rates[k], NAMES.index(k)",
}


def _lines(body):
    return f"    {body}\n".replace("; ", "\n    ")


@pytest.mark.parametrize("what", BODIES)
def test_what_is_asked_by_the_key_is_taken_at_its_place(what):
    """Nothing was found, or a split; of equal values it is the first."""
    check(f"{TABLES}def f(x, y):\n{RATES}{_lines(BODIES[what])}", *CALLS)


def test_the_values_get_a_name_where_they_are_read_again():
    source = f"{TABLES}def f(x, y):\n{RATES}{_lines(BODIES['read several times'])}"
    found = propose(define(source)["f"], CALLS[0], {}).rewrites[0]
    assert "values = jnp.array(list(rates.values()))\n    k = jnp.argmin(values)\n" in found.source
    assert "return values[k] + 1.0, {n: v - values[k] for n, v in rates.items()}" in " ".join(found.source.split())


@pytest.mark.parametrize("change", ["rates['a'] = x * 9.0", "rates = {n: v * 2.0 for n, v in rates.items()}"])
def test_values_that_change_behind_it_are_read_again(change):
    check(f"def f(x, y):\n{RATES}    k = max(rates, key=rates.get)\n    {change}\n    return rates[k], 2 * rates[k]\n", *CALLS)


def test_arrays_by_the_nearest_of_them_and_their_gradient():
    body = (
        "    name = min(CENTRES, key=lambda k: jnp.sum((CENTRES[k] - x) ** 2))\n    return jnp.sum((x - CENTRES[name]) ** 3)\n"
    )
    check_with_gradients(
        f"{TABLES}def f(x):\n{body}", *((jnp.array(x),) for x in ([0.5, 0.25], [0.0, 1.5], [3.0, -1.0], [0.5, 1.0]))
    )


def test_a_named_arm_is_pulled_in_each_round():
    """What is set at a key is set at its place, once for each statement, of whole numbers as well."""
    source = """
def f(values, rewards):
    q = {"a": values[0], "b": values[1], "c": values[2]}
    pulls = {"a": 0, "b": 0, "c": 0}
    for t in range(4):
        arm = max(q, key=lambda k: q[k])
        pulls[arm] += 1
        q[arm] = q[arm] + 0.5 * (rewards[t] - q[arm])
    return q, pulls
"""
    calls = (([0.1, 0.5, 0.2], [0.0, 1.0, -1.0, 2.0]), ([0.5, 0.5, 0.5], [-3.0, -1.0, -5.0, 2.0]))
    check(source, *((jnp.array(values), jnp.array(rewards)) for values, rewards in calls))


def test_a_dict_that_is_given_comes_in_the_order_of_its_keys():
    """jit hands it over sorted: of equal values another one may be the first, which is said; where it is, nothing is shown."""
    source = f"{TABLES}def f(rates):\n    k = min(rates, key=rates.get)\n    return rates[k], COST[k]\n"
    given = ({"a": jnp.array(2.0), "b": jnp.array(3.0), "c": jnp.array(2.5)},), ({"a": 1.0, "b": 2.0, "c": jnp.array(0.5)},)
    found = check(source, *given).rewrites[0]
    assert any(_FIRST in each for each in found.compared.differences)
    assert not propose(define(source)["f"], ({"c": 2.0, "a": jnp.array(3.0), "b": 2.5},), {}).rewrites


@pytest.mark.parametrize(
    "made",
    [
        "left = dict(stock); k = max(left, key=left.get); return left[k] * COST[k]",
        "state = {'of': dict(stock)}; left = state['of']; k = max(left, key=left.get); return left[k] * COST[k]",
        "left = jax.tree.map(jnp.abs, stock); k = max(left, key=left.get); return left[k] * COST[k]",
        "names = list(stock); k = names[i]; return stock[k] * COST[k]",
    ],
)
def test_what_is_made_of_a_given_dict_has_its_order(made):
    """The note was for the argument itself, and dict comprehensions of it."""
    source = f"{TABLES}def f(stock, i):\n{_lines(made)}"
    found = check(source, ({"a": jnp.array(2.0), "b": jnp.array(3.0), "c": jnp.array(2.5)}, jnp.array(1))).rewrites[0]
    assert any(_FIRST in each for each in found.compared.differences)


def test_written_keys_and_a_given_list_have_their_own_order():
    """Nothing is said of an order there."""
    body = "    rates = {'a': x, 'b': 2.0}\n    k = max(rates, key=rates.get)\n    return rates[k], COST[k]\n"
    found = check(f"{TABLES}def f(x):\n{body}", (jnp.array(1.0),), (jnp.array(3.0),)).rewrites[0]
    assert not any(_FIRST in each for each in found.compared.differences)


RARE = tuple((jnp.array(x), jnp.array(y)) for x, y in ((2.0, 3.0), (1.0, 50.0), (1.0, 33.0), (60.0, 3.0)))
MAX = "k = max(rates, key=rates.get)"


@pytest.mark.parametrize(
    "body",
    [
        f"{MAX}; before = rates[k]; book = rates; book['a'] = jnp.minimum(book['a'], 40.0); return before, rates[k]",
        f"{MAX}; before = rates[k]; total = capped(rates); return before / total, rates[k]",
        f"g = lambda n: rates.update({{n: jnp.minimum(y, 40.0)}}); {MAX}; before = rates[k]; g('a'); return before, rates[k]",
        f"state = {{'r': rates}}; {MAX}; before = rates[k]; state['r']['a'] = jnp.minimum(y, 40.0); return before, rates[k]",
        f"{MAX}; before = rates[k]; pair = (rates, 1); pair[0]['a'] = jnp.minimum(y, 40.0); return before, rates[k]",
        f"{MAX}; few = {{n: jnp.minimum(v, 40.0) for n, v in rates.items()}}; g = lambda rates: rates[k] * 2.0; "
        "return g(rates), g(few), rates[k]",
        f"{MAX}; return [rates[k] for rates in [rates, {{n: jnp.minimum(v, 40.0) for n, v in rates.items()}}]], rates[k]",
    ],
)
def test_a_dict_that_changes_under_another_name_or_whose_name_is_another_one_is_left(body):
    """Its values were read before the change, which no input here came to, or those of another dict were."""
    helper = "def capped(d):\n    d['a'] = jnp.minimum(d['a'], 40.0)\n    return sum(d.values())\n\n"
    assert not propose(define(f"{helper}def f(x, y):\n{RATES}{_lines(body)}")["f"], RARE[0], {}).rewrites


def test_values_of_the_round_before_are_read_again():
    """The key of the round before is asked of the new dict, where its values had the name of the old one's."""
    before = "        if t > 0:\n            y = y + rates[k]\n"
    chosen = "        k = max(rates, key=rates.get)\n"
    after = "        y = y + rates[k] - 0.5 * rates[k] ** 2\n"
    rates = "    for t in range(3):\n        rates = {n: jnp.minimum(x * t - c, y + c * t) for n, c in COST.items()}\n"
    source = f"{TABLES}def f(x, y):\n    k = 'b'\n{rates}"
    for body in (before + chosen + after, chosen + before + after):
        changed = f"{source}{body}    return y\n".replace("    k = 'b'\n", "" if body.startswith(chosen) else "    k = None\n")
        named = ["values = jnp.array" in each.source for each in propose(define(changed)["f"], CALLS[0], {}).rewrites]
        assert named == [True] if body.startswith(chosen) else not any(named), changed
        if named:
            check(changed, *CALLS)


@pytest.mark.parametrize(
    "body",
    [
        "k = max(rates, key=rates.get); rest = rates; rest.pop(o) if o else 0; return COST[k], sum(rest.values())",
        "s = {'r': rates}; k = max(s['r'], key=lambda n: s['r'][n]); s['r'].pop(o) if o else 0; return COST[k], len(s['r'])",
        "k = max(rates, key=rates.get); rates = {'a': 1.0, **rates} if o else rates; return COST[k] + rates[k]",
        "names = ['b', 'c', 'a']; k = names[i]; seen = names; seen.remove(o) if o else 0; return COST[k], len(seen)",
        "names = ['b', 'c', 'a']; k = names[i]; names[0] = o or 'b'; return COST[k], COST[names[0]]",
        "names = ['b', 'c', 'a']; k = names[i]; names = list(o or names); return COST[k], COST[names[0]]",
    ],
)
def test_keys_that_move_under_an_option_have_no_place(body):
    source = f"{TABLES}def f(x, y, i, o=None):\n{RATES}{_lines(body)}"
    found = propose(define(source)["f"], (*CALLS[0], jnp.array(1)), {})
    assert not any("argmax" in each.source or "k = i" in each.source for each in found.rewrites)


def test_another_call_has_other_keys():
    """The place of a key was that among those of the first call."""
    source = f"{TABLES}def f(stock):\n    k = min(stock, key=stock.get)\n    return jnp.where(k == 'a', 2.0, -1.0) * stock[k]\n"
    check(source, *(({n: jnp.array(v) for n, v in each.items()},) for each in ({"a": 3.0, "b": 2.5}, {"b": 3.0, "c": 2.0})))
    source = "def f(rates, caps):\n    k = max(rates, key=rates.get)\n    return [v for n, v in caps.items() if n == k][0]\n"
    source = source.replace("[v for n, v in caps.items() if n == k][0]", "[jnp.where(n == k, v, 0.0) for n, v in caps.items()]")
    rates = {"a": jnp.array(3.0), "b": jnp.array(2.5)}
    check(source, (rates, {"a": 1.0, "b": 2.0}), (rates, {"b": jnp.array(5.0)}), (rates, {"a": 1.0, "z": jnp.array(7.0)}))


def test_another_call_has_other_names():
    source = "def f(x, i, names=('low', 'mid', 'high')):\n    k = names[i]\n    return x * jnp.where(k == 'low', 0.5, 2.0)\n"
    x = jnp.array([1.0, 2.0])
    calls = (
        (x, jnp.array(2), ("low", "mid", "high")),
        (x, jnp.array(2), ("low", "mid", "low")),
        (x, jnp.array(1), ("mid", "high")),
    )
    check(source, *calls, static=("names",))


@pytest.mark.parametrize(
    "body",
    [
        "return k, x",
        "return rates.pop(k) + sum(rates.values())",
        "del rates[k]\n    return sum(rates.values())",
        "only = {'a': 1.0}\n    return only[k]",
        "return {'b': 1.0, 'a': 2.0, 'c': True}[k]",
        "rates.pop('b')\n    return COST[k] + sum(rates.values())",
        "return {'b': 1.0, 'a': 33554433, 'c': 2.0}[k]",
    ],
)
def test_a_key_that_is_needed_itself_stays(body):
    source = f"{TABLES}def f(x, y):\n{RATES}    k = min(rates, key=rates.get)\n    {body}\n"
    assert not propose(define(source)["f"], CALLS[1], {}).rewrites


def test_that_it_is_a_string_is_said():
    source = f"def f(x, y):\n{RATES}    k = min(rates, key=rates.get)\n    return rates[k], k\n"
    assert not offered(source, *CALLS[0]) & {"argmin"}
    source = f"{TABLES}def f(x, y):\n{RATES}    return scarcest(rates)\n"
    assert any("a string cannot leave compiled code" in each for each in propose(define(source)["f"], CALLS[0], {}).obstacles)


def test_numbers_as_keys_are_an_array():
    source = "def f(x, y):\n    costs = {3: x, 5: y, 4: 1.0}\n    k = min(costs, key=costs.get)\n    return costs[k] + 1.0, k\n"
    found = check(source, *CALLS)
    namespace = define(source)
    with applied(found, namespace):
        np.testing.assert_array_equal(jax.jit(namespace["f"])(jnp.array(2.0), jnp.array(0.5))[1], 5)


def test_a_place_beside_an_operator_and_from_the_end():
    """What calls a function by its place, or compares it, is for places from the front alone, which is said."""
    body = "list(NAMES).index(NAMES[i + 1]) * 2, COST[NAMES[i + 1]], NAMES[i + 1] == 'a', SHAPES[NAMES[i]](x)"
    found = check(f"{TABLES}def f(x, i):\n    return {body}\n", *((jnp.array(2.0), jnp.array(i)) for i in (0, 1))).rewrites[0]
    assert any("a negative index" in each for each in (*found.compared.differences, *found.compared.not_reached))


@pytest.mark.parametrize("body", ["k == 'a'", "COST[k]", "list(names).index(k)"])
def test_of_two_names_that_are_one_no_place_is_asked(body):
    source = f"{TABLES}def f(x, i):\n    names = ('a', 'b', 'a')\n    k = names[i]\n    return {body}\n"
    found = propose(define(source)["f"], (jnp.array(2.0), jnp.array(2)), {})
    assert not any("k = i" in each.source for each in found.rewrites)
