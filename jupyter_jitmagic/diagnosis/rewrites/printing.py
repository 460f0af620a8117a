"""Printing and formatting of traced values → `jax.debug.print`; warnings and log lines → `jax.debug.callback`."""

from __future__ import annotations

import ast
import itertools
import logging
import re
import string
import warnings
from collections.abc import Iterator, Sequence

import jax

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Rule, Spot, Step, TracerPrinted, is_traced_value
from jupyter_jitmagic.source.code import Code, Edit, words
from jupyter_jitmagic.source.names import none_by_default, stored, walk_scope


def formatted(spot: Spot) -> Iterator[Step]:
    """`print(f"loss {loss:.3f}")` → `jax.debug.print("loss {loss:.3f}", loss=loss)`."""
    node = spot.node
    percent = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant)
    percent = percent and isinstance(getattr(node.left, "value", None), str)  # type: ignore[attr-defined]
    if not percent and "__format__" not in str(spot.error):
        return
    if read := _read_back(spot):
        call, value, decimals = read
        for number in (value, f"{spot.jnp('asarray')}({value}, float)"):  # an integer comes back as a float
            yield spot.step("round", (call, f"{spot.jnp('round')}({number}, {decimals})"))
        return
    statement = spot.code.statement(spot.node)
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        told = _uses_in_messages(spot, statement)
        if told:
            assert isinstance(statement, ast.Assign)
            message = spot.code.src(statement.value)
            yield spot.step("message", (spot.code.region([statement]), ""), *((use, message) for use in told))
            return
        raise Obstacle(
            "a traced value has no digits yet: it cannot be formatted into a string that the function goes on to use"
        )
    call = statement.value
    text = debug_print(spot, call)
    if text is not None:
        yield spot.step("debug.print", (call, text))
    else:
        yield spot.step("debug.callback", (call, debug_callback(spot, call)))


def converted_on_the_way(spot: Spot) -> Iterator[Step]:
    """`print(f"loss {float(loss):.3f}")` → `print(f"loss {loss:.3f}")`, all of a text at once: of one with digits, Python 3.11
    does not know which call in it has failed."""
    code = spot.code
    statement = code.statement(spot.node)
    within = (spot.node, *itertools.takewhile(lambda at: at is not statement, code.ancestors(spot.node)))
    if not isinstance(spot.error, jax.errors.ConcretizationTypeError) or not any(
        isinstance(at, ast.JoinedStr) for at in within
    ):
        return
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return
    if not _is_hosts_message(spot, statement.value):
        return
    edits: list[tuple[ast.AST, str]] = []
    for part in ast.walk(statement):
        match part:
            case ast.FormattedValue(value=ast.Call() as call, conversion=-1, format_spec=ast.JoinedStr() as digits) if _is_at(
                code, call
            ) and not any(isinstance(each, ast.JoinedStr) for each in ast.walk(call)):
                last = digits.values[-1] if digits.values else None
                as_float = isinstance(last, ast.Constant) and str(last.value).endswith(_OF_FLOATS)
                if (shown := _converted(spot, call, as_float)) and not shown.startswith("{"):
                    edits.append((call, shown))
    if edits:
        yield spot.step("item", *edits)


_OF_FLOATS = tuple("eEfFgG%")
"""How the digits end of what is written as a float."""


def _converted(spot: Spot, call: ast.Call, as_float: bool) -> str:
    """What `float(x)`, `int(x)` or `x.item()` is of an array, as text; "" for other calls. `as_float`: it is written as one,
    whatever it is."""
    traced = any(isinstance(n, ast.Name) and is_traced_value(spot.locals.get(n.id)) for n in ast.walk(call))
    match call:
        case ast.Call(func=ast.Attribute(value=value, attr="item"), args=[], keywords=[]) if traced:
            text = spot.code.expr(value)
            return f"{text}.reshape(())" if attribute(spot.held(value), "ndim", 0) else text
        case ast.Call(func=ast.Name(id="float" | "int" as kind), args=[value], keywords=[]) if traced and spot.is_builtin(kind):
            text = spot.code.expr(value)
            return text if as_float and kind == "float" else f"{spot.jnp('asarray')}({text}, {kind})"
    return ""


def _is_at(code: Code, node: ast.expr) -> bool:
    """Whether a part of an f-string stands where its position says, which Python 3.11 does not always know."""
    try:
        return ast.dump(ast.parse(code.src(node), mode="eval").body) == ast.dump(node)
    except (SyntaxError, ValueError, IndexError):
        return False


_DECIMALS = re.compile(r"\.(\d)f")  # so few that a power of ten has them in 32 bits


