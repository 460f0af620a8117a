"""What stays of a function that writes to objects: it calls the function of their attributes, and writes what that gives."""

from __future__ import annotations

import ast
import types
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_jitmagic.diagnosis.objects.attributes import Path
from jupyter_jitmagic.diagnosis.objects.keyed import CannotLift
from jupyter_jitmagic.diagnosis.objects.lifted_text import Lifted
from jupyter_jitmagic.diagnosis.objects.lifting import Lifting
from jupyter_jitmagic.diagnosis.splits.jits import Jits
from jupyter_jitmagic.diagnosis.splits.program import Place
from jupyter_jitmagic.source.code import first_line
from jupyter_jitmagic.source.names import walk_scope
from jupyter_jitmagic.source.units import NoSource, Unit, codes


class Outside:
    """The statement with the new functions before it, in which the user's function writes what they give.

    Args:
        place: the user's function in its source.
        main: the function that stands for it.
        lifting: what is known of the attributes.
        jits: how jit is spelled there.
    """

    def __init__(self, place: Place, main: Lifted, lifting: Lifting, jits: Jits) -> None:
        self.place, self.main, self.lifting, self.jits = place, main, lifting, jits
        self.lengths: dict[Path, str] = {}
        """Lists that come whole, and the names of their lengths."""
        node = place.node
        first = node.body[0]
        if not place.code.on_own_lines([first]):
            raise CannotLift("it stands on one line")

    def text(self, texts: Sequence[str], static: tuple[str, ...]) -> str:
        """The whole statement; `texts`: the new functions, the main one last, which is jitted."""
        place, code, jits = self.place, self.place.code, self.jits
        definitions = [*texts[:-1], *(f"{jits.decorator(static)}\n{text}" for text in texts[-1:])]
        own = []
        for text in definitions:  # imports that a rewrite needs stand first
            lines = [ast.unparse(node) for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)]
            own += lines
        imports = list(dict.fromkeys([*own, *([jits.needed_import] if texts and jits.needed_import else [])]))
        definitions = [_without_imports(text) for text in definitions]
        before = "".join(f"{line}\n" for line in imports) + ("\n\n" if imports else "")
        before += "".join(text.rstrip("\n") + "\n\n\n" for text in definitions)
        start = code.offset(first_line(place.around if isinstance(place.around, ast.ClassDef) else place.node), 0)
        body = place.node.body
        documented = ast.get_docstring(place.node) is not None
        rest = body[1:] if documented else body
        begin, end = code.region(rest, comments=True)[0], code.region([place.node])[1]
        head = code.text[start:begin]
        for line in jits.decorator_lines(code, place.node):
            head = head.replace(line, "", 1)
        tail = code.text[end:]
        return code.text[:start] + before + head + self._body(code.indent(rest[0])) + tail

    def _body(self, indent: str) -> str:
        main, node = self.main, self.place.node
        keywords = {each.arg for each in node.args.kwonlyargs}
        given = [".".join(path) for path in main.inputs]
        given += [f"{name}={name}" if name in keywords else name for name in main.parameters]
        after: list[str] = []
        taken: set[str] = {*main.parameters, *(path[0] for path in (*main.inputs, *main.outputs))}
        targets: list[str] = []
        if main.gives:
            result = next(name for name in ("result", "found", "result_of_it") if name not in taken)
            targets.append(result)
        for path, name in main.outputs.items():
            written = ".".join(path)
            local = name if name not in taken else f"new_{name}"
            length = self.lengths.get(path)
            if path in self.lifting.collected:
                after.append(f"{written}.extend({local}{f'[:{length}]' if length else ''})")
            elif length:
                after.append(f"{written} = list({local}[:{length}])")
            elif path in self.lifting.in_place:
                after.append(f"{written}[...] = {local}")
            else:
                local = written
            targets += [local, *([length] if length else [])]
        lines = [f"{', '.join(targets)} = {main.name}({', '.join(given)})", *after]
        if main.gives:
            lines.append(f"return {targets[0]}")
        elif main.gives_object:
            lines.append(f"return {self._object()}")
        return "".join(f"{indent}{line}\n" for line in lines)

    def _object(self) -> str:
        """The object that the function gives back."""
        found = [node.value for node in ast.walk(self.place.node) if isinstance(node, ast.Return) and node.value is not None]
        return next(node.id for node in found if isinstance(node, ast.Name))

    def differences(self) -> tuple[str, ...]:
        """What the caller gets otherwise than from plain Python."""
        numbers = [".".join(path) for path in self.main.outputs if _holds_numbers(self.lifting.value(path))]
        lifting, found = self.lifting, list[str]()
        names = [f"`{name}`" for name in dict.fromkeys([*numbers, *map(".".join, (*lifting.collected, *self.lengths))])]
        if names:
            found.append(
                f"numbers in {_and(names)} are arrays of JAX's afterwards (`float(…)` or `int(…)` makes Python's of them)"
            )
        for path, kind in lifting.others.items():
            found.append(f"it is right where `{'.'.join(path)}` is a {kind}")
        for path in lifting.in_rounds:
            found.append(f"plain Python does not set `{'.'.join(path)}` where its loop has no round")
        for path in lifting.asked_last:
            if path in lifting.collected:
                name = ".".join(path)
                found.append(f"where a call appends nothing to `{name}`, `{name}[-1]` is not that of an earlier call")
        return tuple(found)

    def words(self, static: tuple[str, ...]) -> str:
        """What is done, and its price."""
        name, function = self.main.name, self.place.node.name
        again = f" `{name}` compiles again for each value of {_and([f'`{each}`' for each in static])}." if static else ""
        function = f"{self.place.around.name}.{function}" if function == "__call__" else function  # type: ignore[union-attr]
        return f"`{function}` is plain Python then, and not to be put under jit itself.{again}"


