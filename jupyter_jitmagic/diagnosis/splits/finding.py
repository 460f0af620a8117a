"""The search for a split: cut, run, trace the pieces, leave in plain Python what does not trace, cut again; then compare."""

from __future__ import annotations

import ast
import functools
import types
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.jaxprs import MANY_EQUATIONS, count_equations, work_in
from jupyter_jitmagic.base.looking import has
from jupyter_jitmagic.diagnosis.call.calls import Call, bind, is_jax_type, readable
from jupyter_jitmagic.diagnosis.proof.arguments import ARRAYS_ALONE, Input
from jupyter_jitmagic.diagnosis.proof.moment import drawn_once
from jupyter_jitmagic.diagnosis.rewrites.proposing import propose
from jupyter_jitmagic.diagnosis.rewrites.sources import holders
from jupyter_jitmagic.diagnosis.sites.finding import find_call_sites
from jupyter_jitmagic.diagnosis.splits.changing import changing
from jupyter_jitmagic.diagnosis.splits.cutting import CannotCut, Cut, Item, Key, Marks, Piece
from jupyter_jitmagic.diagnosis.splits.hashable import keys_of, lines_of, with_lines
from jupyter_jitmagic.diagnosis.splits.helpers import split_of_a_helper
from jupyter_jitmagic.diagnosis.splits.jits import Jits
from jupyter_jitmagic.diagnosis.splits.mending import Lines, mended
from jupyter_jitmagic.diagnosis.splits.price import Prices
from jupyter_jitmagic.diagnosis.splits.program import Place, Program, Rewritten, Split, difference, in_place_of, with_static
from jupyter_jitmagic.diagnosis.splits.proving import Proof
from jupyter_jitmagic.diagnosis.splits.statements import is_more, may_isolate
from jupyter_jitmagic.diagnosis.splits.stopping import own_statement, stopped_at
from jupyter_jitmagic.diagnosis.statics.registered import is_fixed
from jupyter_jitmagic.diagnosis.statics.search import search, trace_call
from jupyter_jitmagic.diagnosis.types import Change, Rewrite
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun
from jupyter_jitmagic.source.names import stored, target_names, top_name
from jupyter_jitmagic.source.units import NoSource, plain_function, unit_of

MOST_CUTS = 40
FEWEST_EQUATIONS = 2  # a piece of one operation saves nothing
LITTLE_WORK = 6  # operations under jit up to which a split inside a helper may leave more
MOST_REWRITTEN = 4
MOST_MARKED_AGAIN = 4  # statements that a rewrite beside them may bring back, and that stay as they were


def find_split(call: Call, static: frozenset[str], seconds: float, refused: Lines = (), listed: Sequence[str] = ()) -> Split:
    """The split of a function that no array of fixed shape can hold, if plain Python runs it.

    Args:
        call: the failing call.
        static: arguments that are static, declared or found to be needed.
        seconds: time for the search, and again for the comparison.
        refused: lines at which it sets elements of JAX's arrays in place.
        listed: arguments that are lists or dicts, which the pieces take as tuples, and static.

    Example:
        >>> find_split(bind(f, (x,), {}), frozenset(), 2.0).rewrite.pieces
        ('f_before', 'f_after')
    """
    function = plain_function(call.fun)
    if function is None or not readable(call):
        return Split()
    try:
        unit = unit_of(function.__code__, function.__globals__)
        text = mended(call, unit, refused, seconds) if refused else None
        if refused and text is None:
            return Split()
        place = Place.of(unit, function, text)
        hashable, again = lines_of(call, place, listed)
        if listed:
            place = Place.of(unit, function, with_lines(place, [*hashable, *again]))
        search = _Search(call, static | {*listed}, function, place, seconds, refused, listed)
        found = search.split(keys_of(place, hashable))
        if found.runs and not (refused or listed) and found.work < LITTLE_WORK:
            inside = split_of_a_helper(call, static, function, place, seconds, find_split)
            found = inside if inside is not None and inside.work > found.work else found
        return found
    except (CannotCut, NoSource, SyntaxError):
        return Split(runs=_runs(call, seconds))


