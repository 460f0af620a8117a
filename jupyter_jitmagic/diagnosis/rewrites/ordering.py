"""Order and place among what was selected: sorts, places, running and shifted values, searches."""

from __future__ import annotations

import ast
from dataclasses import replace

from jupyter_jitmagic.diagnosis.proof.ordering import UNORDERED
from jupyter_jitmagic.diagnosis.rewrites.operations import Called
from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged, enclosed
from jupyter_jitmagic.diagnosis.rewrites.reducing import Reducing
from jupyter_jitmagic.diagnosis.rewrites.repeating import in_order, turned

_ENDS = frozenset({"prepend", "append"})


class Ordering(Reducing):
    """What depends on the order of the elements, or on where one stands."""

    def _place(self, node: ast.Call, known: Called) -> Ragged | None:
        found = self._only(node, known)
        if found is None:
            return None
        if known.name.startswith("nan"):
            self.stop(node)
        reduces, made = self._reduced(node, known, found)
        if not reduces:
            return made
        if found.ndim > 1 and not found.flat and known.keyword("axis") is None and len(known.arguments) < 2:
            self.stop(node)
        array = known.arguments[0]
        if found.grid:
            self.stop(node)
        found = self.ordered(array, found)
        rest = "".join(f", {self.text(each)}" for each in known.arguments[1:]) + self.rest(node)
        text, worst = self.as_array(array, found), self.worst(found, known.operation.neutral)
        self.replace(node, f"{self.jnp(known.name)}({self.jnp('where')}({found.broadcast}, {text}, {worst}){rest})")
        return None

    def _pad(self, node: ast.Call, known: Called) -> Ragged | None:
        """`jnp.pad(s, (0, n - len(s)))`: n elements, those that count in front."""
        array, *others = known.arguments
        found = self.visit(array)
        width = others[0] if others else known.keyword("pad_width")
        match width:
            case ast.Tuple(elts=[ast.Constant(value=0), ast.BinOp(left=whole, op=ast.Sub(), right=taken)]):
                counted = self.count_of(taken)
            case _:
                counted = None
        filled = known.keyword("constant_values") or ast.Constant(0)
        mode = others[1] if len(others) > 1 else known.keyword("mode") or ast.Constant("constant")
        straight = found is not None and found.ndim == 1 and not (found.flat or found.listed or found.group)
        if found is not None and straight and counted is None and width is not None and len(others) < 2:
            return self._with_ends(node, known, found, width)
        if found is None or counted is None or counted.mask != found.mask or not straight:
            return self._nothing_known(node, known)
        if len(others) > 2 or not (isinstance(mode, ast.Constant) and mode.value == "constant") or self.is_traced(whole):
            self.stop(node)
        self.plain(whole, filled)
        self._fill_up(node, array, found, whole, self.text(filled) if filled is known.keyword("constant_values") else "0")
        return None

    def _with_ends(self, node: ast.Call, known: Called, found: Ragged, width: ast.expr) -> Ragged:
        """`jnp.pad(s, (1, 2))`: what is put at the ends counts as well."""
        others = [each for each in known.keywords if each.arg not in ("pad_width", "constant_values")]
        if self.is_traced(width) or any(not _is_constant_mode(each) for each in others):
            self.stop(node)
        self.plain(width, *(each.value for each in known.keywords))
        mask = f"{self.jnp('pad')}({found.mask}, {self.text(width)}, constant_values=True)"
        ends = width.elts if isinstance(width, ast.Tuple) else [width]
        in_front = found.front and isinstance(ends[-1], ast.Constant) and ends[-1].value == 0
        mask = self.named(mask, "valid", "kept", "chosen")
        return replace(found, mask=mask, front=in_front, pad="", direct=False, source=-1, length="")

    def _join(self, node: ast.Call, known: Called) -> Ragged | None:
        """`jnp.concatenate([s, jnp.zeros(n - len(s))])`: n elements, as `jnp.pad` makes them."""
        match known.arguments:
            case [ast.List(elts=[array, ast.Call() as rest]) | ast.Tuple(elts=[array, ast.Call() as rest])]:
                filling = _filling(rest)
            case _:
                filling = None
        if filling is None or node.keywords:
            return super()._join(node, known)
        whole, taken, fill = filling
        found, counted = self.visit(array), self.count_of(taken)
        if found is None or counted is None or counted.mask != found.mask or found.ndim > 1 or found.flat or found.listed:
            return super()._join(node, known)
        if self.is_traced(whole):
            self.stop(node)
        self.plain(whole, *([fill] if fill is not None else []))
        self._fill_up(node, array, found, whole, self.text(fill) if fill is not None else "0")
        return None

    def _fill_up(self, node: ast.Call, array: ast.expr, found: Ragged, whole: ast.expr, fill: str) -> None:
        """As many elements as `whole` says: those that count in front, `fill` behind them."""
        found = self.ordered(array, found)
        text, size = self.named(self.text(array), "in_front", "values"), self.operand(whole)
        longer = f"(0, max({size} - {text}.size, 0))"
        kept = f"{self.jnp('where')}({found.mask}, {text}, {fill})"
        more = f", constant_values={fill}" if fill != "0" else ""
        self.replace(node, f"{self.jnp('pad')}({kept}, {longer}{more})[:{self.text(whole)}]")

    def _sort(self, node: ast.Call, known: Called) -> Ragged | None:
        found = self._only(node, known)
        if found is None:
            return None
        if self._is_beside(known, found):
            return replace(found, pad="", direct=False)
        array = known.arguments[0]
        backwards = known.keyword("reverse") or known.keyword("descending")
        if (key := known.keyword("key")) is not None and known.form == "builtin":
            return self._sorted_by(node, array, found, key, backwards)
        if found.ndim > 1 or found.flat:
            if found.grid or (found.ndim > 1 and not found.flat):
                self.stop(node)
            text = f"{self.jnp('ravel')}({self.text(array)})"
            mask = self.named(f"{self.jnp('ravel')}({found.mask})", "flat_mask")
            self.replace(array, text)
            found = replace(found, flat=False, ndim=1, axis=0, mask=mask, pad="")
        if (
            len(known.arguments) > 1
            or known.keyword("key") is not None
            or (backwards is not None and not isinstance(backwards, ast.Constant))
        ):
            self.stop(node)
        text = self.as_array(array, found)
        if found.times:
            if backwards is not None:
                self.stop(node)
            made, done = in_order(self, text, found)
            self.replace(node, made)
            return done
        made, mask = self.sorted_front(text, found)
        self.replace(node, made)
        done = replace(found, mask=mask, front=True, pad="", direct=False, listed=found.listed)
        if backwards is not None and isinstance(backwards, ast.Constant) and backwards.value:
            self.replace(node, f"{made}[::-1]")
            done = replace(done, mask=self.named(f"{enclosed(mask)}[::-1]", "counts", "valid"), front=False)
        return done

    def _sorted_by(
        self, node: ast.Call, array: ast.expr, found: Ragged, key: ast.expr, backwards: ast.expr | None
    ) -> Ragged | None:
        """`sorted(s, key=lambda v: k, reverse=True)`: equal keys stay in their order, backwards as well."""
        plain = not (found.flat or found.grid or found.group or found.times or found.axis)
        turned = isinstance(backwards, ast.Constant) and bool(backwards.value)
        match key:
            case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=item)], defaults=[]), body=body) if plain:
                self.inside({item}, [body])
            case _:
                self.stop(node)
        if backwards is not None and not isinstance(backwards, ast.Constant):
            self.stop(node)
        values = self.named(self.as_array(array, found), "values", "candidates")
        keys = []
        for part in body.elts if isinstance(body, ast.Tuple) else [body]:
            fact = self.spot.fact(part)  # the opposite of an unsigned 0 is 0
            sign = "" if not turned else "~" if fact is not None and fact.dtype in ("u", "b") else "-"
            keys.append(f"{sign}{self.jnp('asarray')}([{self.text(part)} for {item} in {values}])")
        mask = f"{self.jnp('arange')}({enclosed(found.mask)}.size) < {self.counted(found)}"
        mask = found.mask if found.front else self.named(mask, "counts", "valid", "filled")
        order = f"{self.jnp('lexsort')}(({', '.join(reversed(keys))}, ~{enclosed(found.mask)}))"
        self.replace(node, f"{values}[{order}]")
        self.excludes["nan"] = "the order that sorted() gives to NaN"
        return replace(found, mask=mask, front=True, pad="", direct=False, source=-1)

    def _is_beside(self, known: Called, found: Ragged) -> bool:
        """Whether what is put in order is an axis of known length: each of what was selected for itself."""
        if found.ndim < 2 or found.flat or found.listed or found.grid or known.form == "builtin":
            return False
        axis = known.keyword("axis") or (known.arguments[1] if len(known.arguments) > 1 else None)
        axes = self._axes_of(axis, found.ndim) if axis is not None else {found.ndim - 1}
        others = [each for each in known.keywords if each.arg not in ("axis", "descending")]
        return axes is not None and found.axis not in axes and not others

    def sorted_front(self, text: str, found: Ragged) -> tuple[str, str]:
        """(what counts in order and then the rest, the mask of what counts)."""
        if self.current is not None and not text.isidentifier():
            name = self.fresh("values", "unordered")
            self.line_before(f"{name} = {text}")
            text = name
        mask = f"{self.jnp('arange')}({enclosed(found.mask)}.size) < {self.counted(found)}"
        mask = found.mask if found.front else self.named(mask, "counts", "valid", "filled")
        return f"{enclosed(text)}[{self.jnp('lexsort')}(({text}, ~{enclosed(found.mask)}))]", mask

    def _argsort(self, node: ast.Call, known: Called) -> Ragged | None:
        found = self._only(node, known)
        if found is None:
            return None
        if self._is_beside(known, found):
            return replace(found, pad="", dtype="i", direct=False, source=-1)
        if found.ndim > 1 or len(known.arguments) > 1 or known.keywords or found.listed or found.flat:
            self.stop(node)
        array = known.arguments[0]
        found = self.ordered(array, found)
        self.replace(node, f"{self.jnp('lexsort')}(({self.text(array)}, ~{enclosed(found.mask)}))")
        return replace(found, pad="", dtype="i", direct=False, source=-1)

    def _running(self, node: ast.Call, known: Called) -> Ragged | None:
        found = self._only(node, known)
        if found is None:
            return None
        if found.ndim > 1 or found.flat or found.listed or len(known.arguments) > 1 or known.keyword("axis") is not None:
            reduces, _ = self._reduced(node, known, found)
            if reduces or found.flat or found.listed:
                self.stop(node)
            return replace(found, pad="", direct=False)
        array, neutral = known.arguments[0], known.operation.neutral
        value = neutral if neutral in "01" else ""
        if value:
            self.replace(array, self.padded(array, found, value))
        else:
            self.replace(array, f"{self.jnp('where')}({found.mask}, {self.text(array)}, {self.worst(found, neutral)})")
        return replace(found, pad="", direct=False)

    def _shift(self, node: ast.Call, known: Called) -> Ragged | None:
        """`jnp.diff(s)`; with `prepend` and `append` as numbers, or `s[:1]` before all others, there are as many again."""
        ends = {each.arg: each.value for each in known.keywords if each.arg != "axis"}
        own = ends.get("prepend") if self._is_own_first(ends.get("prepend"), known) else None
        found = self.visit(known.arguments[0]) if known.arguments else None
        self.plain(*known.arguments[1:], *(value for value in ends.values() if value is not own))
        if found is None:
            return None
        numbers = all(value is own or self.ndim(value) == 0 for value in ends.values())
        axes = self._axes_of(known.keyword("axis") or ast.Constant(-1), found.ndim)
        if found.flat or found.group or len(known.arguments) > 1 or axes is None:
            self.stop(node)
        if found.ndim > 1 and (ends or found.listed or known.name != "diff"):
            self.stop(node)
        if found.axis not in axes:
            return replace(found, pad="", direct=False, source=-1)
        if not numbers or not {*ends} <= _ENDS:
            self.stop(node)
        if own is not None and "append" in ends:  # of nothing there is no first, and with what is added behind it no difference
            self.stop(node)
        array = known.arguments[0]
        found = self.ordered(array, found)
        if own is not None:
            text = self.named(self.text(array), "in_front", "values")
            self.replace(array, text)
            self.replace(own, f"{text}[:1]")
        mask = enclosed(found.mask)
        if "append" in ends:  # beside the last stands what is added behind it
            self.replace(array, self.padded(array, found, self.text(ends["append"])))
        if not ends:
            mask = self.named(f"{mask}[1:]", "pairs", "counts")
        elif len(ends) > 1:
            mask = self.named(f"{self.jnp('concatenate')}([{self.jnp('ones')}(1, bool), {mask}])", "valid", "kept", "chosen")
        fact = self.spot.fact(node)
        dtype = fact.dtype if fact is not None and fact.dtype else found.dtype
        # equal numbers leave 0
        return replace(found, mask=mask, pad="", dtype=dtype, direct=False, source=-1, shifted=True)

    def _is_own_first(self, node: ast.expr | None, known: Called) -> bool:
        """Whether it is `s[:1]` of the very name that is the first argument."""
        match node, known.arguments[:1]:
            case (
                ast.Subscript(value=ast.Name(id=one), slice=ast.Slice(lower=None, upper=ast.Constant(value=1), step=None)),
                [ast.Name(id=other)],
            ):
                return one == other
        return False

    def _flip(self, node: ast.Call, known: Called) -> Ragged | None:
        found = self._only(node, known)
        if found is None:
            return None
        if found.flat or found.ndim > 1:
            self.stop(node)
        mask = self.named(f"{enclosed(found.mask)}[::-1]", "kept", "chosen")
        return turned(self, found, mask)

    def _beside(self, node: ast.Call, known: Called) -> Ragged | None:
        """`jnp.repeat(x, 2, axis=1)`: along an axis of known length; `jnp.tile(s, 2)`: what counts does so as often."""
        found = self._only(node, known)
        if found is None:
            return None
        axis = known.keyword("axis") or (known.arguments[2] if len(known.arguments) > 2 else None)
        axes = self._axes_of(axis, found.ndim) if axis is not None and known.name != "tile" else None
        if found.flat or found.listed or found.times:
            self.stop(node)
        if axes is not None and found.axis not in axes:
            return replace(found, direct=False, source=-1)
        often = known.arguments[1] if len(known.arguments) == 2 and not known.keywords else None
        fact = self.spot.fact(often) if often is not None else None
        if often is None or found.ndim > 1 or found.group or self.is_traced(often) or (fact is not None and fact.ndim > 0):
            self.stop(node)
        mask = self.named(f"{self.jnp(known.name)}({found.mask}, {self.text(often)})", "valid", "kept", "chosen")
        in_front = found.front and known.name == "repeat"
        return replace(found, mask=mask, front=in_front, pad="", direct=False, source=-1, length="", places=0)

    def _roll(self, node: ast.Call, known: Called) -> Ragged | None:
        """`jnp.roll(s, k)`, `jnp.roll(rows, k, axis=0)`: round at the last element that counts."""
        array, *rest = known.arguments
        by_rows = [ast.unparse(each) for each in known.keywords] == ["axis=0"]
        if not (len(rest) == 1 and (by_rows or not known.keywords) and (self.ndim(rest[0]) or 0) == 0):
            return self._beside(node, known)
        found = self._only(node, known)
        if found is None:
            return None
        if (found.ndim > 1 and not by_rows) or found.listed or found.times or found.axis or found.flat or found.group:
            self.stop(node)
        found = self.ordered(array, found)
        text = self.named(self.text(array), "in_front", "values")
        length = f"{text}.size" if found.ndim == 1 else f"{text}.shape[0]"
        places = self.named(f"{self.jnp('arange')}({length})", "places", "indices")
        self.replace(node, f"{text}[({places} - {self.operand(rest[0])}) % {self.jnp('maximum')}({self.count(found)}, 1)]")
        return replace(found, pad="", direct=False, source=-1)

    def _member(self, node: ast.Call, known: Called) -> Ragged | None:
        """`jnp.isin(v, k)`: whether one that counts is equal to it."""
        if len(known.arguments) != 2 or known.form != "function":
            return self._nothing_known(node, known)
        value, among = known.arguments
        asked, found, fact = self.visit(value), self.visit(among), self.spot.fact(value)
        self.plain(*(each.value for each in known.keywords))
        if found is not None:
            if fact is None or known.keywords or found.ndim > 1 or found.flat:
                self.stop(node)
            if fact.ndim == 0:
                self.replace(node, f"{self.jnp('any')}({enclosed(found.mask)} & ({self.text(among)} == {self.operand(value)}))")
            else:
                equal = f"({self.operand(value)}[..., None] == {self.text(among)})"
                self.replace(node, f"{self.jnp('any')}({enclosed(found.mask)} & {equal}, axis=-1)")
        return None if asked is None else replace(asked, pad="", dtype="b", direct=False, source=-1)

    def _searchsorted(self, node: ast.Call, known: Called) -> Ragged | None:
        """What does not count stands behind everything that does."""
        array, value = (known.arguments[0], known.arguments[1]) if len(known.arguments) == 2 else (None, None)
        if array is None or value is None:
            return self._nothing_known(node, known)
        if known.name == "digitize":
            array, value = value, array
        found, sought = self.visit(array), self.visit(value)
        self.plain(*(each.value for each in known.keywords))
        if found is None:
            return None if sought is None else replace(sought, pad="", dtype="i", direct=False, source=-1)
        if sought is not None or found.ndim > 1 or found.flat:
            self.stop(node)
        found = self.ordered(array, found)
        last = self.worst(found, "+")
        self.replace(array, f"{self.jnp('where')}({found.mask}, {self.text(array)}, {last})")
        self.excludes |= {"nan": "the place that a search gives to NaN", UNORDERED: "a search in what is in no order"}
        return None

    def _along(self, node: ast.Call, known: Called) -> Ragged | None:
        """`jnp.take_along_axis(rows, places[:, None], axis=1)` of rows and places that were selected alike."""
        if len(known.arguments) < 2:
            return self._nothing_known(node, known)
        rows, places = (self.visit(each) for each in known.arguments[:2])
        if rows is None and places is None:
            return None
        axis = known.keyword("axis") or (known.arguments[2] if len(known.arguments) > 2 else None)
        axes = self._axes_of(axis, rows.ndim) if axis is not None and rows is not None else None
        if rows is None or places is None or axes is None or not rows.like(places) or rows.axis in axes or rows.flat:
            self.stop(node)
        return replace(rows, direct=False, pad="", source=-1)

    def _take(self, node: ast.Call, known: Called) -> Ragged | None:
        axis = known.keyword("axis")
        along_first = axis is None or (isinstance(axis, ast.Constant) and axis.value == 0)
        if len(known.arguments) != 2 or len(known.keywords) != (axis is not None) or not along_first:
            return self._nothing_known(node, known)
        array, index = known.arguments
        found, place = self.visit(array), self.visit(index)
        if found is not None:
            if place is not None or found.ndim > 1 or found.flat:
                self.stop(node)
            self.ordered(array, found)
            return None
        if place is None:
            return None
        if (self.ndim(array) or 1) > 1:
            self.stop(node)
        return replace(place, pad="", dtype="f", direct=False)


def _is_constant_mode(keyword: ast.keyword) -> bool:
    return keyword.arg == "mode" and isinstance(keyword.value, ast.Constant) and keyword.value.value == "constant"


def _filling(node: ast.Call) -> tuple[ast.expr, ast.expr, ast.expr | None] | None:
    """(n, what is taken from it, the value; None for 0) of `jnp.zeros(n - taken)` or `jnp.full(n - taken, value)`."""
    match node:
        case ast.Call(func=ast.Attribute(attr="zeros"), args=[size, *_]):
            value = None
        case ast.Call(func=ast.Attribute(attr="full"), args=[size, value, *_]):
            pass
        case _:
            return None
    match size:
        case (
            ast.BinOp(left=whole, op=ast.Sub(), right=taken)
            | ast.Tuple(elts=[ast.BinOp(left=whole, op=ast.Sub(), right=taken)])
        ):
            return whole, taken, value
    return None
