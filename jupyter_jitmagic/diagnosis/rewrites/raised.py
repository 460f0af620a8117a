"""What Python raises by the values that a call meets, as a test; and what an exception of the user's holds for its handler."""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from jupyter_jitmagic.base.looking import is_a
from jupyter_jitmagic.diagnosis.rewrites.host_functions import host_names
from jupyter_jitmagic.diagnosis.rewrites.rules import NOT_SQUARE, Spot
from jupyter_jitmagic.source.names import always_leaves, bound_once, stored, walk
from jupyter_jitmagic.usercode.ownership import is_users_text

AS_TEXT = "text"
"""Of `told_of`: what an exception is as a text."""
_Edit = tuple[ast.AST | tuple[int, int], str]
_OUTSIDE: dict[Any, str] = {
    math.log: "{} <= 0",
    math.log2: "{} <= 0",
    math.log10: "{} <= 0",
    math.log1p: "{} <= -1",
    math.sqrt: "{} < 0",
    math.asin: "abs({}) > 1",
    math.acos: "abs({}) > 1",
    math.atanh: "abs({}) >= 1",
    math.acosh: "{} < 1",
}
"""Where functions of one number raise ValueError."""
_FACTORS = {"numpy.linalg.cholesky", "scipy.linalg.cholesky"}
_SOLUTIONS = {"numpy.linalg.inv", "numpy.linalg.solve", "scipy.linalg.inv", "scipy.linalg.solve"}
"""What raises LinAlgError, of a matrix that is not positive definite, and of one that is singular: JAX's own give NaN or
infinity there."""

_FACTORS_AND_WHICH_HALF = {"scipy.linalg.cho_factor"}
NEVER_FAIL = {"numpy.linalg.norm", "numpy.linalg.det", "numpy.linalg.slogdet", "scipy.linalg.cho_solve"}
"""What raises LinAlgError of no numbers."""
_NO_MATRIX = {
    NOT_SQUARE: "a matrix that is not square, of which LinAlgError is raised, too",
    "nan": "NaN and infinities in a matrix, of which LAPACK may raise LinAlgError or not",
}
_NO_GRADIENT = "its gradient is NaN where LinAlgError would be raised"


@dataclass(frozen=True)
class Raised:
    """What a call may raise.

    Attributes:
        error: the class.
        test: when, as text that may stand before the call's statement.
        before: lines before the test.
        edits: the call as one that needs no handler.
        of_result: whether the test asks the variable to which the statement binds what was called; it stands behind it then.
        excludes, note: as a step's.
    """

    error: type[Exception]
    test: str
    before: Sequence[str] = ()
    edits: Sequence[_Edit] = ()
    of_result: bool = False
    excludes: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def raised_by(spot: Spot, call: ast.Call, handlers: Sequence[ast.ExceptHandler] = ()) -> Raised | None:
    """What a call raises by the values that it meets, where that is one thing that can be asked, with what handles it."""
    code = spot.code
    names = set(host_names(spot, call.func))
    if names & (_FACTORS | _FACTORS_AND_WHICH_HALF | _SOLUTIONS) and call.args:
        return _not_solvable(spot, call, names, handlers)
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Name() as values, attr="index"), args=[item], keywords=[]):
            held = spot.value(values)
            if isinstance(held, list | tuple) and _is_plain(item):
                return Raised(ValueError, f"{code.operand(item)} not in {values.id}")
        case ast.Call(func=ast.Attribute(value=ast.Call() as made, attr="index"), args=[item], keywords=[]):
            if _makes_a_list(spot, made) and _is_plain(item):
                name = code.fresh("items", "listed")
                return Raised(ValueError, f"{code.operand(item)} not in {name}", [f"{name} = {code.src(made)}"], [(made, name)])
        case ast.Call(func=ast.Name(id="min" | "max" as which), args=[items]) if spot.is_builtin(which):
            if all(each.arg == "key" and isinstance(each.value, ast.Lambda) for each in call.keywords):
                return _of_nothing(spot, items)
        case ast.Call(func=ast.Name(id="next"), args=[items], keywords=[]) if spot.is_builtin("next"):
            return _exhausted(spot, call, items)
        case ast.Call(args=[number], keywords=[]):
            function = spot.value(call.func)
            outside = _OUTSIDE.get(function) if isinstance(function, types.BuiltinFunctionType) else None
            if outside is None:
                return None
            if _is_plain(number):
                inside = code.expr(number) if outside.startswith("abs") else code.operand(number)
                return Raised(ValueError, outside.format(inside))
            name = code.fresh("number", "argument", "value_given")
            return Raised(ValueError, outside.format(name), [f"{name} = {code.expr(number)}"], [(number, name)])
    return None


