"""Code that reads tables of pandas is run and put back like any other: notebooks hold tables, and functions read them."""

from __future__ import annotations

import jax.numpy as jnp
import pandas as pd
import pytest

from jupyter_jitmagic import diagnose
from jupyter_jitmagic.sandbox import reach
from jupyter_jitmagic.sandbox.reach import Reach

HELD = [1]
table = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "z"]})
column = pd.Series([1.0, 2.0], index=[4, 7], name="w")
objects = pd.Series([HELD, 2], dtype=object)


def a_new_column():
    table["c"] = 1


def a_cell():
    table.loc[1, "a"] = 9.0


def a_name():
    table.index.name = "t"


def other_columns():
    table.insert(1, "c", 2.0)
    table.pop("a")


def in_place():
    global column
    column += 1


def by_another_name():
    held = column
    held += 1


def a_name_of_its_own():
    column.name = "other"


def by_a_method():
    table.__setitem__("c", 1)


def an_object():
    objects[0].append(2)


@pytest.mark.parametrize(
    "write",
    [a_new_column, a_cell, a_name, other_columns, in_place, by_another_name, a_name_of_its_own, by_a_method, an_object],
)
def test_what_is_written_to_a_table_is_put_back(write):
    before, kept = (table.copy(), column.copy(), list(HELD)), (table, column)
    reached = Reach(write)
    assert reached.obstacle == ""
    for _ in range(2):
        write()
        reached.put_back()
        pd.testing.assert_frame_equal(table, before[0])
        pd.testing.assert_series_equal(column, before[1])
        assert before[2] == HELD and (table, column)[0] is kept[0] and column is kept[1]


def test_a_table_that_is_only_read_may_be_of_any_size(monkeypatch):
    monkeypatch.setattr(reach, "MOST_TABLE_BYTES", 10)

    def reads():
        return table["a"].mean() + column.sum()

    assert Reach(reads).obstacle == ""
    assert "it may write to table, a table that is too large to be put back (line" in Reach(a_cell).obstacle


def test_a_function_that_reads_a_table_is_answered():
    def f(x):
        s = (x * jnp.asarray(table["a"].to_numpy())).sum()
        if s > 0:
            return s
        return -s

    found = diagnose(f, jnp.ones(3))
    assert found.kind == "rewrite" and found.rewrites[0].verified
