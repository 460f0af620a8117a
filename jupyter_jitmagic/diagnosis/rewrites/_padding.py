"""Follows an array that is longer than plain Python's, because some of its elements do not count, to where it is reduced.

`Valid` says which elements count, `Flow` walks over the statements after the selection. What is elementwise stays as it is,
each known reduction is told the mask, and anything else is an `Obstacle`.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from ._code import COMPREHENSIONS, read_first, words
from ._rules import Obstacle, Spot

ELEMENTWISE = words(
    "abs absolute add arccos arcsin arctan arctan2 asarray array astype cbrt ceil clip conj cos cosh deg2rad divide equal exp "
    "exp2 expm1 fabs float_power float32 float64 floor floor_divide fmod greater greater_equal hypot int32 isfinite isinf "
    "isnan less less_equal log log10 log1p log2 logaddexp logical_and logical_not logical_or logical_xor maximum minimum mod "
    "multiply nan_to_num negative not_equal power rad2deg real imag reciprocal remainder rint round sign sin sinc sinh sqrt "
    "square subtract tan tanh true_divide where relu sigmoid softplus gelu silu elu leaky_relu log_sigmoid swish "
    "expit erf erfc gammaln digamma xlogy xlog1py entr"
)
FLAT = words("ravel flatten squeeze copy")
WHERE_REDUCTIONS = words("sum mean prod any all std var nansum nanmean nanstd nanvar nanprod count_nonzero")
SET_BY_WHERE = {
    "set": "{v}",
    "add": "{x} + {v}",
    "multiply": "{x} * ({v})",
    "mul": "{x} * ({v})",
    "subtract": "{x} - ({v})",
    "divide": "{x} / ({v})",
    "power": "{x} ** ({v})",
}  # `x.at[mask].method(v)` as a choice
EXTREMES = {"max": "-", "min": "", "amax": "-", "amin": "", "nanmax": "-", "nanmin": "", "ptp": ""}
BY_NAN = {"median": "nanmedian", "quantile": "nanquantile", "percentile": "nanpercentile"}
FRONT, SPREAD = "front", "spread"  # valid elements first, as nonzero gives them, or where they stood
GATHERED = "gathered"  # one element for each group; read only by the group numbers that `text` holds


@dataclass(frozen=True)
class Valid:
    """Which elements of a padded array count.

    Attributes:
        text: the mask, as source.
        order: FRONT or SPREAD.
        rows: the array has further axes; the mask is along its first one.
        flat: the mask has the array's own (several) axes, plain Python's selection had one.
    """

    text: str
    order: str = SPREAD
    rows: bool = False
    flat: bool = False

    @property
    def broadcast(self) -> str:
        return f"{self.text}[:, None]" if self.rows else self.text


class Flow:
    """Follows padded arrays from the place of the selection to the reductions, and notes the edits on the way."""

    def __init__(self, spot: Spot, site: ast.expr, text: str, valid: Valid | tuple[Valid | None, ...]) -> None:
        self.spot, self.code, self.site, self.site_text, self.site_valid = spot, spot.code, site, text, valid
        self.names: dict[str, Valid] = {}
        self.edits: list[tuple[int, int, str]] = []
        self.integer = False  # elements are integers: no infinity stands for the worst one
        self.group_name = ""  # of the numbers that stand for `Valid.text` of a GATHERED array
        self.bounded = False  # an infinity or an integer bound was written

    # -- statements ---------------------------------------------------------------------------------------

    def follow(self, statement: ast.stmt) -> None:
        """The statement of the site and all that may run after it."""
        at: ast.AST = statement
        self.statement(statement)
        while isinstance(at, ast.stmt):
            block = self.code.block(at)
            for following in block[block.index(at) + 1 :]:
                self.statement(following)
            at = self.code.parents[at]
            if isinstance(at, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
                break
            if isinstance(at, ast.For | ast.While):  # nothing of this round may be read in the next one, or after the loop
                if set(self.names) & (read_first(at.body) | self.code.live_after(at)):
                    raise Obstacle("a selection of a length that depends on values is carried from round to round of a loop")
                break

    def statement(self, node: ast.stmt) -> None:
        if not self.concerned(node):
            return
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._bind(name, self.visit(value))
            case ast.Assign(targets=[ast.Tuple(elts=elements)], value=value):
                self._unpack(elements, value)
            case ast.Assign(targets=[ast.Subscript() | ast.Attribute() as target], value=value):
                self._plain([target, value])
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self._bind(name, self.visit(value))
            case ast.AugAssign(target=ast.Name(id=name), value=value):
                valid, old = self.visit(value), self.names.get(name)
                if (valid is None) != (old is None):
                    if valid is not None:
                        self.stop(node)
                elif valid != old:
                    self.stop(node)
            case ast.Return(value=ast.expr() as value):
                if self.visit(value) is not None:
                    raise Obstacle(
                        f"`{self.code.src(value)}` has a length that depends on values, and it is what the function returns: "
                        "no array of a fixed shape can hold it"
                    )
            case ast.Expr(value=value):
                self.visit(value)
            case ast.If(test=test, body=body, orelse=orelse):
                self._truth(test)
                for inner in (*body, *orelse):
                    self.statement(inner)
            case _:
                self.stop(node)

    def concerned(self, node: ast.AST) -> bool:
        """Whether the site or a padded name stands in the node."""
        return any(part is self.site or (isinstance(part, ast.Name) and part.id in self.names) for part in ast.walk(node))

    def _bind(self, name: str, valid: Valid | None) -> None:
        self.names.pop(name, None)
        if valid is not None:
            self.names[name] = valid

    def _unpack(self, targets: list[ast.expr], value: ast.expr) -> None:
        if value is self.site and isinstance(self.site_valid, tuple):
            self.replace(value, self.site_text)
            for target, valid in zip(targets, self.site_valid, strict=False):
                if not isinstance(target, ast.Name):
                    self.stop(value)
                self._bind(target.id, valid)
        elif isinstance(value, ast.Tuple) and len(value.elts) == len(targets):
            found = [self.visit(element) for element in value.elts]
            for target, valid in zip(targets, found, strict=True):
                if isinstance(target, ast.Name):
                    self._bind(target.id, valid)
                elif valid is not None:
                    self.stop(value)
        elif self.visit(value) is not None:
            self.stop(value)

    # -- expressions --------------------------------------------------------------------------------------

    def visit(self, node: ast.expr) -> Valid | None:
        """Note the edits of an expression; which elements of its value count, or None if it is no padded array."""
        if node is self.site:
            if isinstance(self.site_valid, tuple):
                self.stop(node)
            self.replace(node, self.site_text)
            return self.site_valid
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if not self.concerned(node):
            return self._same_selection(node)
        match node:
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                return self._product(node, left, right)
            case ast.BinOp(left=left, right=right):
                return self._joined(node, [left, right])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self._truth(operand)
                return None
            case ast.UnaryOp(operand=operand):
                return self.visit(operand)
            case ast.Compare(left=left, comparators=comparators) if len(comparators) == 1:
                return self._joined(node, [left, *comparators])
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                self._plain(elements)
                return None
            case ast.Dict(values=values):
                self._plain(values)
                return None
            case ast.Attribute():
                return self._attribute(node)
            case ast.Subscript():
                return self._subscript(node)
            case ast.Call():
                return self._call(node)
        self.stop(node)

    def _truth(self, node: ast.expr) -> None:
        """A test; that of a list asks whether it has elements."""
        valid = self.visit(node)
        if valid is None:
            return
        if not isinstance(self.site, COMPREHENSIONS):
            self.stop(node)
        self.replace(node, f"({self.counted(valid)} > 0)")

    def _same_selection(self, node: ast.expr) -> Valid | None:
        """`y[mask]` beside the site `x[mask]` is selected in the same way."""
        if (
            isinstance(node, ast.Subscript)
            and isinstance(self.site, ast.Subscript)
            and isinstance(self.site_valid, Valid)
            and ast.dump(node.slice) == ast.dump(self.site.slice)
            and self.site_valid.order == SPREAD
        ):
            self.replace(node, self.code.operand(node.value))
            return self.site_valid
        if isinstance(node, ast.BinOp):
            return self._joined(node, [node.left, node.right]) if self._selects(node) else None
        if isinstance(node, ast.Call) and self._selects(node):
            return self._call(node)
        if isinstance(node, ast.UnaryOp) and self._selects(node):
            return self.visit(node.operand)
        return None

    def _selects(self, node: ast.expr) -> bool:
        return isinstance(self.site, ast.Subscript) and any(
            isinstance(part, ast.Subscript) and ast.dump(part.slice) == ast.dump(self.site.slice) for part in ast.walk(node)
        )

    def _joined(self, node: ast.expr, operands: list[ast.expr]) -> Valid | None:
        found = [valid for operand in operands if (valid := self.visit(operand)) is not None]
        if any(valid != found[0] for valid in found[1:]):
            self.stop(node)
        return found[0] if found else None

    def _plain(self, parts: list[ast.expr]) -> None:
        """None of the parts may be padded."""
        for part in parts:
            if self.visit(part) is not None:
                self.stop(part)

    def _attribute(self, node: ast.Attribute) -> Valid | None:
        valid = self.visit(node.value)
        if valid is None:
            return None
        if node.attr == "size":
            self.count(node, valid)
            return None
        if node.attr == "T" and not valid.rows:
            self.replace(node, self.text(node.value))
            return valid
        if node.attr in ("dtype", "ndim"):
            return None
        if node.attr in ("real", "imag"):
            return valid
        self.stop(node)

    def _subscript(self, node: ast.Subscript) -> Valid | None:
        if (
            isinstance(node.value, ast.Attribute)
            and node.value.attr == "shape"
            and isinstance(node.slice, ast.Constant)
            and node.slice.value == 0
        ):
            valid = self.visit(node.value.value)
            if valid is not None:
                self.count(node, valid)
            return None
        if node.value is self.site and isinstance(self.site_valid, tuple):
            return self._element(node)
        base, index = self.visit(node.value), node.slice
        if base is not None and base.order == GATHERED:
            if self.code.src(index) != base.text:
                self.stop(node)
            self.replace(index, self.group_name)
            return None
        if base is None:  # gathered by a padded index: padded like it
            return self.visit(index)
        match index:
            case ast.Tuple(elts=[ast.Slice(lower=None, upper=None, step=None), ast.Constant(value=int())]) if base.rows:
                return Valid(base.text, base.order)
            case ast.Constant(value=int() as k) if base.order == FRONT and k >= 0:
                return None
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)) if base.order == FRONT:
                self.replace(index, f"{self.counted(base)} - 1")
                return None
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)) if not base.flat:
                self.replace(index, f"-1 - {self.spot.jnp('argmax')}({base.text}[::-1])")
                return None
            case ast.Constant(value=0) if not base.flat:
                self.replace(index, f"{self.spot.jnp('argmax')}({base.text})")
                return None
        self.stop(node)

    def _element(self, node: ast.Subscript) -> Valid | None:
        """`nonzero(c)[0]`: one array of the tuple that the call gives."""
        assert isinstance(self.site_valid, tuple)
        if not isinstance(node.slice, ast.Constant) or not isinstance(node.slice.value, int):
            self.stop(node)
        self.replace(self.site, self.site_text)
        try:
            return self.site_valid[node.slice.value]
        except IndexError:
            self.stop(node)

    def _call(self, node: ast.Call) -> Valid | None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if any(isinstance(part, (ast.Starred, *COMPREHENSIONS, ast.Lambda)) and part is not self.site for part in node.args):
            self.stop(node)
        if self._is_update(node):
            self._updated(node, name)
            return None
        if isinstance(node.func, ast.Attribute) and self._is_array(node.func.value):  # a method
            valid = self.visit(node.func.value)
            if valid is None:
                return self._call_of(node, name, node.args, None)
            return self._call_of(node, name, [node.func.value, *node.args], valid)
        if isinstance(node.func, ast.Name) and name in ("len", "sum", "max", "min", "abs") and self.spot.is_builtin(name):
            return self._builtin(node, name)
        return self._call_of(node, name, node.args, None)

    def _is_update(self, node: ast.Call) -> bool:
        """`x.at[mask].set(v)` by the mask of the site."""
        place = node.func.value if isinstance(node.func, ast.Attribute) else None
        return (
            isinstance(place, ast.Subscript)
            and isinstance(place.value, ast.Attribute)
            and place.value.attr == "at"
            and isinstance(self.site, ast.Subscript)
            and ast.dump(place.slice) == ast.dump(self.site.slice)
            and len(node.args) == 1
        )

    def _updated(self, node: ast.Call, name: str) -> None:
        """`x.at[mask].set(x[mask] * 2)` is a choice by the mask."""
        valid = self.visit(node.args[0])
        assert isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Subscript)
        at = node.func.value.value
        assert isinstance(at, ast.Attribute)
        if name not in SET_BY_WHERE or valid is None or valid.order != SPREAD or self.concerned(at.value):
            self.stop(node)
        array = self.code.operand(at.value)
        new = SET_BY_WHERE[name].format(x=array, v=self.text(node.args[0]))
        self.replace(node, f"{self.spot.jnp('where')}({valid.broadcast}, {new}, {array})")

    def _is_array(self, owner: ast.expr) -> bool:
        return not isinstance(self.spot.value(owner), type(np)) and not (
            isinstance(owner, ast.Attribute) and isinstance(self.spot.value(owner.value), type(np))
        )

    def _builtin(self, node: ast.Call, name: str) -> Valid | None:
        valid = self.visit(node.args[0]) if len(node.args) == 1 else None
        if valid is None:
            self._plain(node.args)
            return None
        if name == "len":
            self.count(node, valid)
            return None
        if name == "abs":
            return valid
        self.replace(node, self.reduction(name, self.text(node.args[0]), valid, ""))
        return None

    def _call_of(self, node: ast.Call, name: str, arguments: list[ast.expr], method: Valid | None) -> Valid | None:
        found = [method] if method is not None else []
        for argument in [*(arguments[1:] if method is not None else arguments), *(k.value for k in node.keywords)]:
            valid = self.visit(argument)
            if valid is not None:
                found.append(valid)
        if not found:
            return None
        valid = found[0]
        if any(other != valid for other in found[1:]) or (valid.order == GATHERED and name not in ELEMENTWISE):
            self.stop(node)
        if name in FLAT and len(arguments) == 1:
            self.replace(node, self.text(arguments[0]))
            return valid
        if name in ELEMENTWISE or name == "softmax":
            if name == "softmax":
                self.insert(node, f"where={valid.broadcast}, initial=-{self.spot.jnp('inf')}")
            return valid
        if name in ("dot", "vdot", "inner") and len(arguments) == 2 and not valid.rows and len(found) == 2:
            left, right = self.text(arguments[0]), self.text(arguments[1])
            self.replace(node, f"{self.spot.jnp('sum')}({left} * {right}, where={valid.text})")
            return None
        if any(other is not None for other in found[1:]):
            self.stop(node)
        if name == "cumsum" and len(arguments) == 1 and not valid.rows:
            text = f"{self.spot.jnp('cumsum')}({self.spot.jnp('where')}({valid.text}, {self.text(arguments[0])}, 0))"
            self.replace(node, text)
            return valid
        if name == "searchsorted" and method is None and valid.order == FRONT and not valid.rows and len(arguments) == 2:
            # what does not count stands behind everything that does
            if self.visit(arguments[0]) is None or self.visit(arguments[1]) is not None:
                self.stop(node)
            text = self.text(arguments[0])
            self.replace(arguments[0], f"{self.spot.jnp('where')}({valid.text}, {text}, {self.worst('', text)})")
            return None
        if name == "norm" and len(arguments) == 1 and not valid.rows and not valid.flat and not node.keywords:
            text = f"{self.spot.jnp('linalg.norm')}({self.spot.jnp('where')}({valid.text}, {self.text(arguments[0])}, 0))"
            self.replace(node, text)
            return None
        if name in BY_NAN and not valid.rows:
            rest = "".join(f", {self.text(a)}" for a in arguments[1:]) + self._keywords(node)
            padded = f"{self.spot.jnp('where')}({valid.text}, {self.text(arguments[0])}, {self.spot.jnp('nan')})"
            self.replace(node, f"{self.spot.jnp(BY_NAN[name])}({padded}{rest})")
            return None
        if name in WHERE_REDUCTIONS or name in EXTREMES or name == "logsumexp":
            axis = self._axis(node, arguments)
            if valid.rows and axis != "0":
                self.stop(node)
            if (name in WHERE_REDUCTIONS and name != "count_nonzero") or name == "logsumexp":
                self.insert(node, f"where={valid.broadcast}")
            else:
                self.replace(node, self.reduction(name, self.text(arguments[0]), valid, self._keywords(node)))
            return None
        self.stop(node)

    def _axis(self, node: ast.Call, arguments: list[ast.expr]) -> str:
        given = [k.value for k in node.keywords if k.arg == "axis"] or arguments[1:2]
        return self.code.src(given[0]) if given else ""

    def _keywords(self, node: ast.Call) -> str:
        return "".join(f", {k.arg}={self.text(k.value)}" if k.arg else f", **{self.text(k.value)}" for k in node.keywords)

    def _product(self, node: ast.expr, left: ast.expr, right: ast.expr) -> Valid | None:
        one, two = self.visit(left), self.visit(right)
        if one is None and two is None:
            return None
        if one != two or one is None or one.rows or one.flat:
            self.stop(node)
        parts = f"{self.text(left)} * {self.text(right)}"
        self.replace(node, f"{self.spot.jnp('sum')}({parts}, where={one.text})")
        return None

    def reduction(self, name: str, text: str, valid: Valid, rest: str) -> str:
        """The text of a reduction that leaves out what does not count."""
        if name == "count_nonzero":
            return f"{self.spot.jnp('sum')}(({text} != 0) & {valid.broadcast}{rest})"
        if name in ("sum", "prod"):
            return f"{self.spot.jnp(name)}({text}, where={valid.broadcast}{rest})"
        if name == "ptp":
            return f"({self.reduction('max', text, valid, rest)} - {self.reduction('min', text, valid, rest)})"
        worst = self.worst(EXTREMES[name], text)
        return f"{self.spot.jnp(name)}({self.spot.jnp('where')}({valid.broadcast}, {text}, {worst}){rest})"

    def worst(self, sign: str, text: str) -> str:
        """A value behind (with "-": before) all others of `text`'s."""
        self.bounded = True
        if not self.integer:
            return f"{sign}{self.spot.jnp('inf')}"
        return f"{self.spot.jnp('iinfo')}({self.spot.jnp('asarray')}({text}).dtype).{'min' if sign else 'max'}"

    # -- edits --------------------------------------------------------------------------------------------

    def count(self, node: ast.expr, valid: Valid) -> None:
        self.replace(node, self.counted(valid))

    def counted(self, valid: Valid) -> str:
        return f"{self.spot.jnp('sum')}({valid.text})"

    def text(self, node: ast.expr) -> str:
        """An expression's text with the edits noted so far."""
        return self.code.edited(*self.code.span(node), self.edits)

    def replace(self, node: ast.expr, text: str) -> None:
        start, end = self.code.span(node)
        self.edits = [edit for edit in self.edits if not (start <= edit[0] and edit[1] <= end)]
        self.edits.append((start, end, text))

    def insert(self, call: ast.Call, keyword: str) -> None:
        if any(given.arg == "where" for given in call.keywords):
            self.stop(call)
        arguments: list[Any] = [*call.args, *call.keywords]
        at = max((self.code.span(a)[1] for a in arguments), default=self.code.span(call)[1] - 1)
        end = self.code.span(call)[1]
        text = self.text(call)
        if arguments:
            tail = self.code.text[at:end]
            text = f"{text[: len(text) - len(tail)]}, {keyword}{tail}"
        else:
            text = f"{text[:-1]}{keyword})"
        self.replace(call, text)

    def stop(self, node: ast.AST) -> NoReturn:
        raise Obstacle(
            f"`{self.code.src(self.site)}` has a length that depends on values, and `{self.code.src(node)}` needs it: "
            "no array of a fixed shape can hold it"
        )
