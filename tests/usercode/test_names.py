"""Trees are gone through as Python's own `ast` does it."""

import ast
import inspect
import itertools
import random
from collections.abc import Iterator

import pytest

from jupyter_jitmagic.source import code, names, units
from jupyter_jitmagic.source.names import children, names_around, walk


@pytest.mark.parametrize("module", [code, names, units, ast, inspect])
def test_nodes_come_in_the_order_of_ast_without_their_contexts(module):
    tree = ast.parse(inspect.getsource(module))
    kept = [node for node in ast.walk(tree) if not isinstance(node, ast.expr_context)]
    assert walk(tree) == kept
    for node in kept:
        assert children(node) == [each for each in ast.iter_child_nodes(node) if not isinstance(each, ast.expr_context)]


class _Followed(dict):
    """Names of a program: what is read behind each mark before it is written."""

    def __init__(self, draws: random.Random) -> None:
        self.draws, self.unwritten, self.read = draws, {}, {}
        super().__init__(dict.fromkeys("abcd", 0), at=self.at, choose=lambda _: draws.random() < 0.5)

    def at(self, mark: int) -> None:
        self.unwritten[mark] = set("abcd")
        self.read.setdefault(mark, set())

    def __getitem__(self, name: str) -> object:
        for mark, unwritten in self.unwritten.items():
            self.read[mark] |= {name} & unwritten
        return super().__getitem__(name)

    def __setitem__(self, name: str, value: object) -> None:
        for unwritten in self.unwritten.values():
            unwritten.discard(name)
        super().__setitem__(name, value)


def _program(draws: random.Random, depth: int, marks: Iterator[int], in_loop: bool, indent: str = "") -> str:
    text = ""
    for _ in range(draws.randint(1, 3)):
        text += f"{indent}at({next(marks)})\n"
        kind = draws.choice(["set", "set", "if", "while", "for", "leave"] if depth else ["set", "leave"])
        inner = indent + "    "
        if kind == "set":
            text += f"{indent}{draws.choice('abcd')} = {draws.choice('abcd')}\n"
        elif kind == "leave" and in_loop:
            text += f"{indent}if choose({draws.choice('abcd')}):\n{inner}{draws.choice(['break', 'continue'])}\n"
            if draws.random() < 0.3:
                text += f"{indent}else:\n{inner}{draws.choice(['break', 'continue'])}\n"
        elif kind in ("if", "while", "for"):
            head = "for {} in (1, 2, 3):" if kind == "for" else kind + " choose({}):"
            text += f"{indent}{head.format(draws.choice('abcd'))}\n"
            text += _program(draws, depth - 1, marks, in_loop or kind != "if", inner)
            if draws.random() < 0.4:
                text += f"{indent}else:\n{_program(draws, depth - 1, marks, in_loop, inner)}"
    return text


@pytest.mark.parametrize("seed", range(60))
def test_what_a_run_reads_is_live(seed):
    """Programs at random, run with tests that come out at random: none reads a name first that is not said to be live."""
    draws = random.Random(seed)
    text = _program(draws, 3, itertools.count(), False)
    program, compiled = code.Code(text), compile(text, "program", "exec")
    marks = {
        stmt.value.args[0].value: stmt
        for stmt in ast.walk(program.tree)
        if isinstance(stmt, ast.Expr) and isinstance(stmt.value, ast.Call)
    }
    live = {mark: program.live_after(stmt) for mark, stmt in marks.items()}
    for _ in range(40):
        followed = _Followed(draws)
        exec(compiled, {}, followed)
        assert all(read <= live[mark] for mark, read in followed.read.items())


def test_a_name_that_every_way_writes_first_is_not_live():
    text = "while choose(a):\n    at(0)\n    if choose(a):\n        b = 1\n        break\n    b = 2\nelse:\n    b = 3\nuse(b)\n"
    program = code.Code(text)
    assert "b" not in program.live_after(program.tree.body[0].body[0])
    assert "b" in program.live_after(program.tree.body[0])


def test_names_of_a_function_or_comprehension_in_a_node_are_not_those_around_it():
    text = "g(x, lambda y, z=x: x + y, [x for x in x for y in x], {y for v in w if v})"
    around = list(text)
    for name in names_around(ast.parse(text, mode="eval")):
        around[name.col_offset] = name.id.upper()
    assert "".join(around) == "G(X, lambda y, z=X: X + y, [x for x in X for y in x], {Y for v in W if v})"
