"""Values of unknown length: an array that is longer than plain Python's, and which of its elements count.

No array under jit can have a length that depends on data. A `Ragged` stands for one: `data` with a mask. `Writer` keeps the
edits that make one text of the other, and the lines that they need before and after a statement.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field, replace
from typing import NoReturn

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.rewrites.operations import PARTIAL, TOTAL
from jupyter_jitmagic.diagnosis.rewrites.rises_and_falls import are_of_one
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Spot
from jupyter_jitmagic.diagnosis.rewrites.slices import terms
from jupyter_jitmagic.source.code import Edit
from jupyter_jitmagic.source.names import bound_once, loaded, stored

ONE = 2  # between TOTAL and PARTIAL: safe where the operand is 1


@dataclass(frozen=True)
class Ragged:
    """What is known of an expression whose plain value is shorter along one axis.

    Attributes:
        mask: the source text of a mask along `axis` ("" for a list of groups).
        front: the elements that count stand in front, in plain Python's order; else where they stood.
        axis, ndim: the axis that the mask is along, and how many axes there are.
        flat: the mask has all of the array's (several) axes, and plain Python's value has one.
        pad: the number that stands where the mask does not hold, as text; "" where that is not known.
        dtype: "f", "i", "u", "b" or "c".
        source: which selection it comes from, by its number; -1 where what stands at the other places cannot be chosen.
        direct: it is the selection itself, nothing was computed of it.
        shifted: a number of the data was added to it or taken away, so that what fills it may be far from all that counts.
        listed: plain Python's value is a list.
        length: plain Python's length as source text, where that is a sum or difference ("" where it is not known).
        grid: of a table of pairs, the mask of each axis ("" where its length is known); `mask` is then the table's, and `flat`
            holds.
        group: text of the group numbers by which alone it may be read (one element for each group).
        least: how many elements plain Python's value has at least, as source text ("": not known).
        places: how many elements there are, those that do not count among them, where a `length` is known (0: not known).
        times: text of how often each element comes in plain Python's value ("": once).
    """

    mask: str
    front: bool = False
    axis: int = 0
    ndim: int = 1
    flat: bool = False
    pad: str = ""
    dtype: str = "f"
    source: int = -1
    direct: bool = False
    shifted: bool = field(default=False, compare=False)
    listed: bool = False
    length: str = ""
    grid: tuple[str, ...] = ()
    group: str = ""
    times: str = ""
    least: str = field(default="", compare=False)
    places: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.axis < max(self.ndim, 1):
            raise Obstacle("the axis of a selection was lost")

    @property
    def behind(self) -> int:
        """How many axes follow the one of the mask."""
        return self.ndim - 1 - self.axis

    def like(self, other: Ragged) -> bool:
        """Whether both have the same length in plain Python, along axes that meet when they are broadcast."""
        return (self.mask, self.flat, self.behind, self.group, self.grid, self.times) == (
            other.mask,
            other.flat,
            other.behind,
            other.group,
            other.grid,
            other.times,
        )

    @property
    def is_lined_up(self) -> bool:
        """Whether plain Python's value has one axis."""
        return not self.grid and (self.flat or self.ndim == 1)

    def meets_in_order(self, other: Ragged) -> bool:
        """Whether they would have one axis in common, if they are equally many."""
        rows = not (self.grid or other.grid or self.flat or other.flat) and self.times == other.times
        return (self.is_lined_up and other.is_lined_up) or (rows and (self.axis, self.ndim) == (other.axis, other.ndim))

    def meets(self, other: Ragged) -> bool:
        """Whether elements that count stand at the same places in both, if they are equally many."""
        return self.mask == other.mask or (self.front and other.front and not (self.grid or other.grid))

    @property
    def broadcast(self) -> str:
        """The mask's text, fit to stand beside the data."""
        if self.flat or not self.behind:
            return self.mask
        return f"{enclosed(self.mask)}[:{', None' * self.behind}]"


class Leaves(Obstacle):
    """A value of unknown length leaves the function: it needs to be followed into what calls it."""


class Calls(Obstacle):
    """A value of unknown length is handed to a helper of the user's."""

    def __init__(self, message: str, call: ast.Call) -> None:
        super().__init__(message)
        self.call = call


class LooksUp(Obstacle):
    """A value of unknown length is handed to a function that is looked up: `REDUCE[how](losses)`."""

    def __init__(self, message: str, call: ast.Call) -> None:
        super().__init__(message)
        self.call = call


