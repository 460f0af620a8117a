"""Operations that join, stack, turn or group values of unknown length."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TypeGuard

from jupyter_jitmagic.diagnosis.proof.ordering import UNORDERED
from jupyter_jitmagic.diagnosis.proof.verify import OVERLAP
from jupyter_jitmagic.diagnosis.rewrites.consuming import Consumers
from jupyter_jitmagic.diagnosis.rewrites.operations import SET_BY_WHERE, TOTAL, Called, set_by_where
from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged, enclosed
from jupyter_jitmagic.diagnosis.rewrites.slices import terms, written


class Reshaping(Consumers):
    """What becomes of the axis of unknown length where nothing is reduced."""

    excludes: dict[str, str]
    """As of a `Step`."""

    def _nothing_known(self, node: ast.Call, known: Called) -> Ragged | None:
        self.plain(*known.arguments, *(each.value for each in known.keywords))
        return None

    def _only(self, node: ast.Call, known: Called) -> Ragged | None:
        """The first argument's, where the others are plain; None where it is plain too."""
        found = self.visit(known.arguments[0]) if known.arguments else None
        self.plain(*known.arguments[1:], *(each.value for each in known.keywords))
        if found is not None and found.group:
            self.stop(node)
        return found

    def _axes_of(self, node: ast.expr, ndim: int) -> list[int] | None:
        parts = node.elts if isinstance(node, ast.Tuple) else [node]
        found = []
        for part in parts:
            try:
                found.append(int(ast.literal_eval(part)) % ndim)
            except (ValueError, TypeError, SyntaxError):
                return None
        return found

    # -- shape --------------------------------------------------------------------------------------------

    def _flat(self, node: ast.Call, known: Called) -> Ragged | None:
        found = self._only(node, known)
        if found is None:
            return None
        if known.form == "builtin":
            return replace(found, listed=True)
        if known.name == "tolist":
            if found.ndim > 1 or found.flat:
                self.stop(node)
            self.replace(node, self.text(known.arguments[0]))
            return replace(found, listed=True)
        axis = known.keyword("axis") or (known.arguments[1] if len(known.arguments) > 1 else None)
        straight = axis is None or (known.name == "squeeze" and number(axis) in (1, -1))
        if known.name in ("ravel", "flatten", "squeeze") and straight and self._is_column(known.arguments[0]):
            return replace(found, ndim=1, axis=0)
        if known.name != "squeeze" and len(known.arguments) > 1:
            self.stop(node)
        if known.name in ("ravel", "flatten") and found.ndim > 1 and not found.flat:
            self.stop(node)
        if found.flat and known.name != "copy":
            self.replace(node, self.text(known.arguments[0]))
            return replace(found, grid=())
        if known.name == "squeeze":
            axes = self._axes_of(axis, found.ndim) if axis is not None else None
            if axes is None or len(axes) != 1 or axes[0] == found.axis or found.flat:
                self.stop(node)
            return replace(found, axis=found.axis - (axes[0] < found.axis), ndim=found.ndim - 1, direct=False)
        return found

    def _is_column(self, node: ast.expr) -> bool:
        """`jnp.argwhere(c)` of a vector: one column; also by a name that stands for nothing else."""
        if isinstance(node, ast.Name) and self.stores(node.id) == 1:
            function = self.spot.function or self.code.tree
            return any(self._is_column(each.value) for each in ast.walk(function) if _names(each, node.id))
        return isinstance(node, ast.Call) and self.code.src(node.func).endswith("argwhere") and self.ndim(node.args[0]) == 1

    def _begun_with(self, node: ast.Call, known: Called) -> Ragged | None:
        """`jnp.insert(s, 0, 0.0)`: one more element in front."""
        match known.arguments[1:]:
            case [ast.Constant(value=0), value] if not known.keywords and self.ndim(value) == 0:
                found = self.visit(known.arguments[0])
                self.plain(value)
            case _:
                return self._nothing_known(node, known)
        if found is None or found.ndim > 1 or found.flat or found.listed or found.group or found.times:
            return None if found is None else self.stop(node)
        mask = f"{self.jnp('concatenate')}([{self.jnp('ones')}(1, bool), {found.mask}])"
        mask = self.named(mask, "valid", "kept", "chosen")
        return replace(found, mask=mask, pad="", direct=False, source=-1, length="", places=0)

    def _join(self, node: ast.Call, known: Called) -> Ragged | None:
        if known.name == "insert":
            return self._begun_with(node, known)
        if known.name == "append":
            if known.form != "function":
                return self._nothing_known(node, known)
            parts = known.arguments
        elif known.arguments and isinstance(known.arguments[0], ast.List | ast.Tuple):
            parts = list(known.arguments[0].elts)
            self.plain(*known.arguments[1:], *(each.value for each in known.keywords))
        else:
            found = self._only(node, known)
            return None if found is None else self.stop(node)
        values = [self.visit(part.value if isinstance(part, ast.Starred) else part) for part in parts]
        ragged = [each for each in values if each is not None]
        if not ragged:
            return None
        given = known.keyword("axis") or (known.arguments[1] if len(known.arguments) > 1 and known.name != "append" else None)
        beside = known.name == "hstack" and ragged[0].ndim > 1
        axes = self._axes_of(given, ragged[0].ndim) if given is not None else [1 if beside else 0]
        if axes is None or len(axes) != 1 or any(each.flat or each.listed or each.group for each in ragged):
            self.stop(node)
        if axes[0] != ragged[0].axis:
            if len(ragged) < len(values) or any(not each.like(ragged[0]) for each in ragged):
                self.stop(node)
            return replace(ragged[0], pad="", direct=False, source=-1)
        masks, lengths = [], []
        for part, each in zip(parts, values, strict=True):
            if each is not None:
                masks.append(each.mask)
                lengths.append(each.length)
                continue
            fact = self.spot.fact(part)
            listed = part.args[0] if isinstance(part, ast.Call) and part.args else part
            size = f"{self.operand(part)}.shape[{axes[0]}]"
            if fact is not None and fact.ndim == 0:
                size = "1"
            elif (size_of := self._size_given(part, axes[0])) is not None:
                size = size_of
            elif axes[0]:
                pass
            elif isinstance(listed, ast.List | ast.Tuple) and not any(isinstance(item, ast.Starred) for item in listed.elts):
                size = str(len(listed.elts))
            lengths.append(size)
            masks.append(f"{self.jnp('ones')}({size}, bool)")
        mask = self.named(f"{self.jnp('concatenate')}([{', '.join(masks)}])", "valid", "kept", "chosen")
        fact = self.spot.fact(node)
        dtype = fact.dtype if fact is not None and fact.dtype else ragged[0].dtype
        least = " + ".join(f"({size})" for size, each in zip(lengths, values, strict=True) if each is None)
        in_front = ragged[-1].front and (not any(values[:-1]) or self._begins(values, masks))
        made = replace(
            ragged[0], mask=mask, front=in_front, pad="", direct=False, source=-1, dtype=dtype, length="", least=least
        )
        return self._whole_again(node, made, lengths)

    def _begins(self, values: list[Ragged | None], masks: list[str]) -> bool:
        """Whether all of the first piece counts if anything of the second does: `[*x[:1], *x[:-1]]`."""
        texts = {name: text for text, name in self.state.masks.items()}
        match [ast.parse(texts.get(mask, mask), mode="eval").body for mask in masks]:
            case [
                ast.Subscript(value=one, slice=ast.Slice(lower=None, upper=ast.Constant(value=int(k)), step=None)),
                ast.Subscript(value=two, slice=ast.Slice(lower=ast.Constant(value=int(least)), upper=None, step=None)),
            ]:
                same = ast.unparse(one) == ast.unparse(two)
                return same and 0 <= k <= least + 1 and all(each is not None and each.front for each in values)
        return False

    def _size_given(self, node: ast.expr, axis: int) -> str | None:
        """n of `jnp.zeros(n)`, `jnp.zeros((n, 3))`, and 3 along the other axis."""
        match node:
            case ast.Call(func=ast.Attribute(attr="zeros" | "ones" | "full"), args=[shape, *_]):
                if isinstance(shape, ast.Tuple | ast.List):
                    if len(shape.elts) <= axis or any(isinstance(each, ast.Starred) for each in shape.elts):
                        return None
                    size = shape.elts[axis]
                else:
                    size = shape
                fact = self.spot.fact(size)
                if fact is not None and fact.sort != "number":
                    return None
                return None if self.is_traced(size) or isinstance(size, ast.Tuple) else self.text(size)
        return None

    def _whole_again(self, node: ast.Call, made: Ragged, lengths: list[str]) -> Ragged | None:
        """Pieces that make an array of a known length, however it was cut: what counts, in front of nothing."""
        if not all(lengths):
            return made
        total = terms(ast.parse(" + ".join(f"({each})" for each in lengths), mode="eval").body, ast.unparse)
        if total is None or any(self.is_traced_text(atom) for atoms, number in total.items() if number for atom in atoms):
            return made
        text, _ = self.in_front(self.text(node), made)
        self.apart = True
        self.replace(node, f"{text}[{':, ' * made.axis}:{written(total) or '0'}]")
        return None

    def _stack(self, node: ast.Call, known: Called) -> Ragged | None:
        listed = known.arguments[0] if known.arguments else None
        if listed is not None and (found := self.each_round(listed)) is not None:
            return self._stack_of(node, [found], 1 if known.name == "column_stack" else self._new_axis(node, known))
        if not isinstance(listed, ast.List | ast.Tuple):
            found = self._only(node, known)
            if found is None:
                return None
            rows = known.name == "stack" or (known.name == "vstack" and found.ndim == 2)
            if found.listed and rows and len(known.arguments) == 1 and not known.keywords:
                return replace(found, listed=False)
            self.stop(node)
        if known.name == "column_stack":
            return self.as_columns(node, list(listed.elts))
        return self._stack_of(node, self._parts(list(listed.elts)), self._new_axis(node, known))

    def _new_axis(self, node: ast.Call, known: Called) -> int:
        """The axis along which `jnp.stack` puts them."""
        given = known.keyword("axis") or (known.arguments[1] if len(known.arguments) > 1 else None)
        axes = self._axes_of(given, 2) if given is not None else (0,)
        return axes[0] if axes else self.stop(node)

    def _parts(self, parts: list[ast.expr]) -> list[Ragged | None]:
        return [self.visit(part.value if isinstance(part, ast.Starred) else part) for part in parts]

    def as_columns(self, node: ast.expr, parts: list[ast.expr]) -> Ragged | None:
        """`jnp.column_stack([jnp.ones(len(xc)), Xc])`, `jnp.c_[…]`: rows of what has one axis or two."""
        values = self._parts(parts)
        if not any(values):
            return None
        if any(isinstance(part, ast.Starred) and each is not None for part, each in zip(parts, values, strict=True)):
            self.stop(node)  # a column for each element
        if all(each is not None and each.ndim == 1 for each in values):
            return self._stack_of(node, values, 1)
        rows = [replace(each, ndim=2) for each in values if each is not None and each.axis == 0 and each.ndim <= 2]
        if len(rows) < len(values) or any(not each.like(rows[0]) or each.flat or each.listed or each.group for each in rows):
            self.stop(node)
        fact = self.spot.fact(node)
        dtype = fact.dtype if fact is not None and fact.dtype else rows[0].dtype
        zero = all(each.pad == "0" for each in rows)
        return replace(rows[0], pad="0" if zero else "", dtype=dtype, direct=False, source=-1)

    def _powers(self, node: ast.Call, known: Called) -> Ragged | None:
        """`jnp.vander(s, 3)`: a row for each element."""
        found = self._only(node, known)
        if found is None:
            return None
        if found.ndim > 1 or found.flat or found.listed or (len(known.arguments) < 2 and known.keyword("N") is None):
            self.stop(node)  # without its number there are as many columns as rows
        return replace(found, ndim=2, pad="", direct=False, source=-1)

    def _stack_of(self, node: ast.expr, values: list[Ragged | None], place: int) -> Ragged | None:
        ragged = [each for each in values if each is not None]
        if not ragged:
            return None
        if len(ragged) < len(values) or any(not each.like(ragged[0]) or each.ndim > 1 or each.flat for each in ragged):
            self.stop(node)
        together = self._together([each.source for each in ragged])
        zero = all(each.pad == "0" for each in ragged)
        return replace(ragged[0], axis=1 - place, ndim=2, pad="0" if zero else "", direct=False, source=together)

    def _dot(self, node: ast.Call, known: Called) -> Ragged | None:
        if len(known.arguments) != 2 or known.keywords:
            return self._nothing_known(node, known)
        left, right = known.arguments
        return self.product(node, left, right, known.name)

    def _outer(self, node: ast.Call, known: Called) -> Ragged | None:
        if len(known.arguments) != 2 or known.keywords:
            return self._nothing_known(node, known)
        one, two = (self.visit(argument) for argument in known.arguments)
        if one is None and two is None:
            return None
        found = one if one is not None else two
        if one is not None and two is not None:
            if any(each.ndim > 1 or each.listed or each.group for each in (one, two)):
                self.stop(node)
            return self._paired(node, [replace(one, ndim=2), replace(two, axis=1, ndim=2)], [], TOTAL)
        if found is None or found.ndim > 1:
            self.stop(node)
        self.require(found, TOTAL)
        return replace(found, axis=0 if one is not None else 1, ndim=2, direct=False)

    def _einsum(self, node: ast.Call, known: Called) -> Ragged | None:
        """`jnp.einsum("i,ij->j", a, b)`: zeros where what has the letter does not count."""
        given, *operands = known.arguments
        found = [self.visit(operand) for operand in operands]
        ragged = [each for each in found if each is not None]
        if not ragged:
            return self._nothing_known(node, known)
        if not isinstance(given, ast.Constant) or not isinstance(given.value, str) or "." in given.value or known.keywords:
            self.stop(node)
        inputs, arrow, output = given.value.replace(" ", "").partition("->")
        terms = inputs.split(",")
        once = sorted(letter for letter in set(inputs) - {","} if inputs.count(letter) == 1)
        output = output if arrow else "".join(once)
        if any(each.flat or each.listed or not each.meets(ragged[0]) for each in ragged):
            self.stop(node)
        letters = {term[each.axis] for term, each in zip(terms, found, strict=True) if each is not None}
        letter = min(letters)
        if len(letters) > 1 or any(letter in term for term, each in zip(terms, found, strict=True) if each is None):
            self.stop(node)
        for operand, each in zip(operands, found, strict=True):
            if each is not None:
                self.replace(operand, self.padded(operand, each, "0"))
        if letter not in output:
            return None
        return replace(ragged[0], axis=output.index(letter), ndim=len(output), pad="0", direct=False, source=-1)

    def _covariance(self, node: ast.Call, known: Called) -> Ragged | None:
        values = [self.visit(argument) for argument in known.arguments]
        if all(each is not None and each.is_lined_up for each in values) and len({each.mask for each in values if each}) > 1:
            pairs = zip(known.arguments, values, strict=True)
            # `corrcoef(arange(len(s)), s)`, `corrcoef(s[k:], s[:-k])`
            values = [*self.as_long([self.ordered(argument, each) for argument, each in pairs if each])]
        ragged = [each for each in values if each is not None]
        self.plain(*(each.value for each in known.keywords))
        if not ragged:
            return None
        options = {each.arg: each.value for each in known.keywords}
        fixed = all(isinstance(value, ast.Constant) for value in options.values())
        by_rows = isinstance(rowvar := options.get("rowvar"), ast.Constant) and not rowvar.value and ragged[0].ndim > 1
        behind = 1 if by_rows and len(values) == 1 else 0
        straight = all(each is not None and each.like(ragged[0]) and each.behind == behind and not each.flat for each in values)
        allowed = {"rowvar"} if known.name == "corrcoef" else {"rowvar", "ddof", "bias"}
        if not (straight and fixed and set(options) <= allowed) or known.form != "function" or self.current is None:
            self.stop(node)
        for argument, each in zip(known.arguments, ragged, strict=True):
            self.replace(argument, self.padded(argument, each, "0"))
        given = ", ".join([*map(self.text, known.arguments), *(f"{name}={self.text(each)}" for name, each in options.items())])
        text = f"{self.jnp('cov')}({given}, fweights={enclosed(ragged[0].mask)}.astype(int))"
        if known.name == "corrcoef":
            together, spread = self.fresh("covariance", "cov_of_both"), self.fresh("deviation", "spread")
            self.line_before(f"{together} = {text}")
            self.line_before(f"{spread} = {self.jnp('sqrt')}({self.jnp('diag')}({together}))")
            text = f"({together} / {self.jnp('outer')}({spread}, {spread}))"
        self.replace(node, text)
        return None

    def _trapezoid(self, node: ast.Call, known: Called) -> Ragged | None:
        array, *points = [*known.arguments, *(each.value for each in known.keywords if each.arg == "x")]
        found, placed = self.visit(array), [self.visit(each) for each in points]
        if found is None and not any(placed):
            return None
        step = known.keyword("dx")
        given = len(points) + (step is not None)
        lone = placed[0] if len(placed) == 1 else None
        if found is not None and lone is not None and not lone.like(found) and found.is_lined_up and lone.is_lined_up:
            # `trapezoid(s, linspace(0, 1, s.size))`
            found, lone = self.as_long([self.ordered(array, found), self.ordered(points[0], lone)])
            placed = [lone]
        alike = found is not None and all(each is not None and each.like(found) for each in placed)
        if found is None or not alike or given > 1 or given < len(known.keywords) or found.ndim > 1 or self.current is None:
            self.stop(node)
        if found.listed or found.flat or found.group:
            self.stop(node)
        self.averaged = True
        ragged = [each for each in (found, *placed) if each is not None]
        for each in ragged:
            self.require(each, TOTAL if self.guarded else 0)  # or NaN that is left out meets the gradient
        front, *_ = [self.ordered(argument, each) for argument, each in zip((array, *points), ragged, strict=True)]
        text = self.named(self.text(array), "in_order", "in_front")
        heights = f"{text}[1:] + {text}[:-1]"
        for argument in points:
            where = self.named(self.text(argument), "points", "in_order", "in_front")
            heights = f"({where}[1:] - {where}[:-1]) * ({heights})"
        width = f"{self.operand(step)} * " if step is not None else ""
        self.replace(node, f"({width}{self.jnp('sum')}({heights}, where={enclosed(front.mask)}[1:]) / 2)")
        return None

    def _interp(self, node: ast.Call, known: Called) -> Ragged | None:
        """Behind the points that count, the last of them again and again: what lies beyond gets its value, or `right`, and NaN
        does."""
        if len(known.arguments) != 3 or {each.arg for each in known.keywords} - {"left", "right"}:
            return self._nothing_known(node, known)
        self.plain(*(each.value for each in known.keywords))
        sought, *points = known.arguments
        where, found = self.visit(sought), [self.visit(each) for each in points]
        if found == [None, None]:
            return None if where is None else replace(where, pad="", dtype="f", direct=False, source=-1)
        first, second = found
        if first is not None and second is not None and not first.like(second) and first.is_lined_up and second.is_lined_up:
            # `interp(at, linspace(0, 1, len(s)), s)`
            first, second = self.as_long([self.ordered(each, one) for each, one in zip(points, (first, second), strict=True)])
        if first is None or second is None or not first.like(second) or first.ndim > 1 or first.flat:
            self.stop(node)
        if where is not None and (where.ndim > 1 or where.listed or where.group):
            self.stop(node)
        for each, one in zip(points, (first, second), strict=True):
            front = self.ordered(each, one)
            text = self.named(self.text(each), "points", "in_order", "in_front")
            self.replace(each, f"{self.jnp('where')}({front.mask}, {text}, {text}[{self.count(front)} - 1])")
        self.inexact = True
        if self.exact:
            isnan, nan = f"{self.jnp('isnan')}({self.text(sought)})", self.jnp("nan")
            self.replace(node, f"{self.jnp('where')}({isnan}, {nan}, {self.text(node)})")
        self.excludes[UNORDERED] = "points that are not in increasing order"
        return None if where is None else replace(where, pad="", dtype="f", direct=False, source=-1)

    def updated_itself(self, node: ast.Call) -> Ragged | None:
        """`s.at[0].set(v)` of a selection."""
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Subscript(value=ast.Attribute(value=array, attr="at"), slice=place), attr=method),
                args=[value],
                keywords=[],
            ) if method in SET_BY_WHERE:
                found = self.visit(array)
            case _:
                return None
        if found is None:
            return None
        if (
            not isinstance(place, ast.Constant | ast.UnaryOp | ast.Slice | ast.Tuple)
            and (mask := self.visit(place)) is not None
        ):
            return self._updated_where(node, array, place, value, found, mask)
        if isinstance(place, ast.Slice):
            return self._updated_part(node, array, place, value, found)
        try:
            at = ast.literal_eval(place)
        except ValueError:
            self.stop(node)
        if not isinstance(at, int) or found.ndim > 1 or found.listed or found.group:
            self.stop(node)
        self.plain(value)
        found = self.ordered(array, found)
        if at < 0:
            self.replace(place, f"{self.count(found)} - {-at}")
        return replace(found, pad="", direct=False, source=-1)

    def _updated_part(self, node: ast.Call, array: ast.expr, place: ast.Slice, value: ast.expr, found: Ragged) -> Ragged:
        """`s.at[1:].set(0)`, `s.at[:-1].add(v)`, a number for each: elements that stand in front have plain Python's places."""
        given = self.spot.fact(value)
        bounds = [number(each) for each in (place.lower, place.upper)]
        step = number(place.step) if place.step is not None else 1
        if found.ndim > 1 or found.listed or found.group or given is None or given.ndim != 0 or not step or step < 1:
            self.stop(node)
        if any(bound is None and part is not None for bound, part in zip(bounds, (place.lower, place.upper), strict=True)):
            self.stop(node)
        lower, upper = bounds
        if lower is not None and lower < 0 and step > 1:
            self.stop(node)  # its first place depends on how many there are
        self.plain(value)
        found = self.ordered(array, found)
        done = replace(found, pad="", direct=False, source=-1)
        if (lower or 0) >= 0 and (upper or 0) >= 0:
            return done
        text = self.named(self.text(array), "in_front", "values")
        places = self.named(f"{self.jnp('arange')}({text}.size)", "places", "indices")
        bound = [f"{self.count(found)} - {-each}" if each is not None and each < 0 else each for each in bounds]
        tests = [f"{places} {sign} {each}" for each, sign in zip(bound, (">=", "<"), strict=True) if each is not None]
        if step > 1:
            tests.append(f"({places} - {lower}) % {step} == 0" if lower else f"{places} % {step} == 0")
        inside = tests[0] if len(tests) == 1 else " & ".join(f"({each})" for each in tests)
        self.replace(node, self._set_where(node, array, value, inside, text))
        return done

    def _set_where(self, node: ast.Call, array: ast.expr, value: ast.expr, mask: str, text: str) -> str:
        """What an update is where a mask holds; a wider number makes no wider array."""
        assert isinstance(node.func, ast.Attribute)
        new = set_by_where(self.jnp, node.func.attr, text, self.text(value))
        number_alone = isinstance(value, ast.Constant) and isinstance(value.value, int)  # on integers a float would be wider
        return f"{self.jnp('where')}({mask}, {new}, {text}){'' if number_alone else f'.astype({text}.dtype)'}"

    def _updated_where(
        self, node: ast.Call, array: ast.expr, place: ast.expr, value: ast.expr, found: Ragged, mask: Ragged
    ) -> Ragged:
        """`s.at[s < 0].set(0)`: the elements that count stay as many."""
        given = self.spot.fact(value)
        if mask.dtype != "b" or mask.mask != found.mask or mask.ndim != found.ndim or found.listed or found.group or found.grid:
            self.stop(node)
        self.plain(value)
        if given is None or given.ndim != 0:
            self.stop(node)
        self.replace(node, self._set_where(node, array, value, self.text(place), self.operand(array)))
        return replace(found, pad="", direct=False, source=-1)

    def first_most(self, text: str, found: Ragged, sign: str) -> str:
        """Of equal ones Python's `max` gives the first, which takes the gradient alone; a NaN stays where it is the first."""
        text = self.named(text, "values", "candidates")
        return f"{text}[{self.place_of_most(text, found, sign)}]"

    def place_of_most(self, text: str, found: Ragged, sign: str) -> str:
        """Where what `first_most` gives stands in the whole array. The place is sought among what is chosen: the rest may be
        as far as what stands for it, as an infinity."""
        worst = f"{self.jnp('nanmin' if sign == '-' else 'nanmax')}({text})" if found.dtype in "iu" else self.worst(found, sign)
        mask = found.mask
        self.inexact |= found.dtype == "f"
        if self.exact and found.dtype == "f":
            mask = f"{enclosed(mask)} & ~{self.jnp('isnan')}({text})"
        most = f"{self.jnp('max' if sign == '-' else 'min')}({self.jnp('where')}({mask}, {text}, {worst}))"
        place = f"{self.jnp('argmax')}({enclosed(found.mask)} & ({text} == {most}))"
        if self.exact and found.dtype == "f":
            first = self.named(f"{self.jnp('argmax')}({found.mask})", "first", "begin")
            place = f"{self.jnp('where')}({self.jnp('isnan')}({text}[{first}]), {first}, {place})"
        return place

    def _like(self, node: ast.Call, known: Called) -> Ragged | None:
        found = self._only(node, known)
        return None if found is None else replace(found, pad="", direct=False, source=-1, listed=False)

    def _expand(self, node: ast.Call, known: Called) -> Ragged | None:
        found = self._only(node, known)
        if found is None:
            return None
        given = known.keyword("axis") or (known.arguments[1] if len(known.arguments) > 1 else None)
        axes = self._axes_of(given, found.ndim + 1) if given is not None else None
        if axes is None or len(axes) != 1 or found.flat:
            self.stop(node)
        return replace(found, axis=found.axis + (axes[0] <= found.axis), ndim=found.ndim + 1, direct=False)

    def _one_hot(self, node: ast.Call, known: Called) -> Ragged | None:
        found = self._only(node, known)
        if found is None:
            return None
        axis = known.keyword("axis")
        if found.flat or len(known.arguments) > 2 or (axis is not None and self._axes_of(axis, found.ndim + 1) != [found.ndim]):
            self.stop(node)
        fact = self.spot.fact(node)
        dtype = fact.dtype if fact is not None and fact.dtype else "f"
        return replace(found, ndim=found.ndim + 1, direct=False, pad="", dtype=dtype)

    def _transpose(self, node: ast.Call, known: Called) -> Ragged | None:
        found = self._only(node, known)
        if found is None:
            return None
        order = self._order_of_axes(known, found.ndim)
        if order is None or known.keywords or found.flat:
            self.stop(node)
        return replace(found, axis=order.index(found.axis))

    def _order_of_axes(self, known: Called, ndim: int) -> list[int] | None:
        """Which axis comes where: `x.transpose(1, 0, 2)`, `jnp.swapaxes(x, 0, 1)`, `jnp.moveaxis(x, 0, -1)`."""
        given = known.arguments[1:]
        if not given:
            return list(range(ndim))[::-1]
        axes = self._axes_of(given[0] if len(given) == 1 else ast.Tuple(given), ndim)
        if axes is None:
            return None
        if known.name == "transpose":
            return axes if sorted(axes) == list(range(ndim)) else None
        if len(axes) != 2:
            return None
        order, (one, other) = list(range(ndim)), axes
        if known.name == "swapaxes":
            order[one], order[other] = other, one
        else:
            order.insert(other, order.pop(one))
        return order

    def _reshape(self, node: ast.Call, known: Called) -> Ragged | None:
        array, *sizes = known.arguments
        if len(sizes) == 1 and isinstance(sizes[0], ast.Tuple):
            sizes = list(sizes[0].elts)
        whole = self.visit(array)
        if whole is not None and (kept := self._with_its_axis(whole, array, sizes)) is not None:
            return kept
        found = self._only(node, known)
        if found is None:
            return None
        try:
            shape = [ast.literal_eval(size) for size in sizes]
        except ValueError:
            self.stop(node)
        if found.flat and shape == [-1]:
            self.replace(node, self.text(known.arguments[0]))
            return replace(found, grid=())
        if shape == [-1] and self._is_column(known.arguments[0]):
            return replace(found, ndim=1, axis=0)
        if found.ndim != 1 or found.flat or sorted(shape) not in ([-1], [-1, 1]):
            self.stop(node)
        return replace(found, axis=shape.index(-1), ndim=len(shape), direct=False)

    def _with_its_axis(self, found: Ragged, array: ast.expr, sizes: list[ast.expr]) -> Ragged | None:
        """`s.reshape(-1, h, d)`, `s.reshape(*s.shape[:-1], h, d)`: the axis stays, and is as long as the whole array's. Where
        the others hold more or less than before, the whole array cannot be reshaped so."""
        if found.flat or found.listed or found.group or found.times or len(sizes) < 2 or found.ndim < 2:
            return None
        match sizes[0]:
            case ast.Starred(
                value=ast.Subscript(value=ast.Attribute(value=of, attr="shape"), slice=ast.Slice(lower=None, upper=upper))
            ):
                first = number(upper)
                first = found.ndim + first if first is not None and first < 0 else first
                if self.code.src(of) != self.code.src(array) or any(map(self.is_traced, sizes[1:])):
                    return None
                if first is None or not found.axis < first <= found.ndim:
                    return None
                return replace(found, ndim=first + len(sizes) - 1, direct=False)
        others = [size for axis, size in enumerate(sizes) if axis != found.axis]
        if len(others) == len(sizes) or any(isinstance(size, ast.Starred) or self.is_traced(size) for size in others):
            return None
        size, whole = sizes[found.axis], self.text(array)
        is_length = number(size) == -1 or self.count_of(size) == found or self._is_its_length(size, found)
        if not is_length:
            return None
        if not whole.isidentifier():
            whole = self.named(whole, "whole", "all_rows")
            self.replace(array, whole)
        self.replace(size, f"{whole}.shape[{found.axis}]")
        return replace(found, ndim=len(sizes), direct=False)

    def _is_its_length(self, size: ast.expr, found: Ragged) -> bool:
        """`pos + 1` of `x[:pos + 1]`."""
        asked = terms(size, ast.unparse)
        return (
            bool(found.length) and asked is not None and asked == terms(ast.parse(found.length, mode="eval").body, ast.unparse)
        )

    # -- groups -------------------------------------------------------------------------------------------

    def _bincount(self, node: ast.Call, known: Called) -> Ragged | None:
        found = self.visit(known.arguments[0])
        weights, length = known.keyword("weights") or next(iter(known.arguments[1:]), None), known.keyword("length")
        self.plain(*known.arguments[2:])
        heavy = self.visit(weights) if weights is not None else None
        if found is None and heavy is None:
            return None
        least = known.keyword("minlength")
        if length is None and least is not None:  # as long as that, if no number is larger
            length, start = least, self.code.span(least)[0]
            beyond = f"numbers of {self.code.src(least)} or more, for which the counts of plain Python are longer"
            self.excludes[OVERLAP] = beyond
            self.state.edits.append((self.code.text.rindex("minlength", 0, start), start, "length="))
        if found is None or length is None or (weights is not None and (heavy is None or not heavy.like(found))):
            self.stop(node)
        numbers = known.arguments[0]
        in_row = ".ravel()" if found.flat else ""  # it takes one axis alone
        if in_row and weights is not None:
            self.replace(weights, enclosed(self.text(weights)) + in_row)
        counted = f"{self.jnp('where')}({found.mask}, {self.text(numbers)}, {self.operand(length)})"
        self.replace(numbers, counted + in_row)
        return None

    def _histogram(self, node: ast.Call, known: Called) -> Ragged | None:
        """Between edges, or within a range: what does not count weighs nothing."""
        found = self._only(node, known)
        if found is None:
            return None
        edges = known.keyword("bins") or (known.arguments[1] if len(known.arguments) > 1 else None)
        fact = self.spot.fact(edges) if edges is not None else None
        others = {each.arg for each in known.keywords} - {"bins", "density"}
        if fact is None or fact.ndim > 1 or len(known.arguments) > 2 or found.listed or others - {"range"}:
            self.stop(node)
        if fact.ndim == 0 and not others:  # plain Python's range is that of what counts; of nothing 0 to 1, where it is known
            text = self.text(known.arguments[0])
            least, most = (
                f"{self.jnp(name)}({self.jnp('where')}({found.broadcast}, {text}, {sign}{self.jnp('inf')}))"
                for name, sign in (("min", ""), ("max", "-"))
            )
            some, array = f"{enclosed(found.broadcast)}.any()", self.jnp("array")
            self.with_keyword(node, f"range={self.jnp('where')}({some}, {array}([{least}, {most}]), {array}([0.0, 1.0]))")
        weights = f"{self.jnp('where')}({found.mask}, {found.times}, 0)" if found.times else enclosed(found.broadcast)
        self.with_keyword(node, f"weights={weights}.astype(float)")
        return None

    def _segment(self, node: ast.Call, known: Called) -> Ragged | None:
        if len(known.arguments) != 2:
            return self._nothing_known(node, known)
        data, numbers = known.arguments
        values, ids = self.visit(data), self.visit(numbers)
        size = known.keyword("num_segments")
        held = self.count_of(size) if size is not None else None
        if held is not None and size is not None and values is None and ids is None:  # one for each of the selection
            mask = held if held.front else self.in_front("", held)[1]
            self.replace(size, f"{enclosed(mask.mask)}.size")
            fact = self.spot.fact(node)
            ndim = fact.ndim if fact is not None and fact.ndim > 0 else 1
            return Ragged(mask.mask, True, ndim=ndim, dtype=fact.dtype if fact is not None and fact.dtype else "f")
        if values is None and ids is None:
            return None
        if size is None or ids is None or (values is not None and (values.mask != ids.mask or values.axis)):
            self.stop(node)
        if values is None:
            self.stop(node)
        self.replace(numbers, f"{self.jnp('where')}({ids.mask}, {self.text(numbers)}, {self.operand(size)})")
        return None


def _names(node: ast.AST, name: str) -> TypeGuard[ast.Assign]:
    match node:
        case ast.Assign(targets=[ast.Name(id=bound)]):
            return bound == name
    return False


def number(node: ast.expr | None) -> int | None:
    """A whole number that is written out."""
    try:
        value = ast.literal_eval(node) if node is not None else None
    except ValueError:
        return None
    return value if type(value) is int else None