def _makes_a_list(spot: Spot, made: ast.Call) -> bool:
    """`x.tolist()`, `list(x)`."""
    match made:
        case ast.Call(func=ast.Attribute(attr="tolist"), args=[], keywords=[]):
            return True
        case ast.Call(func=ast.Name(id="list"), args=[_], keywords=[]):
            return spot.is_builtin("list")
    return False


def _of_nothing(spot: Spot, items: ast.expr) -> Raised | None:
    """`min(items)`, which are a list or come from a generator that nothing else asks."""
    code = spot.code
    match items:
        case ast.Name(id=name) if isinstance(spot.value(items), list) or _is_made_a_list(spot, name):
            return Raised(ValueError, f"not {name}")
        case ast.GeneratorExp() | ast.ListComp():
            name = code.fresh("items", "listed")
            inner = code.src(items).strip()
            bare = inner[1:-1] if inner[:1] in "([" and isinstance(items, ast.ListComp) else code.expr(items)[1:-1]
            return Raised(ValueError, f"not {name}", [f"{name} = [{bare}]"], [(items, name)])
    return None


def _is_made_a_list(spot: Spot, name: str) -> bool:
    """Whether a variable is bound once, to a list, perhaps on a line that is still to come."""
    function = spot.function
    made = bound_once(function, name) if isinstance(function, ast.FunctionDef) else None
    return isinstance(made, ast.ListComp | ast.List)


def _not_solvable(spot: Spot, call: ast.Call, names: set[str], handlers: Sequence[ast.ExceptHandler]) -> Raised | None:
    """A matrix that cannot be factored or inverted: what comes out is no number, of numbers."""
    code, isfinite, singular = spot.code, spot.jnp("isfinite"), bool(names & _SOLUTIONS)
    part = "[0]" if names & _FACTORS_AND_WHICH_HALF else ""
    if singular and not all(map(_is_plain, call.args)):
        return None

    def test(result: str) -> str:
        numbers = "".join(f"{isfinite}({code.expr(each)}).all() and " for each in call.args[: 2 if singular else 0])
        return f"{numbers}not {isfinite}({result}{part}).all()"

    raised = Raised(np.linalg.LinAlgError, "", excludes=_NO_MATRIX, note=_NO_GRADIENT)
    match code.statement(call):
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is call and (
            all(always_leaves(each.body) or name in stored(each.body) for each in handlers) or _is_asked_there(spot, call, name)
        ):
            return replace(raised, test=test(name), of_result=True)
    name = code.fresh("solved", "result_of_solving") if singular else code.fresh("factor", "result_of_factoring")
    if isinstance(code.parents[call], ast.Expr):
        return replace(raised, test=test(name), edits=[(call, f"{name} = {code.src(call)}")], of_result=True)
    return replace(raised, test=test(name), before=[f"{name} = {code.expr(call)}"], edits=[(call, name)])


def _is_asked_there(spot: Spot, call: ast.Call, name: str) -> bool:
    """Whether a variable is read in the block alone in which it is bound."""

    def reads(nodes: Sequence[ast.AST]) -> int:
        return sum(
            isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for each in nodes for n in walk(each)
        )

    return reads(spot.code.block(spot.code.statement(call))) == reads([spot.function or spot.code.tree])


def _is_plain(node: ast.expr) -> bool:
    """Whether an expression may as well be evaluated twice."""
    return not any(isinstance(each, ast.Call | ast.NamedExpr | ast.Await | ast.Yield) for each in ast.walk(node))