def _runs(call: Call, seconds: float) -> bool:
    """Whether plain Python runs the call."""
    try:
        rerun(lambda: jax.block_until_ready(call.fun(*_fresh(call.args), **_fresh(call.kwargs))), seconds)
    except (Exception, OutOfTime, Effect):
        return False
    return True


@dataclass
class _Seen:
    """What one run gave a piece, and got from it; `changed`: inputs that the piece changed in place."""

    args: tuple[Any, ...]
    outputs: tuple[Any, ...]
    changed: tuple[str, ...] = ()


@dataclass
class _State:
    """One way to cut, and what is known of its pieces."""

    marks: Marks
    static: dict[tuple[Key, ...], tuple[str, ...]] = field(default_factory=dict)
    rewritten: dict[tuple[Key, ...], Rewritten] = field(default_factory=dict)
    failed: list[Key] = field(default_factory=list)
    small: set[Key] = field(default_factory=set)
    """Marked only because the piece that they made was not worth it, or because no call came there."""
    works: dict[tuple[Key, ...], int] = field(default_factory=dict)
    """By piece, how many operations compute something in it."""

    def leave(self, piece: Piece) -> None:
        """The piece's statements stay in plain Python: it is not worth it, or no call comes there."""
        self.marks.plain |= set(piece.key)
        self.small |= set(piece.key)

    def copy(self) -> _State:
        return _State(
            self.marks.copy(), dict(self.static), dict(self.rewritten), list(self.failed), set(self.small), dict(self.works)
        )


class _PlainFails(Exception):
    """Plain Python does not run the call."""


