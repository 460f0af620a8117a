"""What a rule sees (`Spot`) and what it proposes (`Step`)."""

from __future__ import annotations

import ast
import builtins
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.arrays import can_call_back
from jupyter_jitmagic.base.looking import in_class, is_a, own_attribute
from jupyter_jitmagic.diagnosis.rewrites.facts import Fact, Facts, fact_at, fact_of
from jupyter_jitmagic.source.code import Code, Function, comments_of, first_line
from jupyter_jitmagic.source.names import imported, target_names, walk_scope
from jupyter_jitmagic.source.units import Unit

BOOL = "bool"
ARRAY = "array"
INDEX = "index"
OTHER = "other"
ANOTHER_SHAPE = "another shape"  # of `Step.excludes`
NOTHING = "nothing"  # of `Step.excludes`: plain Python returns None
WRITTEN = "written"  # beside it: the code says `return None`, and so its callers ask for that
NOT_SQUARE = "not square"  # of `Step.excludes`: a matrix of which JAX's functions refuse to make anything
BEYOND = "beyond"  # of `Step.excludes`: a count is larger than any array is long


@dataclass(frozen=True)
class Step:
    """One edit that a rule proposes.

    Attributes:
        text: the whole new text of the unit (the top-level statement).
        pattern: what was done, in a word of `Change.pattern`: "where", "cond", "fori_loop", "jnp", ...
        line: the line within the unit's text before the edit.
        excludes: kinds of varied inputs on which the edit does not promise plain Python's result, and why that is right
            (`{"nan": "sorted() of NaN has no defined order"}`); kinds are those of `proof.inputs`, and "another shape": inputs
            on which plain Python's result has another shape than on the call's own; "nothing": on which it is None;
            "infinite result": on which it holds infinity, in the place of which the rewrite has the least or largest integer.
        note: half a sentence for the user, where the edit gives up something (a message, a check).
        risky: the edit evaluates something that plain Python did not, which may have no finite derivative there.
        returns: what the caller gets in place of plain Python's result, "" where it is the same.
        cuts: of `returns`, (place of an array in the result, place of the count of its elements that are plain Python's);
            counts come last.
        drops: the unit whose own changes are not needed any more: its lines stand here now.
        exact: it keeps to plain Python where the alternative before it is simpler and does not (a NaN among the data).
    """

    text: str
    pattern: str
    line: int
    excludes: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    risky: bool = False
    returns: str = ""
    cuts: tuple[tuple[int, int], ...] = ()
    drops: Unit | None = None
    exact: bool = False


class Obstacle(Exception):
    """Raised by a rule that knows why no rewrite is right here; the message is said to the user."""


class NoWay(Obstacle):
    """An obstacle to every rule's proposals for the place, whatever they are."""


_FEW_ROUNDS = 8
"""A loop that has no more, of layers or axes, has as many in a larger call."""
NO_SIZES: Mapping[int, int] = types.MappingProxyType({})


