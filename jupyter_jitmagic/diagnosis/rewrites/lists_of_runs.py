"""Lists of lists that a loop collects, and of which only numbers are asked: `runs.append(run)`, then
`max(sum(run) for run in runs)`.

Neither the runs nor their lengths are known, but what is asked of each (how many items, their sum, the first, the last, the
largest, the smallest) is a number that grows with it: a variable and a list for each such number.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.effects import only_gives
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import COMPREHENSIONS, SCOPES, target_names, walk, walk_scope

_Edit = tuple[ast.AST | tuple[int, int], str]
_ORDER = ("len", "sum", "first", "last", "max", "min")


class _Refused(Exception):
    """More is asked of a run, or it is known by another name."""


def numbers_of_runs(spot: Spot) -> Iterator[Step]:
    """All that is done with the runs, and with the one that is collected."""
    function = spot.function
    if spot.kind != BOOL or not isinstance(function, ast.FunctionDef):
        return
    if any(isinstance(node, SCOPES) for node in walk(function) if node is not function):
        return
    for node in walk_scope(function.body):
        match node:
            case ast.Expr(
                value=ast.Call(func=ast.Attribute(value=ast.Name(id=runs), attr="append"), args=[item], keywords=[])
            ) if (run := _whole(item)) and run != runs:
                with contextlib.suppress(_Refused):
                    yield _Runs(spot, function, runs, run).step()
                    return


def _whole(item: ast.expr) -> str:
    """The variable of which a whole list is given: `run`, `list(run)`, `run[:]`, `run.copy()`."""
    match item:
        case ast.Name(id=name):
            return name
        case ast.Call(func=ast.Name(id="list"), args=[ast.Name(id=name)], keywords=[]):
            return name
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Slice(lower=None, upper=None, step=None)):
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="copy"), args=[], keywords=[]):
            return name
    return ""


class _Runs:
    """The run that is collected, and the list of those that have ended.

    Attributes:
        asked: what is asked of the one that is collected, of `_ORDER`.
        kept: what is asked of those that have ended.
    """

    def __init__(self, spot: Spot, function: ast.FunctionDef, runs: str, run: str) -> None:
        self.spot, self.code, self.function, self.runs, self.run = spot, spot.code, function, runs, run
        self.asked: set[str] = set()
        self.kept: set[str] = set()
        self._answers: list[tuple[ast.expr, str, str]] = []
        self._begun: list[tuple[ast.Name, ast.List]] = []
        self._added: list[tuple[ast.Expr, ast.expr]] = []
        self._ended: list[ast.Expr] = []
        self._wholes: list[tuple[ast.expr, str]] = []
        self._over: list[tuple[ast.For | ast.comprehension, str, set[str]]] = []
        parameters = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
        if {runs, run} & parameters:
            raise _Refused
        for node in walk(function):
            if isinstance(node, ast.Name) and node.id in (runs, run) and not self._is_of_a_comprehension(node):
                self._use(node)
        self._check()

    def _is_of_a_comprehension(self, node: ast.Name) -> bool:
        """`max(sum(run) for run in runs)`: a variable of its own, whatever it is called."""
        around = (at for at in self.code.ancestors(node) if isinstance(at, COMPREHENSIONS))
        return any(node.id in target_names(each.target) for at in around for each in at.generators)

    def _use(self, node: ast.Name) -> None:
        code, is_run = self.code, node.id == self.run
        if isinstance(node.ctx, ast.Store):
            made = self._made(node)
            if made is None or len(made.elts) > (1 if is_run else 0) or any(isinstance(e, ast.Starred) for e in made.elts):
                raise _Refused
            self._begun.append((node, made))
            return
        parent = code.parents[node]
        above = code.parents[parent]
        match parent:
            case ast.Attribute(attr="append") if (
                isinstance(above, ast.Call)
                and above.func is parent
                and len(above.args) == 1
                and isinstance(statement := code.parents[above], ast.Expr)
            ):
                if not is_run and _whole(above.args[0]) == self.run:
                    self._ended.append(statement)
                elif is_run and not isinstance(above.args[0], ast.Starred):
                    self._added.append((statement, above.args[0]))
                else:
                    raise _Refused
            case _ if is_run and self._is_of_what_ends(node):
                pass
            case ast.comprehension(target=ast.Name(id=each), iter=over) | ast.For(target=ast.Name(id=each), iter=over) if (
                over is node and not is_run
            ):
                self._each(parent, each)
            case ast.Call(func=ast.Name(id="len"), args=[_]) if not is_run and self.spot.is_builtin("len"):
                self._wholes.append((node, ""))
            case ast.If() | ast.While() | ast.IfExp() if node is parent.test:
                self._wholes.append((node, "len" if is_run else ""))
                self.asked |= {"len"} if is_run else set()
            case ast.UnaryOp(op=ast.Not()):
                self._wholes.append((node, "len" if is_run else ""))
                self.asked |= {"len"} if is_run else set()
            case ast.Subscript(slice=ast.Constant() | ast.UnaryOp(operand=ast.Constant())) if not is_run:
                self._ask(parent, f"{self.runs}_{{}}[{code.src(parent.slice)}]", self.kept)
            case _ if is_run:
                self._ask(node, f"{self.run}_{{}}", self.asked)
            case _:
                raise _Refused

    def _made(self, node: ast.Name) -> ast.List | None:
        """The list that an assignment gives the variable."""
        parent = self.code.parents[node]
        match parent, self.code.parents[parent]:
            case ast.Assign(targets=[only], value=ast.List() as made), _ if only is node:
                return made
            case ast.Tuple(elts=names), ast.Assign(targets=[_], value=ast.Tuple(elts=values)) if len(names) == len(values):
                value = values[names.index(node)]
                return value if isinstance(value, ast.List) else None
        return None

    def _is_of_what_ends(self, node: ast.Name) -> bool:
        """Whether it stands in `runs.append(run)`."""
        statement = self.code.statement(node)
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item])):
                return name == self.runs and _whole(item) == self.run
        return False

    def _ask(self, node: ast.expr, name: str, asked: set[str]) -> None:
        """One question to a run; `name` is what the answer is called, with the question left open, which is `asked`."""
        what: str
        parent = self.code.parents[node]
        match parent:
            case ast.Call(func=ast.Name(id="len" | "sum" | "max" | "min" as of), args=[_], keywords=[]) if self.spot.is_builtin(
                of
            ):
                what = of
            case ast.Subscript(value=value, slice=ast.Constant(value=0)) if value is node:
                what = "first"
            case ast.Subscript(value=value, slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1))) if value is node:
                what = "last"
            case _:
                raise _Refused
        if not isinstance(parent, ast.expr) or isinstance(getattr(parent, "ctx", None), ast.Store | ast.Del):
            raise _Refused
        asked.add(what)
        self._answers.append((parent, what, name))

    def _each(self, loop: ast.AST, each: str) -> None:
        """What goes through the runs."""
        assert isinstance(loop, ast.For | ast.comprehension)
        scope = loop if isinstance(loop, ast.For) else self.code.parents[loop]
        if isinstance(loop, ast.comprehension) and len(scope.generators) != 1:  # type: ignore[attr-defined]
            raise _Refused
        named = [node for node in walk(scope) if isinstance(node, ast.Name) and node.id == each]
        everywhere = sum(isinstance(node, ast.Name) and node.id == each for node in walk(self.function))
        if isinstance(loop, ast.For) and everywhere > len(named):
            raise _Refused
        asked = set[str]()
        for node in named:
            if node is loop.target:
                continue
            if not isinstance(node.ctx, ast.Load):
                raise _Refused
            self._ask(node, f"{each}_{{}}", asked)
        self.kept |= asked
        self._over.append((loop, each, asked))

    def _check(self) -> None:
        """A run that has ended is begun anew before anything is added: otherwise the list among the others grows as well."""
        if not (self._ended and self._added):
            raise _Refused
        items = [*(item for _, item in self._added), *(item for _, made in self._begun for item in made.elts)]
        for item in items:
            fact = self.spot.fact(item)
            names = {node.id for node in ast.walk(item) if isinstance(node, ast.Name)}
            if (
                isinstance(item, ast.Tuple | ast.List | ast.Dict)
                or (fact is not None and fact.ndim)
                or names & {self.run, self.runs}
            ):
                raise _Refused
        if not only_gives(self.spot, items):
            raise _Refused
        for statement in self._ended:
            item = statement.value.args[0]  # type: ignore[attr-defined]
            in_a_loop = any(isinstance(at, ast.For | ast.While) for at in self.code.ancestors(statement))
            grows = in_a_loop or any(each.lineno > statement.lineno for each, _ in self._added)
            if isinstance(item, ast.Name) and grows and not self._is_begun_behind(statement):
                raise _Refused
        last = max(statement.lineno for statement, _ in self._added)
        looped = any(isinstance(at, ast.For | ast.While) for each, _ in self._added for at in self.code.ancestors(each))
        if not looped or any(isinstance(loop, ast.For) and loop.lineno < last for loop, _, _ in self._over):
            raise _Refused
        self.kept = self.kept or {"len"}
        self.asked |= self.kept

    def _is_begun_behind(self, statement: ast.stmt) -> bool:
        """Whether the run is begun anew behind a statement, before anything is done with it, in the same round."""
        code, again = self.code, [self.code.statement(name) for name, _ in self._begun if name.id == self.run]
        at: ast.AST = statement
        while isinstance(at, ast.stmt) and not isinstance(at, ast.For | ast.While | ast.FunctionDef):
            block = code.block(at)
            for behind in block[block.index(at) + 1 :]:
                if behind in again:
                    return True
                if any(isinstance(node, ast.Name) and node.id == self.run for node in walk(behind)):
                    return False
                if leaves([behind], (ast.Continue, ast.Break)):
                    return False
            at = code.parents[at]
        return False

    def step(self) -> Step:
        code = self.code
        asked = [each for each in _ORDER if each in self.asked or (each == "len" and self._needs_length())]
        kept = [each for each in _ORDER if each in self.kept]
        edits: list[_Edit] = []
        for name, made in self._begun:
            if name.id == self.runs:
                edits.append((name, ", ".join(f"{self.runs}_{each}" for each in kept)))
                edits.append((made, ", ".join("[]" for _ in kept)))
            else:
                edits.append((name, ", ".join(f"{self.run}_{each}" for each in asked)))
                edits.append((made, ", ".join(self._at_first(each, made) for each in asked)))
        for statement, item in self._added:
            edits.append((code.region([statement]), "".join(self._grown(statement, item, asked))))
        for statement in self._ended:
            indent = code.indent(statement)
            lines = (f"{indent}{self.runs}_{each}.append({self.run}_{each})\n" for each in kept)
            edits.append((code.region([statement]), "".join(lines)))
        for loop, each, asked_there in self._over:
            used = [what for what in kept if what in asked_there] or kept[:1]
            lists = ", ".join(f"{self.runs}_{what}" for what in used)
            edits.append((loop.target, ", ".join(f"{each}_{what}" for what in used)))
            edits.append((loop.iter, f"zip({lists})" if len(used) > 1 else lists))
        edits += [(node, name.format(what)) for node, what, name in self._answers]
        edits += [(node, f"{self.run}_len > 0" if what else f"{self.runs}_{kept[0]}") for node, what in self._wholes]
        if not all(code.on_own_lines([each]) for each in (*self._ended, *(each for each, _ in self._added))):
            raise _Refused
        if any(code.fresh(name) != name for name in self._names(asked)):
            raise _Refused
        return self.spot.step("numbers", *edits)

    def _names(self, asked: list[str]) -> list[str]:
        return [f"{owner}_{each}" for owner in (self.run, self.runs, *(each for _, each, _ in self._over)) for each in asked]

    def _needs_length(self) -> bool:
        """Whether the first item, the largest or the smallest is one of a run that may be empty."""
        return bool(self.asked & {"first", "max", "min"}) and any(
            not made.elts for name, made in self._begun if name.id == self.run
        )

    def _at_first(self, what: str, made: ast.List) -> str:
        if made.elts:
            if what == "len":
                return "1"
            fact = self.spot.fact(made.elts[0])
            counts = what == "sum" and (fact is None or fact.dtype == "b")  # two flags make 2
            return f"0 + {self.code.operand(made.elts[0])}" if counts else self.code.expr(made.elts[0])
        if what == "len":
            return "0"
        facts = [self.spot.fact(item) for _, item in self._added]
        return "0" if all(fact is not None and fact.dtype in ("i", "u", "b") for fact in facts) else "0.0"

    def _grown(self, statement: ast.Expr, item: ast.expr, asked: list[str]) -> Iterator[str]:
        """The lines in the place of `run.append(item)`."""
        code, indent, run = self.code, self.code.indent(statement), self.run
        text = code.operand(item)
        if not isinstance(item, ast.Name | ast.Constant) and (len(asked) > 1 or {*asked} & {"max", "min"}):
            own = code.fresh(f"{run}_item", f"next_of_{run}")
            yield f"{indent}{own} = {text}\n"
            text = own
        empty = f"{run}_len == 0 or " if self._needs_length() else ""
        for what in asked:
            name = f"{run}_{what}"
            if what == "sum":
                yield f"{indent}{name} = {name} + {text}\n"
            elif what == "last":
                yield f"{indent}{name} = {text}\n"
            elif what == "first" and empty:
                yield f"{indent}{name} = {text} if {run}_len == 0 else {name}\n"
            elif what in ("max", "min"):
                sign = ">" if what == "max" else "<"
                yield f"{indent}{name} = {text} if {empty}{text} {sign} {name} else {name}\n"
        if "len" in asked:
            yield f"{indent}{run}_len = {run}_len + 1\n"


RULES: list[Rule] = [numbers_of_runs]