def _read_back(spot: Spot) -> tuple[ast.Call, str, str] | None:
    """(call, x, "2") of `float(f"{x:.2f}")`, `float("%.2f" % x)`, `float(format(x, ".2f"))`."""
    around = itertools.takewhile(lambda each: not isinstance(each, ast.stmt), (spot.node, *spot.code.ancestors(spot.node)))
    for call in (each for each in around if isinstance(each, ast.Call)):
        if not (isinstance(call.func, ast.Name) and call.func.id == "float" and spot.is_builtin("float")):
            continue
        match call.args:
            case [ast.JoinedStr(values=[ast.FormattedValue(value=value, format_spec=ast.JoinedStr(values=[spec]))])]:
                pass
            case [ast.Call(func=ast.Name(id="format"), args=[value, spec])] if spot.is_builtin("format"):
                pass
            case [ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod(), right=value)] if text.startswith("%"):
                spec = ast.Constant(text[1:])
            case _:
                continue
        decimals = _DECIMALS.fullmatch(spec.value) if isinstance(spec, ast.Constant) and isinstance(spec.value, str) else None
        if decimals is not None and not isinstance(value, ast.Tuple):
            return call, ast.unparse(value), decimals[1]  # what stands in an f-string has no place of its own in Python 3.11
    return None


def _uses_in_messages(spot: Spot, statement: ast.stmt) -> list[ast.Name]:
    """The places of `msg = f"…"` where it is told as it is, if these are all, and what it is made of is the same there."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.JoinedStr() as made):
            pass
        case _:
            return []
    code, function = spot.code, spot.function
    if function is None or not code.on_own_lines([statement]):
        return []
    block = code.block(statement)
    behind = {node for each in block[block.index(statement) + 1 :] for node in ast.walk(each)}
    named = [node for node in code.below(function) if isinstance(node, ast.Name)]
    uses = [node for node in named if node.id == name and isinstance(node.ctx, ast.Load)]
    last = max((use.lineno for use in uses), default=0)
    parts = {node.id for node in ast.walk(made) if isinstance(node, ast.Name)} | {name}
    stores = [node for node in behind if _changes(node, parts)]
    calls = [code.parents[use] for use in uses]
    told = all(
        isinstance(call, ast.Call)
        and use in call.args
        and isinstance(code.parents[call], ast.Expr)
        and _is_hosts_message(spot, call)
        for use, call in zip(uses, calls, strict=True)
    )
    inner = any(isinstance(at, ast.For | ast.While) and at in behind for use in uses for at in code.ancestors(use))
    once = sum(node.id == name for node in named) == len(uses) + 1
    same = all(getattr(node, "lineno", 0) > last for node in stores) and not (inner and stores)
    return uses if told and once and same and behind.issuperset(uses) else []


def _changes(node: ast.AST, names: set[str]) -> bool:
    """Whether a name gets another value there, or what it holds may: an item or attribute is set, a method called."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return name in names
        case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()) | ast.Call(func=ast.Attribute()):
            owner: ast.AST = node.func if isinstance(node, ast.Call) else node
            while isinstance(owner, ast.Attribute | ast.Subscript):
                owner = owner.value
            return isinstance(owner, ast.Name) and owner.id in names
    return False


def kept(spot: Spot) -> Iterator[Step]:
    """`print(x)`, which would show a tracer once → `jax.debug.print("{x}", x=x)`, which shows the value in each run."""
    node = spot.node
    # a line of a log is formatted by `logging`, which asks the tracer for its number
    shown = isinstance(spot.error, TracerPrinted | jax.errors.ConcretizationTypeError)
    if shown and isinstance(node, ast.Call) and _is_hosts_message(spot, node):
        yield spot.step("debug.print", (node, debug_print(spot, node) or debug_callback(spot, node)))


def debug_print(spot: Spot, call: ast.Call) -> str | None:
    """`jax.debug.print(…)` for a `print(…)` of an f-string or of plain values; None where it cannot say the same."""
    if not (isinstance(call.func, ast.Name) and call.func.id == "print" and spot.is_builtin("print")) or call.keywords:
        return None
    pieces: list[str] = []
    given = _Arguments(spot)
    for argument in call.args:
        piece = _piece(argument, given)
        if piece is None:
            return None
        pieces.append(piece)
    template = " ".join(pieces)
    return f"{spot.jax('debug.print')}({', '.join([_quoted(template), *given.texts()])})"


def is_message(spot: Spot, call: ast.Call) -> bool:
    """Whether a call tells somebody something and does nothing else: `print`, a warning, a line in a log; in `cond`, too."""
    called = spot.code.src(call.func)
    if called.endswith("lax.cond"):
        said = [ways.body for ways in call.args[1:] if isinstance(ways, ast.Lambda)]
        return any(isinstance(way, ast.Call) and is_message(spot, way) for way in said)
    return called.endswith(("debug.print", "debug.callback")) or _is_hosts_message(spot, call) or _is_callback(spot, call)


