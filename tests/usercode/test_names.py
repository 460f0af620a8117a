"""Trees are gone through as Python's own `ast` does it."""

import ast
import inspect

import pytest

from jupyter_jitmagic.source import code, names, units
from jupyter_jitmagic.source.names import children, walk


@pytest.mark.parametrize("module", [code, names, units, ast, inspect])
def test_nodes_come_in_the_order_of_ast_without_their_contexts(module):
    tree = ast.parse(inspect.getsource(module))
    kept = [node for node in ast.walk(tree) if not isinstance(node, ast.expr_context)]
    assert walk(tree) == kept
    for node in kept:
        assert children(node) == [each for each in ast.iter_child_nodes(node) if not isinstance(each, ast.expr_context)]
