"""From a call that writes to an object to the answer: the function of its attributes under jit, and what writes them back."""

from __future__ import annotations

import ast
import itertools
import linecache
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import jax

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.call.calls import Call, bind
from jupyter_jitmagic.diagnosis.fixes import fixes
from jupyter_jitmagic.diagnosis.objects.attributes import (
    Path,
    attribute_at,
    attributes_of,
    copied,
    is_shared,
)
from jupyter_jitmagic.diagnosis.objects.given import STALE, objects_given, with_objects, without_tracers
from jupyter_jitmagic.diagnosis.objects.keyed import CannotLift
from jupyter_jitmagic.diagnosis.objects.lifted_text import Lifted
from jupyter_jitmagic.diagnosis.objects.lifting import Lifting
from jupyter_jitmagic.diagnosis.objects.outside import Outside, lengths_in, new_method
from jupyter_jitmagic.diagnosis.objects.proving import Beside, compared
from jupyter_jitmagic.diagnosis.rewrites.sources import holders
from jupyter_jitmagic.diagnosis.splits.cutting import CannotCut
from jupyter_jitmagic.diagnosis.splits.jits import Jits
from jupyter_jitmagic.diagnosis.splits.program import Place, difference
from jupyter_jitmagic.diagnosis.statics.registered import is_fixed
from jupyter_jitmagic.diagnosis.statics.search import trace_call
from jupyter_jitmagic.diagnosis.types import Change, Comparison, Diagnosis, Rewrite
from jupyter_jitmagic.sandbox.purity import impurity
from jupyter_jitmagic.source.layout import folded
from jupyter_jitmagic.source.names import top_name
from jupyter_jitmagic.source.units import NoSource, codes, plain_function, unit_of

PATTERN = "attributes"
_numbers = itertools.count(1)

Ask = Callable[[Call], Diagnosis]
"""The diagnosis of another call, in the time that is left."""


@dataclass(frozen=True)
class Written:
    """What was found of a function that writes to objects.

    Attributes:
        rewrite: the function of the attributes and what writes them back, run and compared; None where there is none.
        why_not: what stands in the way.
        note: what is to be said of the values, where the objects hold tracers of an earlier trace.
    """

    rewrite: Rewrite | None = None
    why_not: str = ""
    note: str = ""


def written_outside(call: Call, static: frozenset[str], cured: bool, seconds: float, ask: Ask) -> Written | None:
    """The function of the attributes, where `call` writes what it computes to an object that its caller keeps.

    Args:
        call: the failing call.
        static: the smallest static set that was found; `cured`: with it the call traces.
        seconds: for the comparison.
        ask: what diagnoses the new function.

    Returns:
        None where the call writes to no object.
    """
    function = plain_function(call.fun)
    objects = objects_given(call)
    if function is None or not objects:
        return None
    try:
        before: dict[Path, Any] = {(name,): without_tracers(each) for name, each in objects.items()}
        lifting = Lifting(before, function.__globals__)
        main = lifting.lift(function, {name: (name,) for name in objects})
        lifting.check_classes(function)
    except NoSource:
        return None
    except CannotLift as why:
        noticed = impurity(call.fun, call.args, call.kwargs)[0]
        return Written(why_not=str(why)) if not cured and noticed.startswith(("it writes ", "it changes ")) else None
    if not main.outputs or (cured and not _keeps_tracers(call, static, objects)):
        return None
    if is_shared(list(lifting.objects.values()), [lifting.value(path) for path in (*lifting.in_place, *lifting.collected)]):
        return Written(why_not="an object is reached under two names")
    try:
        return _Search(call, function, objects, lifting, main, seconds, ask).found()
    except (CannotLift, CannotCut, NoSource, SyntaxError) as why:
        return Written(why_not=str(why))


