"""How rewritten source looks: comments stay, long lines are folded, the user's own lines are left alone."""

import ast

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.source.layout import WIDTH, folded

from .helpers import check


def test_a_comment_on_a_line_that_goes_stands_above_what_replaces_it():
    source = """
def f(x, y):
    # which one
    if x > y:  # the larger
        return x  # first
    return y
"""
    lines = check(source, (jnp.array(1.0), jnp.array(2.0))).rewrites[0].source.splitlines()
    assert lines[1:] == [
        "    # which one",
        "    # the larger",
        "    # first",
        "    return jnp.where(x > y, x, y)",
    ]


def test_a_long_line_is_folded_at_its_commas_and_means_the_same():
    long = "value = choose(lambda a, b: a + b, [first_of_many, second_of_many], third_of_many, {'k': fourth_of_many}, fifth)\n"
    new = folded(long, "")
    assert max(map(len, new.splitlines())) <= WIDTH and ast.dump(ast.parse(new)) == ast.dump(ast.parse(long))
    assert "    lambda a, b: a + b,\n" in new


def test_a_long_line_of_the_users_stays():
    long = "value = " + " + ".join(["term"] * 30) + "\n"
    assert folded(long, long) == long


def test_statements_that_share_a_line_get_lines_of_their_own_where_a_rule_needs_them():
    source = """
def f(x, t):
    chosen = [x[0]]; rounds = 0  # begins
    for v in x[1:]:
        rounds += 1
        if abs(v - chosen[-1]) > t: chosen.append(v)
        else: rounds += 1
    return sum(chosen), rounds
"""
    x = jnp.array([1.0, 1.2, 3.0, 2.9, 7.0])
    text = check(source, (x, 0.5), (x, 9.0), (x, 0.0)).rewrites[0].source
    assert "; " not in text and "    rounds = 0  # begins\n" in text


def test_statements_that_share_a_line_stay_where_no_rule_asks_for_more():
    source = "def f(x, t):\n    a = x * 2; b = x - 1\n    if x.sum() > t: a = -a\n    return a + b\n"
    x = jnp.array([1.0, 1.2])
    assert "    a = x * 2; b = x - 1\n" in check(source, (x, 0.5), (x, 9.0)).rewrites[0].source


def test_values_and_choices_without_brackets_stand_on_lines_of_their_own():
    where = "jnp.where(first_of_them > second_of_them, first_of_them, second_of_them)"
    several = folded(f"one, other = {where}, {where}\n", "")
    assert several == f"one, other = (\n    {where},\n    {where},\n)\n"
    choice = folded(f"best = {where} if kind == 'put' else {where}\n", "")
    assert choice == f"best = (\n    {where}\n    if kind == 'put'\n    else {where}\n)\n"
    call = folded(f"found.append({where} if kind == 'put' else {where})\n", "")
    assert call == f"found.append(\n    {where}\n    if kind == 'put'\n    else {where}\n)\n"


def test_a_long_comment_stays_where_what_it_is_about_is_indented_deeper():
    comment = "# " + "a word " * 16 + "of a comment, longer (than a line)"
    assert folded(f"x = 1\n{comment}\n", "") == f"x = 1\n{comment}\n"
    source = f"""
def f(x):
    total = 0.0
    for v in x:
        {comment}
        if v > 0:
            {comment}
            total = total + v
    return total
"""
    assert comment in check(source, (jnp.array([1.0, -1.0, 2.0]),)).rewrites[0].source


def test_what_is_long_is_not_computed_twice_for_its_bounds():
    """`max(0.3, a long expression)` in a loop that has no gradient anyway."""
    source = """
def f(y, tol):
    t, h = 0.0, 0.1
    while t < 1.0:
        err = jnp.abs(h * y)
        t = t + h
        y = y * (1 - h)
        h = h * min(2.0, max(0.3, 0.9 * (tol / (err + 1e-12)) ** 0.5))
    return y
"""
    found = check(source, (jnp.array(2.0), 1e-2))
    assert "jnp.minimum(2.0, jnp.maximum(0.3, 0.9 * (tol / (err + 1e-12)) ** 0.5))" in found.rewrites[0].source


def test_a_choice_that_is_an_argument_by_name_is_folded() -> None:
    """The comma behind it stood within its brackets and made a tuple of it, so that all stayed on one line."""
    chosen = f"jnp.min({'x' * 40}) if {'y' * 30}.size else jnp.array([0.0, 1.0])"
    text = folded(f"r = f(x, range={chosen}, weights=w)\n", "")
    assert "    range=(\n" in text and "\n    ),\n    weights=w,\n" in text


@pytest.mark.parametrize(
    "line",
    [
        "some.append(v) if v > 2 else None",
        "some.append(v) if v < 3 else more.append(v)",
        "v > 2 and some.append(v)",
        "v > 2 or some.append(v)",
    ],
)
def test_an_expression_that_is_a_statement_but_for_its_form(line):
    """Nobody takes its value, so a test with a line below it is the same; nothing was known of it."""
    source = f"def f(x):\n    some, more = [], []\n    for v in x:\n        {line}\n    return sum(some) - len(more)\n"
    x = jnp.array([2.0, 3.0, 10.0, 5.0])
    assert check(source, (x,), (-x,), (x[::-1] / 4,)).rewrites[0].verified