def lengths_in(text: str, main: Lifted) -> dict[Path, str]:
    """The lists that a new text of the function gives whole: the name of each one's length stands behind it.

    Raises:
        CannotLift: they cannot be told from the rest.
    """
    definition = next(node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == main.name)
    returns = [node.value for node in walk_scope(definition.body) if isinstance(node, ast.Return)]
    if len(returns) != 1 or not isinstance(returns[0], ast.Tuple):
        raise CannotLift("it returns in several places")
    names = [each.id if isinstance(each, ast.Name) else "" for each in returns[0].elts[int(main.gives) :]]
    found: dict[Path, str] = {}
    for path, name in main.outputs.items():
        if not names or names.pop(0) != name:
            raise CannotLift("its lists cannot be told from its result")
        if names and names[0] and names[0] not in main.outputs.values():
            found[path] = names.pop(0)
    if names or not found:
        raise CannotLift("its lists cannot be told from its result")
    return found


def new_method(
    text: str, unit: Unit, function: types.FunctionType, space: Mapping[str, Any], instead: Mapping[str, Any]
) -> types.FunctionType:
    """The user's function as a new text of its statement defines it, made of its code alone.

    Raises:
        NoSource: it is not there.
    """
    made = {code.co_qualname: code for code in codes(unit.compiled(text, unit.filename))}
    code = made.get(function.__qualname__)
    if code is None or code.co_freevars:
        raise NoSource(f"{function.__name__} is not in the new source")
    new = types.FunctionType(code, {**space, **instead}, function.__name__, function.__defaults__)
    new.__kwdefaults__ = function.__kwdefaults__
    return new


def _without_imports(text: str) -> str:
    body = ast.parse(text).body
    first = next(node for node in body if isinstance(node, ast.FunctionDef))
    line = min([first.lineno, *(each.lineno for each in first.decorator_list)])
    decorators = [each for each in text.splitlines() if each.startswith("@")]
    kept = "\n".join(text.splitlines()[line - 1 :])
    return kept if not decorators or kept.startswith("@") else "\n".join([*decorators, kept])


def _holds_numbers(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1] if names else ""
