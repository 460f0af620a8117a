"""How rewritten source looks: comments stay, long lines are folded, the user's own lines are left alone."""

import ast

import jax.numpy as jnp

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