def _is_callback(spot: Spot, call: ast.Call) -> bool:
    """Whether it calls a parameter that is None here, as `if callback is not None: callback(x)` does, and drops the result."""
    match call.func, spot.function:
        case ast.Name(id=name), ast.FunctionDef(args=given):
            dropped = isinstance(spot.code.parents[call], ast.Expr)
            return dropped and name in none_by_default(given) and spot.value(call.func) is None
    return False


def _is_hosts_message(spot: Spot, call: ast.Call) -> bool:
    function = spot.value(call.func)
    if function is print or function is warnings.warn:
        return True
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in _LEVELS:
        return False
    owner = spot.value(call.func.value)
    return owner is logging or isinstance(owner, logging.Logger)


_LEVELS = words("debug info warning warn error critical")


def print_edits(spot: Spot, stmts: Sequence[ast.stmt]) -> list[Edit]:
    """Every message in a block that becomes a function of its own under `cond` or a loop: told when the values are there."""
    edits: list[Edit] = []
    for node in walk_scope(stmts):
        if isinstance(node, ast.Call) and (_is_hosts_message(spot, node) or _is_callback(spot, node)):
            edits.append((*spot.code.span(node), debug_print(spot, node) or debug_callback(spot, node)))
    return edits


def said_where(spot: Spot, stmts: Sequence[ast.stmt], test: str, holds: bool) -> list[Edit]:
    """Every message of the compiled code in a block that is computed whether or not it is chosen: told where it is chosen."""
    edits: list[Edit] = []
    before, after = ("lambda: ", ", lambda: None)") if holds else ("lambda: None, lambda: ", ")")
    for node in walk_scope(stmts):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and is_message(spot, node.value):
            start, end = spot.code.span(node)
            edits += [(start, start, f"{spot.lax('cond')}({test}, {before}"), (end, end, after)]
    return edits


class _Arguments:
    """What a template is filled with: names as keywords, other expressions by position."""

    def __init__(self, spot: Spot) -> None:
        self.spot = spot
        self.positional: list[str] = []
        self.named: dict[str, None] = {}

    def field(self, node: ast.expr, rest: str = "") -> str:
        if isinstance(node, ast.Name):
            self.named[node.id] = None
            return "{" + node.id + rest + "}"
        self.positional.append(self.spot.code.expr(node))
        return "{" + str(len(self.positional) - 1) + rest + "}"

    def texts(self) -> list[str]:
        return [*self.positional, *(f"{name}={name}" for name in self.named)]