class SetsInPlace(Obstacle):
    """Items of an array are set at places of unknown length: it needs to be an array whose updates are values."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


class SharesItsLine(Obstacle):
    """Lines are needed around a statement that does not fill its own."""

    def __init__(self, statement: ast.stmt) -> None:
        super().__init__("a selection in a statement that shares its line")
        self.statement = statement


@dataclass
class State:
    """What can be taken back: edits, lines, names."""

    edits: list[Edit] = field(default_factory=list)
    before: dict[ast.stmt, list[str]] = field(default_factory=dict)
    after: dict[ast.stmt, list[str]] = field(default_factory=dict)
    names: dict[str, Ragged] = field(default_factory=dict)
    masks: dict[str, str] = field(default_factory=dict)  # source text of a mask → the name that holds it
    taken: set[str] = field(default_factory=set)
    seen: dict[ast.AST, Ragged | None] = field(default_factory=dict)  # expressions whose edits were made
    chosen: dict[tuple[str, int, str, int], str] = field(default_factory=dict)  # (test, side, mask, axis) → the mask after it
    options: dict[str, str] = field(default_factory=dict)  # the mask after a question for None → its text
    optional: set[str] = field(default_factory=set)  # names that may be None, of which nobody asks for the length then

    def copy(self) -> State:
        before, after = ({k: list(v) for k, v in lines.items()} for lines in (self.before, self.after))
        names, masks, taken, seen = dict(self.names), dict(self.masks), set(self.taken), dict(self.seen)
        chosen, options = dict(self.chosen), dict(self.options)
        return State(list(self.edits), before, after, names, masks, taken, seen, chosen, options, set(self.optional))


class Writer:
    """The text of a function, edited expression by expression."""

    def __init__(self, spot: Spot) -> None:
        self.spot, self.code = spot, spot.code
        self.state = State()
        self.current: ast.stmt | None = None  # the statement before which lines may go
        self.levels: dict[int, int] = {}  # how safe the places of each selection that do not count must be
        self.sources = 0
        self.inexact = False  # something was written that `exact` writes otherwise
        self.minds_nan = False  # what is selected may hold NaN wherever a loop puts it
        self.averaged = False  # a mean or an area was written that `guarded` writes otherwise
        self.apart = False  # pieces were put together that plain Python lets overlap

    # -- texts --------------------------------------------------------------------------------------------

    def text(self, node: ast.AST) -> str:
        """An expression's text with the edits noted so far."""
        return self.code.edited(*self.code.span(node), self.state.edits)

    def operand(self, node: ast.expr) -> str:
        return enclosed(self.text(node))

    def replace(self, node: ast.AST, text: str) -> None:
        start, end = self.code.span(node)
        self.state.edits = [edit for edit in self.state.edits if not (start <= edit[0] and edit[1] <= end)]
        if text != self.code.text[start:end]:
            self.state.edits.append((start, end, text))

    def jnp(self, name: str) -> str:
        return self.spot.jnp(name)

    # -- lines --------------------------------------------------------------------------------------------

    def line_before(self, line: str) -> None:
        """A line before the statement at hand, or before the `if` whose `elif` it is."""
        if self.current is None:
            raise Obstacle("a selection in an expression of its own scope")
        at: ast.AST = self.current
        while isinstance(at, ast.stmt) and self.code.is_elif(at):
            at = self.code.parents[at]
        assert isinstance(at, ast.stmt)
        if not self.code.on_own_lines([at]):
            raise SharesItsLine(at)
        lines = self.state.before.setdefault(at, [])
        if line not in lines:
            lines.append(line)

    def line_after(self, line: str) -> None:
        assert self.current is not None
        if not self.code.on_own_lines([self.current]):
            raise SharesItsLine(self.current)
        self.state.after.setdefault(self.current, []).append(line)

    def fresh(self, *wanted: str) -> str:
        name = self.code.fresh(*wanted, taken=self.state.taken)
        self.state.taken.add(name)
        return name

    def named(self, text: str, *wanted: str, known_as: str = "") -> str:
        """A name for what an expression gives, bound in a line before the statement; the text itself where none can stand.

        `known_as`: what it stands for, where another text may stand for the same.
        """
        if text.isidentifier():
            return text
        for key in (known_as, text):
            if key in self.state.masks:
                return self.state.masks[key]
        if self.current is None:
            return enclosed(text)
        name = self.fresh(*wanted)
        self.line_before(f"{name} = {text}")
        self.state.masks[text] = name
        if known_as:
            self.state.masks[known_as] = name
        return name

    def forget(self, names: set[str]) -> None:
        """Texts that read these names stand for another value from now on."""
        for text, name in list(self.state.masks.items()):
            if names & {name, *re.findall(r"[A-Za-z_]\w*", text)}:
                del self.state.masks[text]

    # -- values -------------------------------------------------------------------------------------------

    def require(self, ragged: Ragged, level: int) -> None:
        """Places that do not count will be computed with: say how safe what stands there has to be."""
        if level == PARTIAL and ragged.direct:
            level = ONE
        if ragged.source >= 0:
            self.levels[ragged.source] = max(self.levels.get(ragged.source, 0), level)

    def selected(self, array: str, ragged: Ragged) -> tuple[str, Ragged]:
        """The data of a new selection, filled as safely as what follows needs it."""
        number, self.sources = self.sources, self.sources + 1
        level = self.levels.get(number, 0)
        ragged = replace(ragged, source=number, direct=True)
        if not level:
            return array, ragged
        if level == PARTIAL:
            whole = f"{self.jnp('broadcast_to')}({ragged.mask}, {enclosed(array)}.shape)"
            first = f"{self.jnp('argmax')}({ragged.mask if all(ragged.grid) else whole})"
            fill = f"{enclosed(array)}{'.ravel()' if ragged.flat else ''}[{', '.join([*[':'] * ragged.axis, first])}]"
            if ragged.axis and not ragged.flat:
                fill += f"[{', '.join([*[':'] * ragged.axis, 'None'])}]"
            pad = ""
        else:
            pad = "1" if level == ONE else "0"
            fill = str(pad == "1") if ragged.dtype == "b" else pad  # a whole number leaves the array's dtype what it is
        return f"{self.jnp('where')}({ragged.broadcast}, {array}, {fill})", replace(ragged, pad=pad)

    def padded(self, node: ast.expr, ragged: Ragged, number: str) -> str:
        """An expression's text with `number` at the places that do not count."""
        text = self.text(node)
        if ragged.pad == number:
            return text
        if number == "0" and ragged.direct:
            self.require(ragged, TOTAL)
        value = {"nan": self.jnp("nan"), "inf": self.jnp("inf"), "-inf": f"-{self.jnp('inf')}"}.get(number, number)
        if ragged.dtype == "b" and number in ("0", "1"):
            value = str(number == "1")
        return f"{self.jnp('where')}({ragged.broadcast}, {text}, {value})"

    def worst(self, ragged: Ragged, sign: str) -> str:
        """A value behind ("+") or before ("-") all others."""
        if ragged.dtype == "b":
            return str(sign == "+")
        return f"{'-' if sign == '-' else ''}{self.jnp('inf')}"

    def stores(self, name: str) -> int:
        """How often a name is bound in the function."""
        function = self.spot.function or self.code.tree
        names = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
        return sum(not isinstance(node.ctx, ast.Load) for node in names)

    def constant(self, text: str, dtype: str) -> str:
        """An array of which JAX takes no derivative in plain Python either."""
        return f"{self.spot.lax('stop_gradient')}({text})" if dtype in "fc" else text

    def is_all_that_comes(self, ragged: Ragged) -> bool:
        """Whether nothing was selected of what comes several times: what does not count comes never."""
        return self._made(ragged) == f"{enclosed(ragged.times)} > 0"

    def _made(self, ragged: Ragged) -> str:
        """What its mask is the name of."""
        return next((text for text, name in self.state.masks.items() if name == ragged.mask), "")

    def counted(self, ragged: Ragged) -> str:
        """How many elements count: of a mask `jnp.arange(m.size) < jnp.sum(m)` they are as many as m has."""
        if ragged.times:
            where = "" if self.is_all_that_comes(ragged) else f", where={ragged.mask}"
            return f"{self.jnp('sum')}({ragged.times}{where})"
        made = self._made(ragged)
        places, _, count = made.partition(".size) < ")
        one, whole = f"{self.jnp('arange')}(", f"{self.jnp('sum')}("
        if places.startswith(one) and count in (f"{whole}{places[len(one) :]})", f"{whole}{places[len(one) + 1 : -1]})"):
            return count
        return f"{self.jnp('sum')}({ragged.mask})"

    def count(self, ragged: Ragged) -> str:
        """The count, by name where a line can bind it."""
        return self.named(self.counted(ragged), "count", "number", "how_many")

    def in_front(self, text: str, ragged: Ragged) -> tuple[str, Ragged]:
        """The same elements, those that count in front."""
        if ragged.front:
            return text, ragged
        if ragged.times:
            raise Obstacle("what comes several times has no place of its own")
        if ragged.grid:
            raise Obstacle("a table of pairs has no order of its own")
        mask = self.as_many_in_front(ragged)
        text, ragged = self.raveled(text, ragged)
        order = self.named(f"{self.jnp('argsort')}(~{enclosed(ragged.mask)})", "front", "in_front", "order")
        index = ", ".join([*[":"] * ragged.axis, order])
        return f"{enclosed(text)}[{index}]", replace(ragged, mask=mask, front=True, pad="", direct=False)

    def as_many_in_front(self, ragged: Ragged) -> str:
        """The mask of as many elements that stand in front; of what was turned round that of what it was before."""
        texts = {name: text for text, name in self.state.masks.items()}
        before = ragged.mask
        while (made := texts.get(before, before)).endswith("[::-1]"):
            before = made.removesuffix("[::-1]")
        if before != ragged.mask and made.startswith(f"{self.jnp('arange')}(") and _is_below(made):
            return before
        count = self.counted(replace(ragged, mask=before))
        return self.named(f"{self.jnp('arange')}({enclosed(before)}.size) < {count}", "counts", "valid", "filled")

    def raveled(self, text: str, ragged: Ragged) -> tuple[str, Ragged]:
        """The same elements along the one axis that plain Python's value has."""
        if not ragged.flat:
            return text, ragged
        mask = self.named(f"{enclosed(ragged.mask)}.ravel()", "flat_mask", "chosen")
        return f"{enclosed(text)}.ravel()", replace(ragged, mask=mask, flat=False, ndim=1, axis=0, pad="")

    def as_long(self, ragged: list[Ragged]) -> list[Ragged]:
        """The same, of one mask where those that stand in front are known to be equally many: `x[k:]` and `x[:-k]`."""
        first = ragged[0]
        if are_of_one(self, ragged) or self._are_of_the_same_pieces(ragged):
            return [replace(each, mask=first.mask) for each in ragged]
        whole, *others = (self._whole_of(each) for each in ragged)
        if others == [whole] * len(others) and all(each.front and each.ndim == 1 and not each.times for each in ragged):
            return [replace(each, mask=whole) for each in ragged]
        if not all(each.front and each.places and each.places == first.places for each in ragged):
            return ragged
        lengths = [terms(ast.parse(each.length or "_", mode="eval").body, self._size, self._bound_to) for each in ragged]
        if any(not each.length for each in ragged) or lengths[0] is None or any(each != lengths[0] for each in lengths):
            return ragged
        return [replace(each, mask=first.mask) for each in ragged]

    def _bound_to(self, name: str) -> ast.expr | None:
        """What a name stands for from there on: `n` of `n = len(x) - k` in `x[:n]`."""
        function = self.spot.function
        value = bound_once(function, name) if isinstance(function, ast.FunctionDef) else None
        if value is None or not isinstance(function, ast.FunctionDef):
            return None
        if name in loaded([value]) | {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}:
            return None
        statement = self.code.statement(value)
        if statement not in function.body:
            return None
        later = function.body[function.body.index(statement) + 1 :]
        return None if (loaded([value]) | {name}) & set(stored(later)) else value

    def _are_of_the_same_pieces(self, ragged: list[Ragged]) -> bool:
        """Whether they were put together of as many elements in another order: `[0, *places]` and `[*places, n]`."""
        if not all(each.front and each.ndim == 1 and not each.times for each in ragged):
            return False
        pieces = [self._pieces(each) for each in ragged]
        return bool(pieces[0]) and all(each == pieces[0] for each in pieces)

    def _whole_of(self, ragged: Ragged) -> str:
        """The mask of what is as long: of `[0, *x[:-1]]`, `[*x[1:], 0]`, `[*x[:1], *x[:-1]]` and `[*x[1:], *x[-1:]]` that of
        `x`."""
        texts = {name: text for text, name in self.state.masks.items()}
        match [ast.parse(texts.get(each, each), mode="eval").body for each in self._pieces(ragged)]:
            case [one, other]:
                for part, rest in ((one, other), (other, one)):
                    match part:
                        case ast.Subscript(
                            value=whole, slice=ast.Slice(lower=ast.Constant(value=int(k)), upper=None, step=None)
                        ):
                            text, beside = ast.unparse(whole), ast.unparse(rest)
                            # a single one beside nothing is broadcast to nothing
                            if beside == f"{text}[:{k}]" or (k == 1 and beside == f"{self.jnp('ones')}(1, bool)"):
                                return text
                            if self._are_the_last(rest, k, replace(ragged, mask=text)):
                                return text
        return ragged.mask

    def _are_the_last(self, mask: ast.expr, number: object, ragged: Ragged) -> bool:
        """Whether a mask is that of the last so many elements, if there are as many: `x[-1:]`."""
        texts = {name: text for text, name in self.state.masks.items()}
        match mask:
            case ast.Compare(left=ast.Name(id=places), ops=[ast.GtE()], comparators=[ast.Constant(value=0)]):
                count, _, last = texts.get(places, "").rpartition(" + ")
                return last == f"{self.jnp('arange')}(-{number}, 0)" and texts.get(count, count) == self.counted(ragged)
        return False

    def _pieces(self, ragged: Ragged) -> list[str]:
        """The masks of the pieces of which an array was put together before what counts was brought to the front."""
        texts = {name: text for text, name in self.state.masks.items()}
        match ast.parse(self.counted(ragged), mode="eval").body:
            case ast.Call(func=ast.Attribute(attr="sum"), args=[ast.Name(id=mask)], keywords=[]):
                pass
            case _:
                return []
        match ast.parse(texts.get(mask, mask), mode="eval").body:
            case ast.Call(func=ast.Attribute(attr="concatenate"), args=[ast.List(elts=masks)], keywords=[]):
                return sorted(map(ast.unparse, masks))
        return []

    def _size(self, node: ast.expr) -> str:
        """The text of a part of a length: a number that is known while tracing, or what it is computed from."""
        match node:
            case (
                ast.Subscript(value=ast.Attribute(value=ast.Name(id=name), attr="shape"), slice=ast.Constant(value=0))
                | ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)])
                | ast.Name(id=name)
            ):
                value = self.spot.locals.get(name)
                if isinstance(node, ast.Name):
                    return f"<{value}>" if type(value) is int else name
                if isinstance(value, jax.Array | np.ndarray) and value.ndim:
                    return f"<{value.shape[0]}>"
        return ast.unparse(node)

    def ordered(self, node: ast.expr, ragged: Ragged) -> Ragged:
        """`in_front` for an expression, in its place."""
        text, made = self.in_front(self.text(node), ragged)
        self.replace(node, text)
        return replace(made, source=-1) if ragged.flat else made  # of several axes the one in front is filled, and none of all

    def stop(self, node: ast.AST, why: str = "") -> NoReturn:
        raise Obstacle(why or self.needing(node))

    def needing(self, node: ast.AST) -> str:
        """Why nothing is known that an expression could become."""
        needing = self.code.src(node)
        grouped = any(name.startswith("groups(") for name in self.state.masks)
        unless = ", unless the number of groups is given (num_segments=, or length= of bincount)" if grouped else ""
        return f"`{needing}` needs a value of a length that depends on data: no array of a fixed shape can hold it{unless}"


def enclosed(text: str) -> str:
    """Source text, in parentheses where an operator beside it could bind tighter."""
    plain = ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.Constant | ast.List | ast.Dict | ast.Set
    try:
        node = ast.parse(text, mode="eval").body
    except SyntaxError:
        return f"({text})"
    if isinstance(node, plain) or (isinstance(node, ast.Tuple | ast.ListComp) and text.startswith(("(", "["))):
        return text
    if text.startswith("(") and text.endswith(")") and _whole(text):
        return text
    return f"({text})"


def _is_below(mask: str) -> bool:
    """Whether a mask is of the places below a number."""
    node = ast.parse(mask, mode="eval").body
    return isinstance(node, ast.Compare) and isinstance(node.left, ast.Call) and [type(each) for each in node.ops] == [ast.Lt]


def _whole(text: str) -> bool:
    """Whether the first parenthesis closes at the end."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if not depth:
            return place == len(text) - 1
    return False
