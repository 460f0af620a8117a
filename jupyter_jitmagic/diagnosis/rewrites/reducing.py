"""Elementwise operations and reductions of values of unknown length."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from jupyter_jitmagic.diagnosis.rewrites.choosing import by_key, chosen_alike
from jupyter_jitmagic.diagnosis.rewrites.drawing import Drawing
from jupyter_jitmagic.diagnosis.rewrites.operations import FLOATS, OUTGROWING, PARTIAL, TOTAL, Called, called
from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged, enclosed
from jupyter_jitmagic.diagnosis.rewrites.repeating import AT_A_TIE, norm, ranked, reduced


class Reducing(Drawing):
    """What is computed element by element, or of all elements at once."""

    def is_float(self, node: ast.expr) -> bool:
        """Whether an expression's numbers are floats whatever kind of numbers the arguments are."""
        match node:
            case ast.Constant(value=float()):
                return True
            case ast.Name(id=name):
                return name in self.floats
            case ast.BinOp(op=ast.Div()):
                return True
            case ast.BinOp(left=left, right=right):
                return self.is_float(left) or self.is_float(right)
            case ast.UnaryOp(operand=operand):
                return self.is_float(operand)
            case ast.Subscript(value=value):
                return self.is_float(value)
            case ast.Call():
                known = called(self.spot, node)
                if known is None or not known.arguments:
                    return False
                if known.operation.safety == PARTIAL or known.name in FLOATS:
                    return known.name != "power"
                return known.operation.sort not in ("place", "sought") and any(map(self.is_float, known.arguments))
        return False

    places_in_all: dict[str, str]
    """Names of a place in the whole array of a selection, and the selection's mask."""

    def place_alike(self, place: ast.expr, base: Ragged) -> str:
        return chosen_alike(self, place, base)

    # -- elementwise --------------------------------------------------------------------------------------

    def _elementwise(self, node: ast.Call, known: Called) -> Ragged | None:
        listed = known.arguments[0] if known.arguments else None
        if known.name in ("array", "asarray") and isinstance(listed, ast.List | ast.Tuple):
            return self._stack_of(node, self._parts(list(listed.elts)), 0)
        if known.name in ("array", "asarray") and listed is not None and (each := self.each_round(listed)) is not None:
            return self._stack_of(node, [each], 0)
        if known.name in ("array", "asarray") and listed is not None and len(known.arguments) <= 2:
            found = self.visit(listed)
            self.plain(*known.arguments[1:], *(each.value for each in known.keywords))
            return None if found is None else replace(found, listed=False)
        if known.form == "builtin" and known.name in ("float", "int", "bool", "max", "min"):
            self.plain(*known.arguments)
            return None
        if known.name == "where" and (chosen := self._chosen_beside_all(node, known.arguments)) is not None:
            return chosen
        values = [*known.arguments, *(each.value for each in known.keywords)]
        given = [self.visit(each) for each in values] if known.name in OUTGROWING else []
        safety = PARTIAL if any(each is not None and each.shifted for each in given) else known.operation.safety
        return self.joined(node, values, safety)

    def _chosen_beside_all(self, node: ast.expr, arguments: Sequence[ast.expr]) -> Ragged | None:
        """`jnp.where(cut, x[:n], x)`, which was a branch: what was selected where it is taken, and all elements elsewhere."""
        if len(arguments) != 3 or self.ndim(arguments[0]) != 0 or self.code.src(node) in self.spot.unit.text:
            return None  # plain Python's own stretches a single element
        test, *sides = arguments
        match self.code.parents[node]:
            case ast.Assign(targets=[ast.Name(id=name)]) if name in map(self.code.src, sides):
                pass
            case _:
                return None
        found = [self.visit(each) for each in sides]
        chosen = [(side, each) for side, each in zip((True, False), found, strict=True) if each is not None]
        if len(chosen) != 1:
            return None
        side, ragged = chosen[0]
        if ragged.listed or ragged.flat or ragged.group or ragged.grid or ragged.times:
            return None
        if self.ndim(sides[1 if side else 0]) != ragged.ndim:
            return None
        self.plain(test)
        other = f"{self.jnp('logical_not')}({self.text(test)})" if side else self.operand(test)
        mask = self.named(f"{enclosed(ragged.mask)} | {other}", "kept", "chosen", "selected")
        return replace(ragged, mask=mask, source=-1, direct=False, pad="", length="", places=0)

    def _polynomial(self, node: ast.Call, known: Called) -> Ragged | None:
        """Of each element by itself, with the same coefficients for all."""
        if len(known.arguments) != 2 or known.form != "function":
            self.stop(node)
        coefficients, points = known.arguments
        self.plain(coefficients, *(each.value for each in known.keywords))
        return self.joined(node, [points], known.operation.safety)

    def _softmax(self, node: ast.Call, known: Called) -> Ragged | None:
        found = self._only(node, known)
        if found is None:
            return None
        axis = known.keyword("axis") or (known.arguments[1] if len(known.arguments) > 1 else ast.Constant(-1))
        axes = self._axes_of(axis, found.ndim)
        if axes is not None and found.axis not in axes and not found.flat:  # of each row by itself
            self.require(found, TOTAL)
            return replace(found, direct=False, pad="")
        if axes is None or found.listed:
            self.stop(node)
        self.with_keyword(node, f"where={found.broadcast}")
        return replace(found, direct=False, pad="0" if known.name == "softmax" else "", source=-1)

    # -- reductions ---------------------------------------------------------------------------------------

    def _reduced(self, node: ast.Call, known: Called, found: Ragged, places: int = 1) -> tuple[bool, Ragged | None]:
        """(whether the axis of unknown length is reduced, what is known of the result)."""
        given = known.keyword("axis")
        if given is None and known.name != "norm":
            given = known.arguments[places] if len(known.arguments) > places else None
        keeps = known.keyword("keepdims") is not None
        if given is None or (isinstance(given, ast.Constant) and given.value is None):
            return True, None
        axes = self._axes_of(given, found.ndim)
        if axes is None and self._is_the_only(given, found):
            return True, None
        if axes is not None and found.grid and not keeps:
            left = [mask for axis, mask in enumerate(found.grid) if axis not in axes]
            lengths = [axis for axis, mask in enumerate(left) if mask]
            if len(lengths) > 1:
                if any(found.grid[axis] for axis in axes):
                    self.stop(node)
                index = ", ".join("0" if axis in axes else ":" for axis in range(found.ndim))
                mask = self.named(f"{enclosed(found.mask)}[{index}]", "both", "pairs_left", "table")
                return False, replace(found, mask=mask, grid=tuple(left), ndim=len(left), pad="", direct=False)
            one = Ragged(left[lengths[0]], axis=lengths[0], ndim=len(left), dtype=found.dtype) if lengths else None
            return True, one
        if axes is None or found.flat:
            self.stop(node)
        if found.axis in axes:
            return True, None
        if keeps:
            return False, replace(found, pad="", direct=False)
        less = sum(axis < found.axis for axis in axes)
        return False, replace(found, axis=found.axis - less, ndim=found.ndim - len(axes), pad="", direct=False)

    def _is_the_only(self, axis: ast.expr, found: Ragged) -> bool:
        """Whether an option of the function's, None or a number, can mean no other axis."""
        value = self.spot.locals.get(axis.id, "") if isinstance(axis, ast.Name) else ""
        return (value is None or type(value) is int) and found.ndim == 1 and not (found.flat or found.grid)

    def _where(self, node: ast.Call, known: Called) -> Ragged | None:
        found = self._only(node, known)
        if found is None:
            return None
        if known.form == "builtin":  # sum, any, all of Python's
            rows = found.ndim > 1 and not found.flat
            if found.grid or (rows and (found.axis or known.name != "sum" or len(known.arguments) > 1)):
                self.stop(node)
            options = f"axis=0, where={found.broadcast}" if rows else f"where={found.mask}"
            self.replace(node, f"{self.jnp(known.name)}({self.as_array(known.arguments[0], found)}, {options})")
            return None
        if found.times:
            reduced(self, node, known, found)
            return None
        reduces, made = self._reduced(node, known, found)
        self.require(found, known.operation.safety)
        if not reduces:
            return made
        if found.listed:
            array = self.as_array(known.arguments[0], found)
            self.replace(known.arguments[0], array)
        old = known.keyword("where")
        if known.name == "mean" and old is None and not known.keywords and len(known.arguments) == 1:
            self.averaged = True
            if self.guarded and all(found.grid):
                total = f"{self.jnp('sum')}({self.text(known.arguments[0])}, where={found.broadcast})"
                self.replace(node, f"({total} / {self.jnp('maximum')}({self.count(found)}, 1))")
                return made
        if old is not None:
            self.replace(old, f"{self.operand(old)} & {found.broadcast}")
            return made
        self.with_keyword(node, f"where={found.broadcast}")
        return made

    def as_array(self, node: ast.expr, found: Ragged) -> str:
        """The text of a value as an array: a list becomes one."""
        return (
            f"{self.jnp('asarray')}({self._brackets(node)})"
            if (found.listed and not isinstance(node, ast.Name)) or (found.listed and self._is_list(node))
            else self.text(node)
        )

    def _is_list(self, node: ast.expr) -> bool:
        return not isinstance(node, ast.Name) or node.id not in self.arrays

    arrays: frozenset[str] = frozenset()
    """Names that hold arrays now, and held lists."""

    note: str
    """What the step says of what it gives up."""

    floats: set[str]
    """Names of what is a float, whatever kind of numbers the arguments are."""

    def _brackets(self, node: ast.expr) -> str:
        text = self.text(node)
        if isinstance(node, ast.GeneratorExp):
            return f"[{text[1:-1] if text.startswith('(') else text}]"
        return text

    def _extreme(self, node: ast.Call, known: Called) -> Ragged | None:
        if known.form == "builtin" and len(known.arguments) != 1:
            self.plain(*known.arguments, *(each.value for each in known.keywords))
            return None
        found = self._only(node, known)
        if found is None:
            return None
        if found.times and found.dtype in "fc":
            self.note = AT_A_TIE
        default, key = known.keyword("default"), known.keyword("key")
        if known.form == "builtin" and (key is not None or found.ndim == 1 or (found.flat and not found.grid)):
            if key is not None and not (isinstance(key, ast.Constant) and key.value is None):
                most = by_key(self, node, known, found, key)
            else:
                text, among = self.as_array(known.arguments[0], found), found
                if found.ndim > 1:  # plain Python's value has one axis
                    text = f"{enclosed(text)}.ravel()"
                    among = replace(found, mask=f"{enclosed(found.mask)}.ravel()", ndim=1, flat=False)
                most = self.first_most(text, among, known.operation.neutral)
            if default is not None:
                self.plain(default)
                otherwise = self.text(default)
                most = f"{self.jnp('where')}({self.jnp('any')}({found.mask}), {most}, {otherwise})"
                most = f"({most} if {enclosed(found.mask)}.size else {otherwise})"
            self.replace(node, most)
            return None
        if default is not None:
            self.stop(node)
        reduces, made = self._reduced(node, known, found)
        if not reduces:
            return made
        array = known.arguments[0]
        rest = "".join(f", {self.text(each)}" for each in known.arguments[1:]) + self.rest(node)
        if known.operation.neutral == "ptp":
            self.replace(node, f"({self._most(array, found, 'max', '-', rest)} - {self._most(array, found, 'min', '+', rest)})")
        else:
            name = known.name.removeprefix("a").removeprefix("nan") if known.name != "all" else known.name
            name = f"nan{name}" if known.name.startswith("nan") else name
            ends = known.keyword("initial") is not None
            self.replace(node, self._most(array, found, name, known.operation.neutral, rest, ends))
        return made

    def _most(self, array: ast.expr, found: Ragged, name: str, sign: str, rest: str, ends: bool = False) -> str:
        """`ends`: what it is at least (`initial=`) stands in `rest`."""
        text = self.as_array(array, found)
        if found.dtype in "iu" and ends:
            return f"{self.jnp(name)}({text}{rest}, where={found.broadcast})"
        if found.dtype in "iu":  # the smallest of all elements serves floats, too
            least = self.jnp("nanmin" if sign == "-" else "nanmax")
            return f"{self.jnp(name)}({text}{rest}, where={found.broadcast}, initial={least}({text}))"
        made = f"{self.jnp(name)}({self.jnp('where')}({found.broadcast}, {text}, {self.worst(found, sign)}){rest})"
        return made if found.dtype == "b" or self.is_float(array) else f"{made}.astype({enclosed(text)}.dtype)"

    def _by_nan(self, node: ast.Call, known: Called) -> Ragged | None:
        found = self._only(node, known)
        if found is None:
            return None
        if found.times:
            ranked(self, node, known, found)
            return None
        places = 1 if known.name.endswith("median") else 2
        reduces, made = self._reduced(node, known, found, places)
        if not reduces:
            return made
        array = known.arguments[0]
        rest = "".join(f", {self.text(each)}" for each in known.arguments[1:]) + self.rest(node)
        text = self.as_array(array, found)
        value = f"{self.jnp(known.operation.spelled)}({self.jnp('where')}({found.broadcast}, {text}, {self.jnp('nan')}){rest})"
        if not known.name.startswith("nan") and found.dtype in "fc":
            self.inexact |= not self.minds_nan
            if self.exact or self.minds_nan:
                axis = known.keyword("axis") or (known.arguments[places] if len(known.arguments) > places else None)
                over = f", axis={self.text(axis)}" if axis is not None else ""
                unknown = f"{self.jnp('any')}({self.jnp('isnan')}({text}) & {found.broadcast}{over})"
                value = f"{self.jnp('where')}({unknown}, {self.jnp('nan')}, {value})"
        self.replace(node, value)
        return made

    def _count(self, node: ast.Call, known: Called) -> Ragged | None:
        found = self._only(node, known)
        if found is None:
            return None
        if len(known.arguments) > 1 or known.keywords or (known.name == "size" and found.ndim > 1 and not found.flat):
            self.stop(node)
        if found.grid and not all(found.grid) and known.name != "len":
            self.stop(node)
        if found.grid and known.name == "len":
            rows = found.grid[0]
            self.replace(node, self.count(Ragged(rows)) if rows else f"{self.operand(known.arguments[0])}.shape[0]")
            return None
        if not found.flat and found.axis and known.name == "len":
            self.replace(node, f"{self.operand(known.arguments[0])}.shape[0]")
            return None
        self.replace(node, self.count(found))
        return None

    def _count_nonzero(self, node: ast.Call, known: Called) -> Ragged | None:
        found = self._only(node, known)
        if found is None:
            return None
        reduces, made = self._reduced(node, known, found)
        if not reduces:
            return made
        rest = "".join(f", {self.text(each)}" for each in known.arguments[1:]) + self.rest(node)
        text = self.operand(known.arguments[0])
        truth = text if found.dtype == "b" else f"({text} != 0)"
        self.replace(node, f"{self.jnp('sum')}({truth} & {found.broadcast}{rest})")
        return made

    def _average(self, node: ast.Call, known: Called) -> Ragged | None:
        weights = known.keyword("weights")
        if known.form != "function" or len(known.arguments) != 1 or len(known.keywords) != (weights is not None):
            return self._nothing_known(node, known)
        found = self.visit(known.arguments[0])
        if weights is None:
            if found is not None:
                self.replace(node, f"{self.jnp('mean')}({self.text(known.arguments[0])}, where={found.broadcast})")
            return None
        if found is None:
            self.plain(weights)
            return None
        heavy = self.visit(weights)
        if heavy is None or not heavy.like(found) or found.behind or found.axis:
            self.stop(node)
        self.require(found, TOTAL)
        self.replace(weights, self.padded(weights, heavy, "0"))
        return None

    def _norm(self, node: ast.Call, known: Called) -> Ragged | None:
        found = self._only(node, known)
        if found is None:
            return None
        if found.times and known.form == "function":
            norm(self, node, known, found)
            return None
        if known.form != "function" or (found.flat and not found.grid):
            self.stop(node)
        reduces, made = self._reduced(node, known, found)
        if not reduces:
            self.require(found, PARTIAL)
            if not found.direct:  # what does not count may be rows of zeros, where a norm has no gradient
                self.replace(known.arguments[0], self.padded(known.arguments[0], found, "1"))
            return made
        order = known.keyword("ord") or (known.arguments[1] if len(known.arguments) > 1 else None)
        largest = order is not None and self.code.src(order).endswith(".inf") and not isinstance(order, ast.UnaryOp)
        known_order = order is None or largest or (isinstance(order, ast.Constant) and order.value in (1, 2, 3, "fro", "nuc"))
        nothing = "0"
        if isinstance(order, ast.Name) and found.ndim == 1 and isinstance(self.spot.locals.get(order.id), int | float):
            known_order, nothing = True, f"0 if {order.id} >= 0 else {self.jnp('inf')}"  # which adds nothing to what it is of
        if not known_order or (found.grid and (found.ndim != 2 or made is not None)):  # of a matrix: rows of zeros add nothing
            self.stop(node)
        self.require(found, TOTAL)
        self.replace(known.arguments[0], self.padded(known.arguments[0], found, nothing))
        return None