class _Search:
    def __init__(
        self,
        call: Call,
        static: frozenset[str],
        function: types.FunctionType,
        place: Place,
        seconds: float,
        refused: Lines,
        listed: Sequence[str] = (),
    ) -> None:
        self.call, self.static = call, static | call.declared
        self.listed = listed
        self.function, self.place, self.seconds = function, place, seconds
        self.deadline = Deadline(seconds)
        self.proof = Proof(call, self.static, place.typed, seconds, refused)
        self.jits = Jits(function.__globals__, call.keeps_options, call.jit if call.carried else "")
        if self.jits.others(place.node):
            raise CannotCut("another transformation stands over it")
        self.taken = frozenset(function.__globals__)
        self._program: Program | None = None
        self._proposed: dict[Hashable, Rewrite | None] = {}
        """By piece, what cures it."""

    def split(self, stays: Collection[Key] = ()) -> Split:
        """`stays`: statements that stay in plain Python, whatever the others do."""
        self.changing, isolated = changing(self.place, self.function)
        self.changing |= {*stays}
        begun = _State(Marks(set(self.changing), isolated=isolated))
        try:
            state = self._settled(begun.copy())
        except _PlainFails:
            return Split()
        if self.listed and state is not None and state.failed:  # data as well: in one piece, where a rewrite cures that
            state = self._with_rewritten(begun, (self.place.node.body[-1], 0)) or state
        if state is None:
            return Split(runs=True)
        as_cut = state.copy()
        for key in state.failed[:MOST_REWRITTEN] if len(state.failed) > 1 or self.changing else ():
            if key in state.marks.plain and not self.deadline.over():
                state = self._with_rewritten(state, key) or state
        found = self._proven(state)
        if found.rewrite is None and state.rewritten:
            found = self._proven(as_cut)  # a statement that was rewritten may give something else, on some call
        return found

    def _proven(self, state: _State) -> Split:
        """The split of a state, compared with plain Python."""
        serving = self._serving(state)
        made = self._without_idle_pieces(serving) if serving is not None else None
        if made is None:
            return Split(runs=True)
        program = self._made(made)
        return self._compared(program, made) if program.pieces and (made.failed or self.changing) else Split(runs=True)

    def _without_idle_pieces(self, state: _State) -> _State:
        """The state without pieces that compute nothing (`i = order[0]`), where others do."""
        pieces = self._made(state).pieces
        idle = [piece for piece in pieces if state.works.get(piece.key) == 0]
        if not idle or len(idle) == len(pieces):
            return state
        fewer = state.copy()
        for piece in idle:
            fewer.leave(piece)
        return self._settled(fewer) or state

    # -- cutting until every piece traces -------------------------------------------------------------

    def _settled(self, state: _State) -> _State | None:
        """The state in which every piece traces (there may be none); None if it was not found in time."""
        for _ in range(MOST_CUTS):
            program = self._made(state)
            if self.deadline.over():
                return None
            seen = self._observed(program)
            if self._learnt_from_values(program, state, seen):
                continue
            with program.readable():
                if self._learnt_from_traces(program, state, seen):
                    continue
            if not self._whole_again(program, state):
                return state
        return None

    def _made(self, state: _State) -> Program:
        cut = Cut(self.place.code, self.place.node, state.marks, self.taken)
        return Program(self.place, self.function, cut, self.jits, state.static, state.rewritten)

    def _observed(self, program: Program, given: Input | None = None) -> dict[str, _Seen]:
        """What the pieces were given and gave in a plain run of the call, or of another."""
        args, kwargs = (self.call.args, self.call.kwargs) if given is None else (given.args, given.kwargs)
        seen: dict[str, _Seen] = {}

        def watched(piece: Piece, function: Callable[..., Any]) -> Callable[..., Any]:
            def run(*args: Any) -> Any:
                before = [_print_of(arg) for arg in args]
                result = function(*args)
                changed = [
                    name for name, arg, old in zip(piece.inputs, args, before, strict=True) if old and _print_of(arg) != old
                ]
                outputs = () if piece.returns else result if len(piece.outputs) > 1 else (result,)
                kept = jax.tree_util.tree_map(lambda leaf: leaf, outputs)  # as they are now: lists may grow behind the piece
                seen.setdefault(piece.name, _Seen(args, kept, tuple(changed)))
                return result

            return run

        pieces = {piece.name: watched(piece, program.functions[piece.name]) for piece in program.pieces}
        fun = in_place_of(self.call.fun, program.run_with(pieces))
        try:
            left = max(self.deadline.left(), 0.1)
            rerun(lambda: jax.block_until_ready(fun(*_fresh(args), **_fresh(kwargs))), left)
        except (Exception, OutOfTime, Effect) as error:
            raise _PlainFails from error
        return seen

    def _serving(self, state: _State) -> _State | None:
        """The state in which the pieces trace on the other calls, too; None if it was not found in time."""
        for _ in range(MOST_CUTS):
            if not self._learnt_from_others(state):
                return state
            settled = self._settled(state)
            if settled is None or self.deadline.over():
                return None
            state = settled
        return None

    def _learnt_from_others(self, state: _State) -> bool:
        """Whether a piece did not trace on another call that plain Python takes: then a statement has to stay."""
        program = self._made(state)
        for given in self.proof.others:
            try:
                seen = self._observed(program, given)
            except _PlainFails:
                continue
            for piece in program.pieces:
                if piece.name not in seen:
                    continue
                with program.readable():
                    error, _ = self._trace(program, piece, seen[piece.name].args, state)
                    if error is not None and state.rewritten.pop(piece.key, None) is not None:
                        state.marks.plain |= set(piece.key)
                        return True
                    if error is not None:
                        self._stays(program, piece, error, state)
                        return True
        return False

    def _learnt_from_values(self, program: Program, state: _State, seen: Mapping[str, _Seen]) -> bool:
        """Whether a value that passes in or out of a piece showed that a statement has to stay in plain Python."""
        for piece in program.pieces:
            found = seen.get(piece.name)
            if found is None:  # no call comes here
                state.leave(piece)
                return True
            for name, value in zip(piece.outputs, found.outputs, strict=True):
                leaves = jax.tree_util.tree_leaves(value)
                if not leaves or not all(isinstance(leaf, jax.Array) for leaf in leaves):
                    state.marks.early |= {item.key for item in piece.items if name in stored([item.node])}
                    return True
            static = {name for name in self.static if self._may_be_static(name)} if not self.call.keeps_options else set()
            for name, value in zip(piece.inputs, found.args, strict=True):
                kept = name in static or self.call.keeps_options or self._may_be_traced(value)
                if name in found.changed or not (kept or is_fixed(value)):
                    state.marks.plain |= {item.key for item in piece.items if _reads(item, name)}
                    return True
                if not kept:
                    static.add(name)
            known = set(state.static.get(piece.key, ()))
            state.static[piece.key] = with_static(piece, frozenset(known | static))
        return False

    def _may_be_static(self, name: str) -> bool:
        """Whether an argument that is found to be needed as a static one may be so in a piece: an object that is compared by
        identity may change, unless the user's own jit takes it so."""
        if name in self.listed:
            return True
        given = next((each.value for each in self.call.arguments if each.name == name), None)
        return name in self.call.declared - self.call.library or given is None or is_fixed(given)

    @staticmethod
    def _may_be_traced(value: Any) -> bool:
        return all(is_jax_type(leaf) for leaf in jax.tree_util.tree_leaves(value))

    def _learnt_from_traces(self, program: Program, state: _State, seen: Mapping[str, _Seen]) -> bool:
        """Whether a piece did not trace (then a static argument was found, or a statement has to stay), or is not worth it."""
        for piece in program.pieces:
            args = seen[piece.name].args
            error, traced = self._trace(program, piece, args, state)
            if error is None:
                count = count_equations(traced.jaxpr)
                if count > MANY_EQUATIONS:
                    raise OutOfTime  # XLA cannot be stopped while it compiles
                if count < FEWEST_EQUATIONS:
                    state.leave(piece)
                    return True
                state.works[piece.key] = work_in(traced.jaxpr)
                continue
            if not self._with_sizes(program, piece, args, state):
                self._stays(program, piece, error, state)
            return True
        return False

    @staticmethod
    def _whole_again(program: Program, state: _State) -> bool:
        """Whether a statement was taken apart of which no part came into a piece: then it stays as typed."""
        inside = {key[0] for piece in program.pieces for key in piece.key}
        vain = [stmt for stmt in state.marks.isolated if stmt not in inside]
        for stmt in vain:
            del state.marks.isolated[stmt]
            state.marks.plain.add((stmt, 0))
            state.failed.append((stmt, 0))  # that is why it was taken apart
        return bool(vain)

    def _trace(self, program: Program, piece: Piece, args: tuple[Any, ...], state: _State) -> tuple[BaseException | None, Any]:
        return trace_call(self._call_of(program, piece, args, state), frozenset(), max(self.deadline.left(), 0.5))

    def _call_of(self, program: Program, piece: Piece, args: tuple[Any, ...], state: _State) -> Call:
        declared = frozenset(state.static.get(piece.key, ()))
        made = bind(program.functions[piece.name], args, {}, declared)
        return Call(made.fun, args, {}, declared, made.arguments, keeps_options=self.call.keeps_options)

    def _with_sizes(self, program: Program, piece: Piece, args: tuple[Any, ...], state: _State) -> bool:
        """Whether static arguments cure the piece: sizes, say, that the line before it computed, some of them as arrays."""
        named = dict(zip(piece.inputs, args, strict=True))
        arrays = {name for name, arg in named.items() if name not in program.cut.parameters and _is_whole_number(arg)}
        args = tuple(int(arg) if name in arrays else arg for name, arg in named.items())
        if not any(isinstance(arg, bool | int | float | str) for arg in args) or self.call.keeps_options:
            return False
        call = self._call_of(program, piece, args, state)
        found = search(call, find_call_sites(call, frozenset(), seconds=0.5), seconds=0.5)
        wanted = found.static if found.cured else found.wider
        # what the caller passes is data where it was not found to be needed as a static argument: it may be an array next time
        wanted -= frozenset(program.cut.parameters) - self.static
        if not wanted - call.declared:
            return False
        state.static[piece.key] = with_static(piece, wanted | call.declared)
        if arrays & wanted:
            state.marks.sizes[piece.key] = frozenset(arrays & wanted)
        return True

    def _stays(self, program: Program, piece: Piece, error: BaseException, state: _State) -> None:
        """Mark the statement of a piece at which its trace stopped."""
        item, node = stopped_at(program, piece, error)
        if item is None:
            item = piece.items[-1]
        stmt = item.stmt
        if item.part == 0 and node is not None:
            stmt = own_statement(self.place, node)
            if may_isolate(self.place.code, stmt, node) and stmt not in state.marks.isolated and is_more(stmt, node):
                assert isinstance(node, ast.expr)
                state.marks.isolated[stmt] = node
                return
        state.marks.plain.add((stmt, item.part))
        state.failed.append((stmt, item.part))

    # -- curing more ----------------------------------------------------------------------------------

    def _with_rewritten(self, state: _State, key: Key) -> _State | None:
        """The state with one statement more in a piece, by a rewrite that was proven for that piece; None if there is none."""
        tried = state.copy()
        inside = set(ast.walk(key[0]))
        tried.marks.plain = {each for each in tried.marks.plain - tried.small if each[0] not in inside}
        tried.marks.isolated = {stmt: node for stmt, node in tried.marks.isolated.items() if stmt not in inside}
        tried.failed = [each for each in tried.failed if each[0] not in inside]
        tried.small = set()
        try:
            return self._settled_with(tried, key)
        except _PlainFails:
            return None

    def _settled_with(self, tried: _State, key: Key) -> _State | None:
        for _ in range(MOST_MARKED_AGAIN):
            program = self._made(tried)
            pieces = [piece for piece in program.pieces if any(_holds(item, key[0]) for item in piece.items)]
            if len(pieces) != 1:
                return None
            (piece,) = pieces
            seen = self._observed(program)
            if piece.name not in seen:
                return None
            if not self._learnt_from_values(program, tried, seen):
                break
        else:
            return None
        if isinstance(self.place.around, ast.FunctionDef):
            return None
        names = (*tried.static.get(piece.key, ()), *((ARRAYS_ALONE,) if self.call.keeps_options else ()))
        known = piece.key, frozenset(tried.marks.isolated), names
        if known not in self._proposed:  # of several statements that stopped, each may lead to the same piece
            function, seconds = program.functions[piece.name], max(0.2, min(0.5, self.deadline.left()))
            with program.readable():
                found = propose(function, seen[piece.name].args, {}, (), names, seconds=seconds)
            self._proposed[known] = next((r for r in found.rewrites if set(r.sources) == {piece.name}), None)
        best = self._proposed[known]
        if best is None:
            return None
        tried.rewritten[piece.key] = Rewritten(best.sources[piece.name], best.patterns)
        settled = self._settled(tried)
        kept = settled is not None and piece.key in {each.key for each in self._made(settled).pieces}
        return settled if kept else None

    # -- the proof ------------------------------------------------------------------------------------

    def _compared(self, program: Program, state: _State) -> Split:
        if self.listed and not any(state.static.get(piece.key) for piece in program.pieces):
            return Split(runs=True)  # what is hashable now goes into no piece
        prices = Prices(program, self.call.keeps_options, self.listed)
        fun = in_place_of(self.call.fun, program.run_with(prices.callables))
        with program.readable():
            if any(drawn_once(program.functions[piece.name]) for piece in program.pieces):
                return Split(runs=True)  # the same numbers in every call are no random ones
            loops = any("while_loop" in rewritten.patterns for rewritten in state.rewritten.values())
            proven = self.proof.compared(fun, prices.settle, program.without_jit if loops else None)
        if isinstance(proven, str):
            return Split(self._rewrite(program, state, prices, reason=proven), True)
        if proven is None:
            return Split(runs=True)
        return Split(self._rewrite(program, state, prices, proven), True, fun, sum(state.works.values()))

    def _rewrite(self, program: Program, state: _State, prices: Prices, compared: Any = None, reason: str = "") -> Rewrite:
        place, unit = self.place, self.place.unit
        name = top_name(place.code.tree.body[-1])
        text = program.whole()
        sources = {name: text}
        filenames = {name: unit.filename}
        diffs = [difference(name, place.typed.text, text)]
        for held, statement in holders(unit) if place.around is None else ():
            sources[held] = self.jits.without(statement, place.node.name)
            filenames[held] = unit.filename
            if sources[held] != statement:
                diffs.append(difference(held, statement, sources[held]))
        stays = sorted({stmt.lineno for stmt, _ in state.failed or self.changing})
        changes = [Change(unit.filename, unit.first_line + line - 1, "split") for line in stays or [place.node.lineno]]
        for piece in program.pieces:
            for pattern in state.rewritten[piece.key].patterns if piece.key in state.rewritten else ():
                changes.append(Change(unit.filename, unit.first_line + piece.items[0].stmt.lineno - 1, pattern))
        return Rewrite(
            sources,
            text,
            tuple(changes),
            "\n".join(diffs),
            compared,
            compared is not None,
            reason,
            filenames=filenames,
            pieces=tuple(piece.name for piece in program.pieces),
            price=prices.words(place.node.name) if compared is not None else "",
            slight=self._does_little(program, state)
            or any(map(functools.partial(self._compiles_each_round, program), program.pieces)),
        )

    @staticmethod
    def _does_little(program: Program, state: _State) -> bool:
        """Whether hardly anything is compiled: an operation, or a few beside a loop that stays in plain Python."""
        works = [state.works.get(piece.key, FEWEST_EQUATIONS) for piece in program.pieces]
        if all(work < FEWEST_EQUATIONS for work in works):
            return True
        loops = [node for stmt, _ in state.failed if isinstance(stmt, ast.For | ast.While) for node in ast.walk(stmt)]
        within = any(item.stmt in loops for piece in program.pieces for item in piece.items)
        return bool(loops) and not within and sum(works) < LITTLE_WORK

    def _compiles_each_round(self, program: Program, piece: Piece) -> bool:
        """Whether what counts the rounds of a loop around a piece is static in it."""
        loops = [node for node in ast.walk(self.place.node) if isinstance(node, ast.For)]
        around = [loop for loop in loops if any(piece.items[0].stmt is each for each in ast.walk(loop))]
        return any(name in target_names(loop.target) for loop in around for name in program.static.get(piece.key, ()))


def _fresh(values: Any) -> Any:
    """The same values in new containers and new NumPy arrays: what a run does to them is not done to the user's."""
    return jax.tree_util.tree_map(lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, values)


def _print_of(value: Any) -> Any:
    """What shows whether a container was changed in place; None for what cannot be, as far as is known."""
    if isinstance(value, list | dict | set):
        return repr(jax.tree_util.tree_structure(value)), tuple(map(id, jax.tree_util.tree_leaves(value)))
    if has(value, "tobytes") and not isinstance(value, jax.Array):
        return value.tobytes()
    return None


def _is_whole_number(value: Any) -> bool:
    return isinstance(value, jax.Array) and value.ndim == 0 and jax.numpy.issubdtype(value.dtype, jax.numpy.integer)


def _reads(item: Item, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(item.node))


def _holds(item: Item, stmt: ast.stmt) -> bool:
    return item.stmt is stmt or any(node is stmt for node in ast.walk(item.stmt))