def _keeps_tracers(call: Call, static: frozenset[str], objects: Mapping[str, Any]) -> bool:
    """Whether a trace leaves tracers in the objects: what the function writes there is computed under jit."""
    again = with_objects(call, {name: copied(without_tracers(each)) for name, each in objects.items()})
    trace_call(again[0], static | frozenset(set(objects) & {each.name for each in call.arguments}), 2.0)
    leaves = [jax.tree_util.tree_leaves(held) for each in again[1].values() for held in attributes_of(each).values()]
    return any(isinstance(leaf, jax.core.Tracer) for each in leaves for leaf in each)


class _Search:
    def __init__(
        self,
        call: Call,
        function: types.FunctionType,
        objects: dict[str, Any],
        lifting: Lifting,
        main: Lifted,
        seconds: float,
        ask: Ask,
    ) -> None:
        self.call, self.function, self.lifting, self.main = call, function, lifting, main
        self.seconds, self.ask = seconds, ask
        self.objects = {path[-1]: each for path, each in lifting.objects.items()}
        held = (attribute_at({(name,): each for name, each in objects.items()}, path) for path in main.inputs)
        self.stale = any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree_util.tree_leaves(list(held)))
        self.unit = unit_of(function.__code__, function.__globals__)
        self.place = Place.of(self.unit, function)
        if isinstance(self.place.around, ast.FunctionDef):
            raise CannotLift("it is defined within a function")
        self.jits = Jits(function.__globals__, call.keeps_options)
        if self.jits.others(self.place.node):
            raise CannotLift("another transformation stands over it")
        self.outside = Outside(self.place, main, lifting, self.jits)

    def found(self) -> Written:
        main = self.main
        with self._readable() as space:
            inner = self._inner(space[main.name])
            if why_not := impurity(inner.fun, inner.args, inner.kwargs, frozenset(main.inputs.values()))[0]:
                raise CannotLift(why_not)
            declared = tuple(each.name for each in inner.arguments if each.name in inner.declared)
            chosen = self._chosen(self.ask(inner), declared)
            if chosen is None:
                return Written()
            rewrite, static = chosen
            for name in static:
                value = next((each.value for each in inner.arguments if each.name == name), None)
                if value is not None and not is_fixed(value):
                    raise CannotLift(f"{name} would be static by what it is")
            sources = dict(rewrite.sources) if rewrite is not None else {}
            texts = [sources.pop(each.name, each.text) for each in (*self.lifting.helpers, main)]
            plainly = new_method(self.outside.text([], static), self.unit, self.function, space, {})
            self.outside.lengths = lengths_in(texts[-1], main) if rewrite is not None and rewrite.padded else {}
            final = self._defined(texts, sources)
            final[main.name] = jax.jit(final[main.name], static_argnames=static)
            compiled = new_method(self.outside.text([], static), self.unit, self.function, final, {})
            beside = Beside(self.call, self.function, self.objects, main, self.lifting)
            padded = bool(self.outside.lengths)
            count = compared(beside, inner, static, plainly, compiled, self.seconds, everywhere=padded)
        if count is None:
            return Written(why_not="what was found gives something else")
        return Written(self._rewrite(texts, sources, static, rewrite, count), note=self._note())

    # -- the functions of attributes --------------------------------------------------------------------

    @contextmanager
    def _readable(self) -> Iterator[dict[str, Any]]:
        """The new functions as they came, in a file of their own while this lasts."""
        self._files: list[str] = []
        try:
            space = self._defined([each.text for each in (*self.lifting.helpers, self.main)], {})
            yield space
        finally:
            for filename in self._files:
                linecache.cache.pop(filename, None)

    def _defined(self, texts: Sequence[str], others: Mapping[str, str]) -> dict[str, Any]:
        """The globals of the function with the new functions in them, made of their code alone."""
        text = "\n\n".join([*others.values(), *texts])
        filename = f"<jitmagic attributes {next(_numbers)}>"
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
        self._files.append(filename)
        space = dict(self.function.__globals__)
        for node in ast.parse(text).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                exec(compile(ast.Module([node], []), filename, "exec"), space)
        made = {code.co_qualname: code for code in codes(self.unit.compiled(text, filename))}
        for name in dict.fromkeys([*others, *(each.name for each in (*self.lifting.helpers, self.main))]):
            if name not in made:
                raise NoSource(f"{name} is not in the new source")
            old = self.lifting.defaults.get(name) or self.function.__globals__.get(name)
            space[name] = types.FunctionType(made[name], space, name, attribute(old, "__defaults__", None))
            space[name].__kwdefaults__ = attribute(old, "__kwdefaults__", None)
        return space

    def _inner(self, pure: types.FunctionType) -> Call:
        """The call of the new function: the attributes, then what the user gave."""
        values = tuple(self.lifting.value(path) for path in self.main.inputs)
        given = {each.name: each.value for each in self.call.arguments if each.name not in self.objects}
        if not set(given) <= set(self.main.parameters):
            raise CannotLift("its arguments have no names")
        args = list(values)
        for name in self.main.parameters:
            if name not in given or name in self._keywords():
                break
            args.append(given.pop(name))
        return bind(pure, tuple(args), given, frozenset(self.call.declared - set(self.objects)))

    def _keywords(self) -> set[str]:
        return {each.arg for each in self.place.node.args.kwonlyargs}

    def _chosen(self, answer: Diagnosis, declared: tuple[str, ...]) -> tuple[Rewrite | None, tuple[str, ...]] | None:
        """(what cures the new function, None if it needs no cure; its static arguments).

        Lists of a length that the data decides may come whole, with their lengths: they are cut outside.
        """
        if answer.kind == "traces":
            return None, declared
        every = [fix for fix in fixes(answer) if not fix.static_argnums and not (fix.rewrite and fix.rewrite.pieces)]
        if answer.kind == "not_staticness":
            return None
        for fix in every:
            if fix.proof != "unverified" or (fix.rewrite is not None and fix.rewrite.padded):
                return fix.rewrite, tuple(dict.fromkeys((*declared, *fix.static_argnames)))
        return None

    def _note(self) -> str:
        if not self.stale:
            return ""
        return STALE

    # -- what is told ----------------------------------------------------------------------------------

    def _rewrite(
        self, texts: Sequence[str], others: Mapping[str, str], static: tuple[str, ...], inner: Rewrite | None, count: int
    ) -> Rewrite:
        unit, place, main = self.unit, self.place, self.main
        name = top_name(place.code.tree.body[-1])
        text = folded(self.outside.text(texts, static), unit.text)
        sources, filenames = {name: text}, {name: unit.filename}
        diffs = [difference(name, unit.text, text)]
        for other, source in others.items():
            function = self.function.__globals__[other]
            own = unit_of(function.__code__, function.__globals__)
            sources[other], filenames[other] = source, own.filename
            diffs.append(difference(other, own.text, source))
        for held, statement in holders(unit) if place.around is None else ():
            sources[held] = self.jits.without(statement, place.node.name)
            filenames[held] = unit.filename
            if sources[held] != statement:
                diffs.append(difference(held, statement, sources[held]))
        proof = inner.compared if inner is not None and inner.compared is not None else Comparison(count)
        written = tuple(f"plain Python changes {name} in place" for name in main.outputs.values())  # so does the new method
        kept = (each for each in proof.differences if not each.startswith(written))
        differences = (*kept, *self.outside.differences())
        proof = replace(proof, inputs=min(proof.inputs, count), differences=differences)
        line = unit.first_line + place.node.lineno - 1
        patterns = (PATTERN, *(inner.patterns if inner is not None else ()))
        return Rewrite(
            sources,
            text,
            tuple(Change(unit.filename, line, pattern) for pattern in patterns),
            "\n".join(diffs),
            proof,
            True,
            filenames=filenames,
            pieces=(main.name,),
            price=self.outside.words(static),
        )
