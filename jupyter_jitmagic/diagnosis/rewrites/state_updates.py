"""`if test: opt.update(model, grads)` on objects of flax.nnx → `nnx.cond`, which hands on what they hold after either side."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step


def updated_on_one_side(spot: Spot) -> Iterator[Step]:
    """A test below which such objects are changed, and nothing else is done; or a return before that, of what is returned
    behind it as well."""
    asked, function, code = spot.asked(), spot.function, spot.code
    if asked is None or not isinstance(asked[1], ast.If) or not isinstance(function, ast.FunctionDef):
        return
    statement = asked[1]
    told: list[str] = []
    nnx = next((name for name, value in spot.globals.items() if getattr(value, "__name__", "") == "flax.nnx"), "")
    if not nnx or statement.orelse or code.is_elif(statement) or code.function(statement) is not function:
        return
    behind = code.block(statement)[code.block(statement).index(statement) + 1 :]
    if _returns(statement.body) is not None and _returns(behind) is not None:
        early, last = _returns(statement.body), _returns(behind)
        told = list(map(_message, statement.body[:-1]))
        if not all(told) or ast.dump(early) != ast.dump(last):  # type: ignore[arg-type]
            return
        done, replaced, otherwise = behind[:-1], [statement, *behind[:-1]], True
    else:
        done, replaced, otherwise = statement.body, [statement], False
    objects = _changed(spot, done)
    if not objects or not code.on_own_lines(replaced):
        return
    indent, (start, end), name = code.indent(statement), code.region(replaced), code.fresh("update", "update_state")
    test = statement.test
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test, otherwise = test.operand, not otherwise
    skip = code.fresh("skip", "skip_it") if told else "lambda *_: None"
    sides = (skip, name) if otherwise else (name, skip)
    given = ", ".join(objects)
    body = code.block_text(done, f"{indent}    ")
    text = (
        f"{indent}def {name}({given}):\n{body.rstrip()}\n\n{indent}{nnx}.cond({code.src(test)}, {', '.join(sides)}, {given})\n"
    )
    lines = "".join(f"{indent}    {spot.jax('debug.print')}({each})\n" for each in told)
    before = f"{indent}def {skip}(*_):\n{lines}\n" if told else ""
    yield spot.step("cond", ((start, end), before + text))


def _returns(stmts: Sequence[ast.stmt]) -> ast.expr | None:
    last = stmts[-1] if stmts else None
    return last.value if isinstance(last, ast.Return) else None


def _message(stmt: ast.stmt) -> str:
    """The text that a statement prints, as code; "" where it does anything else."""
    match stmt:
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=[ast.Constant(value=str() as text)], keywords=[])):
            return "" if "{" in text or "}" in text else repr(text)
    return ""


def _changed(spot: Spot, stmts: Sequence[ast.stmt]) -> list[str]:
    """The names of the objects of nnx in statements that call their methods, and do nothing else; nothing where others are."""
    names: dict[str, None] = {}
    for each in stmts:
        match each:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=root)))) if _is_of_nnx(spot.locals.get(root)):
                named = (node.id for node in ast.walk(each) if isinstance(node, ast.Name))
                names |= dict.fromkeys(name for name in named if _is_of_nnx(spot.locals.get(name)))
            case _:
                return []
    return list(names)


def _is_of_nnx(value: Any) -> bool:
    return any(kind.__name__ == "Pytree" and kind.__module__.startswith("flax.nnx") for kind in type(value).__mro__)


RULES: list[Rule] = [updated_on_one_side]