def _piece(node: ast.expr, given: _Arguments) -> str | None:
    """One printed argument as a part of the template."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _escaped(node.value)
    if isinstance(node, ast.JoinedStr):
        out = ""
        for part in node.values:
            if isinstance(part, ast.Constant):
                out += _escaped(str(part.value))
                continue
            if not isinstance(part, ast.FormattedValue):
                return None
            spec = ""
            if isinstance(part.format_spec, ast.JoinedStr):
                if not all(isinstance(v, ast.Constant) for v in part.format_spec.values):
                    return None
                spec = ":" + "".join(str(v.value) for v in part.format_spec.values if isinstance(v, ast.Constant))
            conversion = f"!{chr(part.conversion)}" if part.conversion != -1 else ""
            out += given.field(part.value, conversion + spec)
        return out
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _of_format_call(node, given)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant):
        return _of_percent(node, given)
    return given.field(node)


def _of_format_call(node: ast.Call, given: _Arguments) -> str | None:
    func = node.func
    assert isinstance(func, ast.Attribute)
    if not isinstance(func.value, ast.Constant) or not isinstance(func.value.value, str):
        return None
    arguments: dict[str | None, ast.expr] = {str(number): argument for number, argument in enumerate(node.args)}
    arguments |= {keyword.arg: keyword.value for keyword in node.keywords}
    if None in arguments or any(isinstance(argument, ast.Starred) for argument in node.args):
        return None
    numbers, out = itertools.count(), ""
    for text, field, spec, conversion in string.Formatter().parse(func.value.value):
        out += _escaped(text)
        if field is None:
            continue
        argument = arguments.get(field or str(next(numbers)))
        if argument is None or "{" in (spec or ""):
            return None  # a part of an argument, or a width that is one
        out += given.field(argument, (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else ""))
    return out


def _of_percent(node: ast.BinOp, given: _Arguments) -> str | None:
    assert isinstance(node.left, ast.Constant)
    if not isinstance(node.left.value, str):
        return None
    values = iter(node.right.elts if isinstance(node.right, ast.Tuple) else [node.right])

    def fill(match: re.Match[str]) -> str:
        if match.group(0) == "%%":
            return "%"
        argument = next(values, None)
        if argument is None:
            return match.group(0)
        width, kind = match.groups()
        align = ">" if width and kind == "s" and not width.startswith("-") else ""
        spec = (align + width.lstrip("-") if not width.startswith("-") else "<" + width[1:]) + ("" if kind in "srd" else kind)
        return given.field(argument, ":" + spec if spec else "")

    return re.sub(r"%%|%([-+0 ]*\d*(?:\.\d+)?)([sdifgGeEr])", fill, _escaped(node.left.value))


def debug_callback(spot: Spot, call: ast.Call) -> str:
    """The same call, made by the host when the values are there; what it computes of them is computed before."""
    code, computed = spot.code, list[str]()
    if _is_callback(spot, call):
        return f"{spot.jax('debug.callback')}({', '.join(map(code.src, (call.func, *call.args, *call.keywords)))})"
    shown = []
    for argument in call.args:
        given = _Arguments(spot)
        lifted = isinstance(argument, ast.JoinedStr) and any(_computes(part) for part in argument.values)
        template = _piece(argument, given) if lifted else None
        if template is not None:
            for number, text in enumerate(given.positional):
                computed.append(text)
                template = re.sub(rf"(?<!\{{)\{{{number}(?=[!:}}])", "{" + _value_name(spot, len(computed)), template)
            shown.append("f" + _quoted(template))
        elif (values := _filled_with(argument)) is not None:
            shown.append(_with_computed(spot, argument, values, computed))
        elif not isinstance(argument, ast.JoinedStr | ast.Constant | ast.Starred) and _computes(argument):
            computed.append(code.expr(argument))
            shown.append(_value_name(spot, len(computed)))
        else:
            shown.append(code.src(argument))
    shown += [code.src(keyword) for keyword in call.keywords]
    inside = {n.id for text in shown for n in ast.walk(_argument(text)) if isinstance(n, ast.Name)}
    born = stored(spot.function.body) if isinstance(spot.function, ast.FunctionDef) else ()  # perhaps below the failing line
    names = sorted((inside & {*spot.locals, *born}) - {n.id for n in ast.walk(call.func) if isinstance(n, ast.Name)})
    parameters = ", ".join([*(_value_name(spot, number + 1) for number in range(len(computed))), *names])
    arguments = "".join(f", {text}" for text in [*computed, *names])
    made = code.src(call) if not computed else f"{code.src(call.func)}({', '.join(shown)})"
    return f"{spot.jax('debug.callback')}(lambda {parameters}: {made}{arguments})".replace("lambda :", "lambda:")


def _filled_with(node: ast.expr) -> list[ast.expr] | None:
    """What `"…".format(…)` and `"…" % (…)` put into their text, which needs the values; None of anything else."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="format")):
            given = [each.value if isinstance(each, ast.Starred) else each for each in node.args]
            return [*given, *(each.value for each in node.keywords)]
        case ast.BinOp(left=ast.Constant(value=str()), op=ast.Mod(), right=ast.Tuple(elts=given)):
            return [each.value if isinstance(each, ast.Starred) else each for each in given]
        case ast.BinOp(left=ast.Constant(value=str()), op=ast.Mod(), right=value):
            return [value]
    return None


def _with_computed(spot: Spot, node: ast.expr, values: Sequence[ast.expr], computed: list[str]) -> str:
    """An expression's text with names in the place of what is computed among its values, which is added to `computed`."""
    code, edits = spot.code, []
    for value in values:
        if _computes(value):
            computed.append(code.expr(value))
            edits.append((*code.span(value), _value_name(spot, len(computed))))
    return code.edited(*code.span(node), edits)


def _computes(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Call) for part in ast.walk(node))


def _value_name(spot: Spot, number: int) -> str:
    """The name in a callback of what was computed before, which is none of the function's own."""
    name = "value" if number == 1 else f"value_{number}"
    own = {*spot.locals, *(stored(spot.function.body) if isinstance(spot.function, ast.FunctionDef) else ())}
    return f"{name}_told" if name in own else name


def _argument(text: str) -> ast.AST:
    return ast.parse(f"f({text})")


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _quoted(text: str) -> str:
    shown = repr(text)
    return '"' + shown[1:-1].replace('"', '\\"') + '"' if shown.startswith("'") and "\\'" not in shown else shown


BEFORE_CONVERSIONS: list[Rule] = [converted_on_the_way]
RULES: list[Rule] = [kept, formatted]
