"""A cell whose function was split: jit goes from the function to its pieces. Knows nothing of IPython."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.magics.cell_names import Names
from jupyter_jitmagic.magics.cell_tree import plan
from jupyter_jitmagic.magics.fixed_cells import without_magics
from jupyter_jitmagic.magics.jit_calls import Sought, called_plainly, calls_given
from jupyter_jitmagic.magics.request import jit_line, options_of, read_jit_line, without_static


def in_pieces(
    text: str,
    before: str,
    function: str,
    pieces: tuple[str, ...],
    namespace: Mapping[str, Any],
    place: tuple[str, int] = ("", 0),
) -> str:
    """The cell with the split in it, in which nothing puts the function itself under jit any more.

    Args:
        text: the cell with the pieces and the function in it.
        before: the cell as it was typed.
        function: the function's qualified name.
        pieces: the names of the pieces that are in the cell, where they stand under `jax.jit`.
        namespace: the user's names.
        place: the file and line at which the function is defined, to know it under other names.

    Raises:
        OptionError: the line of ``%%jit``, or another call of jit that is given the function, cannot be changed so; one line.
    """
    name = function.rpartition(".")[2]
    text = _called_plainly(text, Sought(name, *place, namespace))
    number = jit_line(text)
    if number is None:
        return text
    lines = text.split("\n")
    head, options = options_of(lines[number])
    tree = ast.parse(without_magics(before))
    request = read_jit_line(options)
    taken = [each.name for each in plan(tree, request, namespace).taken]
    if name not in taken:
        return text
    if request.donate:
        raise OptionError(f"this %%jit donates {', '.join(request.donate)}; put the split in by hand")
    others = [each for each in plan(tree, request, namespace).taken if each.name != name]
    kept = {argument for each in others for argument in each.static}
    for written in request.static:
        owner, _, argument = written.rpartition(".")
        if owner == name or (not owner and argument not in kept):
            options = without_static(options, written)
    wanted = [*(each.name for each in others), *pieces]
    if not wanted:
        return "\n".join([*lines[:number], *lines[number + 1 :]])
    if request.names:
        options = re.sub(rf"(?<![\w.=-]){re.escape(name)}(?![\w.])", ",".join(pieces), options, count=1)
    else:
        options = f" {','.join(wanted)}{options}"
    if set(read_jit_line(options).names) != set(wanted):
        raise OptionError(f"the line of %%jit cannot be changed as it is written; it should take {', '.join(wanted)}")
    lines[number] = head + options
    return "\n".join(lines)


def _called_plainly(text: str, sought: Sought) -> str:
    tree = ast.parse(without_magics(text))
    text = called_plainly(text, tree, sought, Names(tree, sought.namespace))
    tree = ast.parse(without_magics(text))
    left = calls_given(tree, sought, Names(tree, sought.namespace))
    if left:
        raise OptionError(f"{ast.unparse(left[0])} stays; put the split in by hand")
    return text