class ManyRounds(Exception):
    """A trace was stopped in the first round of a Python loop, because its rounds make a large program.

    Attributes:
        huge: the program is too large to be compiled for an answer.
        sizes: what sizes that are smaller here are in the user's own call.
    """

    def __init__(self, words: str, huge: bool = False, sizes: Mapping[int, int] = NO_SIZES) -> None:
        super().__init__(words)
        self.huge, self.sizes = huge, sizes

    def rounds(self, here: int) -> int:
        """How many rounds a loop has in the user's own call: `range(n - 1)` has one less than `range(n)`. What was
        computed from sizes may be larger there as well."""
        near = (own + here - size for size, own in self.sizes.items() if abs(here - size) <= 1)
        times = max((own // size for size, own in self.sizes.items()), default=1) if here > _FEW_ROUNDS else 1
        return next(near, here * times)


class TracerPrinted(Exception):
    """A trace was stopped at a `print` that shows a tracer, where plain Python shows the value."""


def is_traced_value(value: object) -> bool:
    """Whether a tracer is among an object's leaves."""
    if isinstance(value, Iterator):  # what a comprehension runs over; its items stand elsewhere
        return False
    return any(isinstance(leaf, jax.core.Tracer) for leaf in leaves_of(value))


def leaves_of(value: object) -> Iterator[Any]:
    """Its leaves, also where JAX would not take it: a dict whose keys have no order, as members of an `Enum`."""
    for part in jax.tree_util.tree_leaves(value, is_leaf=lambda each: isinstance(each, dict)):
        if isinstance(part, dict):
            yield from leaves_of(list(part.values()))
        else:
            yield part


@dataclass
class Spot:
    """Where a trace failed, as rules see it.

    Attributes:
        code: the unit's current text with its tree.
        node: the expression (or statement) at which Python stopped.
        error: what was raised.
        locals: the failing frame's variables (tracers among them), by name; never kept.
        globals: the namespace of the function.
        method: the failing function stands in a class (imports then go inside it).
        line: the line within the text.
        unit: the statement at module level whose text it is.
        static: those parameters of the failing function that are known to be static.
        drafts: the unit and the text of each file name that stands for a changed unit.
        entry: it stands in the function that is asked about, whose result the caller gets.
        facts: asks what each expression's value is in plain Python, if asked so on other inputs, too, where the call does not
            reach it; empty where nothing may be run.
        callers: gives the places of the user's at which the calls stand that led here, innermost first.
    """

    code: Code
    node: ast.AST
    error: BaseException
    locals: Mapping[str, Any]
    globals: Mapping[str, Any]
    line: int
    unit: Unit
    static: frozenset[str] = frozenset()
    facts: Callable[[bool], Facts] = lambda _: {}
    entry: bool = False
    drafts: Mapping[str, tuple[Unit, str]] = field(default_factory=dict)
    callers: Callable[[], Iterable[Spot]] = tuple
    _imports: dict[str, str] = field(default_factory=dict)

    # -- what stands around the place ---------------------------------------------------------------

    @property
    def kind(self) -> str:
        """What Python asked of the traced value: "bool", "array" (a NumPy array), "index" (an int), or "other"."""
        name = type(self.error).__name__
        return {
            "TracerBoolConversionError": BOOL,
            "TracerArrayConversionError": ARRAY,
            "TracerIntegerConversionError": INDEX,
        }.get(name, OTHER)

    @cached_property
    def function(self) -> Function | None:
        return self.code.function(self.node)

    def call(self, *names: str) -> ast.Call | None:
        """The failing call, if it calls one of these builtins (not shadowed)."""
        node = self.node
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in names
            and self.is_builtin(node.func.id)
        ):
            return node
        return None

    def is_builtin(self, name: str) -> bool:
        return name not in self.locals and self.globals.get(name, getattr(builtins, name, None)) is getattr(
            builtins, name, None
        )

    def refuse_where_caught(self, *errors: type[Exception]) -> None:
        """Stop where plain Python may raise one of these by the value it meets, and a handler around catches it.

        Raises:
            Obstacle: there is such a handler: compiled code raises nothing, and would go on with another value.
        """
        for place in (self, *self.callers()):
            inside: ast.AST = place.node
            for at in place.code.ancestors(inside):
                for handler in at.handlers if isinstance(at, ast.Try) and inside in at.body else ():
                    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
                    caught = [Exception if kind is None else place.value(kind) for kind in kinds]
                    if any(isinstance(kind, type) and issubclass(error, kind) for error in errors for kind in caught):
                        text = f"except {place.code.src(handler.type)}" if handler.type is not None else "except"
                        raise Obstacle(
                            f"`{text}` catches what plain Python raises there for some values, and compiled code raises nothing"
                        )
                inside = at

    def value(self, node: ast.expr) -> Any:
        """The object a name or dotted name stands for in the failing frame, or None; evaluates nothing else.

        (The library `pure_eval` would evaluate more: operators and calls, of which a rule must read the text, not the value.)
        """
        if isinstance(node, ast.Name):
            if node.id in self.locals:
                return self.locals[node.id]
            if node.id in self._imported_here:
                return self._imported_here[node.id]
            if not self.code.is_global(node.id, node):  # of a line below, or of another function
                return None
            return self.globals.get(node.id, getattr(builtins, node.id, None))
        if isinstance(node, ast.Attribute):
            owner = self.value(node.value)
            if is_a(owner, types.ModuleType):
                return getattr(owner, node.attr, None)
        return None

    def held(self, node: ast.expr) -> Any:
        """`value`, also of an object's field or an item (`batch.r`, `params["w"]`, `pair[0]`); no property is asked."""
        match node:
            case ast.Attribute(value=owner, attr=name):
                value = self.held(owner)
                if is_a(value, (types.ModuleType, type)) or name in in_class(value, "_fields", ()):
                    return getattr(value, name, None)
                return own_attribute(value, name)
            case ast.Subscript(value=owner, slice=ast.Constant(value=key)):
                value = self.held(owner)
                if type(value) in (list, tuple) and type(key) is int and key < len(value):
                    return value[key]
                return value.get(key) if type(value) is dict else None
        return self.value(node)

    def asks_shape(self, name: ast.Name) -> bool:
        """Whether of a variable, or of an array that it holds, nothing but the shape is asked; a field of the user's that is
        called `size` is none."""
        node: ast.expr = name
        while isinstance(parent := self.code.parents.get(node), ast.Attribute | ast.Subscript) and parent.value is node:
            if isinstance(parent, ast.Attribute) and parent.attr in ("shape", "ndim", "size", "dtype"):
                value = self.held(node)
                return value is None or isinstance(value, jax.core.Tracer | jax.Array | np.ndarray)
            node = parent
        return isinstance(parent, ast.Call) and node in parent.args and self.code.src(parent.func) == "len"

    @cached_property
    def _imported_here(self) -> dict[str, Any]:
        """What the function's own imports bind, those below the place included, as far as the process has the modules."""
        if not isinstance(self.function, ast.FunctionDef):
            return {}
        made = (node for node in walk_scope(self.function.body) if isinstance(node, ast.Import | ast.ImportFrom))
        return {name: value for node in made for name, value in imported(node) if value is not None}

    def fact(self, node: ast.expr) -> Fact | None:
        """What an expression's value is in plain Python, here or further on in the text; None where that is not known."""
        if isinstance(node, ast.Constant):
            return fact_of(node.value)
        told = fact_at(self.facts(False), self.unit, node)
        if told is None and (isinstance(node, ast.Name) and node.id in self.locals):
            return fact_of(self.locals[node.id])
        return fact_at(self.facts(True), self.unit, node) if told is None else told

    def is_reached(self, node: ast.AST) -> bool:
        """Whether the call's own run of plain Python came to an expression."""
        return isinstance(node, ast.expr) and fact_at(self.facts(False), self.unit, node) is not None

    def defined(self, name: str) -> bool:
        """Whether the variable had a value when the trace failed (None stands for "not yet")."""
        return self.locals.get(name) is not None

    # -- names for the edit --------------------------------------------------------------------------

    def jnp(self, attribute: str) -> str:
        """`jnp.where` by the alias that the user has; the import is added where there is none."""
        return self._spelled(attribute, "jax.numpy", "numpy", "jnp", "import jax.numpy as jnp")

    def lax(self, attribute: str) -> str:
        return self._spelled(attribute, "jax.lax", "lax", "lax", "from jax import lax")

    def jax(self, attribute: str) -> str:
        """`jax.tree.map`, `jax.debug.print`, ... by the user's alias of jax."""
        if attribute.startswith("debug.") and not can_call_back():
            raise Obstacle(
                "what compiled code prints comes by a CPU device, which JAX_PLATFORMS leaves out here: "
                "with JAX_PLATFORMS=cuda,cpu, set before JAX is imported, it is there"
            )
        return self._spelled(attribute, "jax", "", "jax", "import jax")

    def np(self, attribute: str) -> str:
        return self._spelled(attribute, "numpy", "", "np", "import numpy as np")

    def module(self, name: str, attribute: str) -> str:
        """`functools.reduce`, … by the user's alias of a module of the standard library."""
        return self._spelled(attribute, name, "", name, f"import {name}")

    def leaf_by_leaf(self, test: str) -> str:
        """`lambda a, b: jnp.where(test, a, b)` for `jax.tree.map`, by names that the test does not read."""
        read = {node.id for node in ast.walk(ast.parse(test, mode="eval")) if isinstance(node, ast.Name)}
        pairs = (("a", "b"), ("p", "q"), (self.code.fresh("one"), self.code.fresh("other")))
        a, b = next(pair for pair in pairs if not read & {*pair})
        return f"lambda {a}, {b}: {self.jnp('where')}({test}, {a}, {b})"

    def _spelled(self, attribute: str, module: str, below_jax: str, alias: str, statement: str) -> str:
        for name, value in self.globals.items():
            if isinstance(value, types.ModuleType) and value.__name__ == module and not self.is_shadowed(name):
                return f"{name}.{attribute}"
        if alias in self.code_imports:
            return f"{alias}.{attribute}"
        if below_jax:
            for name, value in self.globals.items():
                if isinstance(value, types.ModuleType) and value.__name__ == "jax" and not self.is_shadowed(name):
                    return f"{name}.{below_jax}.{attribute}"
        self._imports[alias] = statement
        return f"{alias}.{attribute}"

    @cached_property
    def code_imports(self) -> set[str]:
        nodes = [n for n in self.code.below(self.code.tree) if isinstance(n, ast.Import | ast.ImportFrom)]
        return {alias.asname or alias.name for n in nodes for alias in n.names}

    def is_shadowed(self, name: str) -> bool:
        return name in self.shadowing

    @cached_property
    def shadowing(self) -> set[str]:
        found = {n.arg for n in self.code.below(self.code.tree) if isinstance(n, ast.arg)}
        inside = [
            n
            for f in self.code.tree.body
            for n in self.code.below(f)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        ]
        top = {name for s in self.code.tree.body if isinstance(s, ast.Assign) for t in s.targets for name in target_names(t)}
        return found | ({n.id for n in inside} - top)

    # -- making the step -------------------------------------------------------------------------------

    def step(
        self,
        pattern: str,
        *edits: tuple[ast.AST | tuple[int, int], str],
        excludes: Mapping[str, str] | None = None,
        note: str = "",
        risky: bool = False,
        returns: str = "",
        cuts: tuple[tuple[int, int], ...] = (),
        drops: Unit | None = None,
        exact: bool = False,
    ) -> Step:
        """The step that replaces each node (or span of offsets) by text, with the imports that it needs."""
        imports = [line for alias, line in self._imports.items() if any(re.search(rf"\b{alias}\.", new) for _, new in edits)]
        text = self.code.replace(*map(self._with_comments, edits), *self._import_edits(imports))
        self._imports.clear()  # of this alternative only
        return Step(text, pattern, self.line, excludes or {}, note, risky, returns, cuts, drops, exact)

    def _with_comments(self, edit: tuple[ast.AST | tuple[int, int], str]) -> tuple[ast.AST | tuple[int, int], str]:
        """Whole lines that are replaced hand on their comments: those that the new lines lost stand above them."""
        where, new = edit
        if not isinstance(where, tuple):
            return edit
        old = self.code.text[where[0] : where[1]]
        if "#" not in old or (where[0] and self.code.text[where[0] - 1] != "\n"):
            return edit
        kept = comments_of(new)
        lost = [comment for comment in comments_of(old) if comment not in kept]
        indent = old[: len(old) - len(old.lstrip())]
        return where, "".join(f"{indent}{comment}\n" for comment in lost) + new

    def _import_edits(self, lines: list[str]) -> list[tuple[tuple[int, int], str]]:
        if not lines:
            return []
        statement = self.code.tree.body[-1]
        if isinstance(statement, ast.ClassDef):
            fn = next(
                (n for n in self.code.ancestors(self.node) if isinstance(n, ast.FunctionDef) and n in statement.body), None
            )
            if fn is None:
                return []
            body = fn.body[1:] if ast.get_docstring(fn) is not None and len(fn.body) > 1 else fn.body
            start = self.code.offset(first_line(body[0]), 0)
            return [((start, start), "".join(f"{self.code.indent(body[0])}{line}\n" for line in lines))]
        gap = "\n\n" if isinstance(statement, ast.FunctionDef) else "\n"
        start = self.code.offset(first_line(statement), 0)
        return [((start, start), "\n".join(lines) + "\n" + gap)]

    # -- the question that Python asked --------------------------------------------------------------

    def asked(self) -> tuple[ast.expr, ast.AST] | None:
        """(the test, who asks it) for a failed truth test: If, While, IfExp, Assert, BoolOp, Not, comprehension."""
        node = self.node
        if self.kind != BOOL or not isinstance(node, ast.expr):
            return None
        while True:
            parent = self.code.parents[node]
            last = isinstance(parent, ast.BoolOp) and node is parent.values[-1]
            side = isinstance(parent, ast.IfExp) and node is not parent.test  # `if a < b if up else a > b:`
            if not isinstance(parent, ast.expr) or not (last or side or isinstance(parent, ast.NamedExpr)):
                break
            node = parent
        if isinstance(parent, ast.If | ast.While | ast.IfExp | ast.Assert) and node is parent.test:
            return node, parent
        if isinstance(parent, ast.BoolOp | ast.UnaryOp) or (isinstance(parent, ast.comprehension) and node in parent.ifs):
            return node, parent
        return None


Rule = Callable[[Spot], Iterator[Step]]
