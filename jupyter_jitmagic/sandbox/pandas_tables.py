"""Tables of pandas that code reaches: what they hold, and what puts it back. Nothing of pandas is imported for it."""

from __future__ import annotations

import dis
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.sandbox.undo import ABSENT, Restore
from jupyter_jitmagic.source.code import words

_IN_PLACE = frozenset(
    words(
        "inplace insert pop update out sort fill put partition setattr vars __dict__ __setattr__ __setitem__ setitem at copyto "
        "place putmask fill_diagonal shuffle resize setflags itemset byteswap"
    )
)
"""Methods and options that write to a table, or to the array of a column (which is its own memory before pandas 3)."""

_HOLDS = "_mgr"
"""The attribute of a table that is all that it holds; the others are about the object that it is (its name)."""


def is_one(value: Any) -> bool:
    """Whether it is a DataFrame or a Series."""
    return isinstance(value, _classes("DataFrame", "Series"))


def is_index(value: Any) -> bool:
    return isinstance(value, _classes("Index"))


def _classes(*names: str) -> tuple[type, ...]:
    """Those of pandas, if it is loaded: there are no objects of them otherwise."""
    module = sys.modules.get("pandas")
    return tuple(kind for name in names if isinstance(kind := attribute(module, name, None), type))


def nbytes(table: Any) -> int:
    return int(np.sum(table.memory_usage()))


def objects_in(table: Any) -> Iterator[Any]:
    """The objects of columns of Python's objects, which may change themselves."""
    columns = [table] if table.ndim == 1 else [table.iloc[:, k] for k in range(table.shape[1])]
    for column in columns:
        if column.dtype == object:
            yield from column


def put_back(table: Any) -> Restore:
    """What makes it hold its columns, index, names and numbers again, where one of these has changed."""
    before, names = table.copy(), [list(axis.names) for axis in table.axes]
    others = {name: value for name, value in vars(table).items() if name != _HOLDS}

    def restore() -> None:
        for name, value in others.items():
            if vars(table).get(name, ABSENT) is not value:
                vars(table)[name] = value
        if [list(axis.names) for axis in table.axes] == names and before.equals(table):
            return
        vars(table)[_HOLDS] = vars(before.copy())[_HOLDS]
        vars(table).get("_item_cache", {}).clear()  # before pandas 3

    return restore


def may_write(code: types.CodeType) -> bool:
    """Whether code sets items or attributes, adds to something in place, or names a method or an option that does."""
    options = {name for each in code.co_consts if isinstance(each, tuple) for name in each if isinstance(name, str)}
    return not _IN_PLACE.isdisjoint({*code.co_names, *options}) or any(
        op.opname in ("STORE_SUBSCR", "STORE_SLICE", "DELETE_SUBSCR", "STORE_ATTR", "DELETE_ATTR")
        or (op.opname == "BINARY_OP" and op.argrepr.endswith("="))
        for op in dis.get_instructions(code)
    )