def _exhausted(spot: Spot, call: ast.Call, items: ast.expr) -> Raised | None:
    """`next(items)` of a generator that is asked once: a loop that is left in its first round."""
    code, edits = spot.code, list[_Edit]()
    if isinstance(items, ast.Name):
        named = [n for n in ast.walk(spot.function or code.tree) if isinstance(n, ast.Name) and n.id == items.id]
        made = [n for n in named if isinstance(n.ctx, ast.Store)]
        statement = code.statement(made[0]) if len(made) == 1 and len(named) == 2 else None
        if not isinstance(statement, ast.Assign) or not code.on_own_lines([statement]):
            return None
        edits.append((code.region([statement]), ""))
        items = statement.value
    missing, first = code.fresh("missing", "none_is_left"), code.fresh("first", "first_item", "met_first")
    taken = f"{missing}, {first} = False, "
    match items:
        case ast.GeneratorExp(elt=elt, generators=[ast.comprehension(target=target, iter=over, ifs=ifs, is_async=0)]):
            nothing = f"({', '.join('0' * len(elt.elts))})" if isinstance(elt, ast.Tuple) else "0"
            lines = [f"for {code.src(target)} in {code.expr(over)}:"]
            tests = " and ".join(map(code.operand, ifs)) if len(ifs) > 1 else "".join(map(code.expr, ifs))
            lines += [f"    if {tests}:"] if ifs else []
            inner = "        " if ifs else "    "
            lines += [f"{inner}{taken}{code.operand(elt)}", f"{inner}break"]
        case ast.Call(func=ast.Name()) if inspect.isgeneratorfunction(spot.value(items.func)):
            each, nothing = code.fresh("each", "item"), "0"
            lines = [f"for {each} in {code.src(items)}:", f"    {taken}{each}", "    break"]
        case _:
            return None
    return Raised(StopIteration, missing, [f"{missing}, {first} = True, {nothing}", *lines], [*edits, (call, first)])


def told_of(handler: ast.ExceptHandler) -> dict[ast.expr, str] | None:
    """What a handler asks of what it caught: `e.excess`, `e.args[0]` as the names of fields, what is printed of it as
    `AS_TEXT`; None where it asks for more."""
    found: dict[ast.expr, str] = {}
    parents = {child: node for each in handler.body for node in ast.walk(each) for child in ast.iter_child_nodes(node)}
    for use in [n for each in handler.body for n in ast.walk(each) if isinstance(n, ast.Name) and n.id == handler.name]:
        field = parents.get(use)
        if _is_printed(use, field):
            found[use] = AS_TEXT
            continue
        match field, parents.get(field) if field is not None else None:
            case ast.Attribute(attr="args"), ast.Subscript(slice=ast.Constant(value=int() as place), ctx=ast.Load()) as item:
                found[item] = f"args_{place}"
            case ast.Attribute(attr=name, ctx=ast.Load()), around if name != "args" and not isinstance(around, ast.Call):
                found[field] = name
            case _:
                return None
    return found


def _is_printed(use: ast.expr, around: ast.AST | None) -> bool:
    """Whether it stands where its text alone is taken."""
    match around:
        case ast.Call(func=ast.Name(id="print" | "str"), args=args):
            return use in args
        case ast.FormattedValue(conversion=-1, format_spec=None):
            return True
    return False


def given_to(spot: Spot, made: ast.expr | None) -> dict[str, str] | None:
    """What an exception holds that is made there: each field's text, as it may be written in its place."""
    if not isinstance(made, ast.Call) or any(isinstance(each, ast.Starred) for each in made.args):
        return None
    kind = spot.value(made.func)
    if not is_a(kind, type):
        return None
    given = list(map(spot.code.expr, made.args))
    held = {f"args_{place}": text for place, text in enumerate(given)}
    if len(given) == 1 and not issubclass(kind, KeyError):  # which shows its key as it is written
        held[AS_TEXT] = given[0]
    begin = next((vars(each)["__init__"] for each in kind.__mro__ if "__init__" in vars(each)), None)
    if not isinstance(begin, types.FunctionType):
        return held if not made.keywords else None
    if not is_users_text(begin.__code__.co_filename):
        return None
    try:
        function = ast.parse(textwrap.dedent(inspect.getsource(begin))).body[0]
    except (OSError, TypeError, SyntaxError):
        return None
    if not isinstance(function, ast.FunctionDef) or function.args.defaults or function.args.vararg:
        return None
    names = [each.arg for each in function.args.args[1:]]
    bound = dict(zip(names, given, strict=False)) | {k.arg: spot.code.expr(k.value) for k in made.keywords if k.arg is not None}
    if set(bound) != set(names):
        return None
    fields: dict[str, str] = {}
    for statement in function.body:
        match statement:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=own), attr=field)], value=ast.Name(id=name)) if (
                own == function.args.args[0].arg and name in bound
            ):
                fields[field] = bound[name]
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="__init__"))) | ast.Expr(value=ast.Constant()) | ast.Pass():
                pass
            case _:
                return None
    return fields
