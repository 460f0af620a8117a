"""Which functions of a cell's syntax tree jit is put on, and with which options. Knows nothing of IPython."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.magics.cell_names import Function, Names, inside, module_level
from jupyter_jitmagic.magics.factories import gives_functions

if TYPE_CHECKING:
    from symtable import SymbolTable

TAKE_PLAIN_FUNCTIONS = ("haiku", "numpyro")
"""Libraries that refuse a function under jit, or lose what it tells them: it is to be put under jit with what they make."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the line after ``%%jit`` asks for. `static` and `donate` hold "n" or "f.n"; `options` goes to `jm.jit` as it is."""

    names: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    donate: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    quiet: bool = False
    watch: bool = False
    lines: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """A function that jit is put on, with the arguments named for it."""

    name: str
    static: tuple[str, ...] = ()
    donate: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is taken, and what is left alone for which reason (functions that others merely call are not mentioned)."""

    taken: tuple[Taken, ...]
    left: Mapping[str, str]


def plan(tree: ast.Module, request: Request, namespace: Mapping[str, Any]) -> Plan:
    """Decide which functions of the cell are taken.

    Args:
        tree: the cell, parsed.
        request: the options of the magic line.
        namespace: the user's names, to see what a decorator's name stands for.

    Raises:
        OptionError: a name that is not in the cell, an argument that no function has, or no function to take.
    """
    names = Names(tree, namespace)
    found = functions_of(tree)
    left = {name: reason for name, node in found.items() if (reason := why_not(node, names))}
    if request.names:
        chosen = list(dict.fromkeys(request.names))
        for name in chosen:
            if name not in found:
                raise OptionError(f"{name} is not a function of this cell{_methods(tree, name) or _here(found)}")
            if name in left:
                raise OptionError(f"{name} cannot be taken: it is {left[name]}")
        left = {}
    else:
        used = _used_by_others(tree, found)
        factories = [name for name, node in found.items() if isinstance(node, ast.FunctionDef) and gives_functions(node)]
        left = {**_given_to_libraries(tree, found, names), **dict.fromkeys(factories, "a factory of functions"), **left}
        defined = [name for name, node in found.items() if isinstance(node, Function)]
        free = [name for name in defined if name not in used]
        inside = {name: f"defined inside `{block}`" for name, block in _blocks(tree.body).items() if name not in left}
        chosen = [name for name in free if name not in left and name not in inside]
        left = {name: reason for name, reason in (inside | left).items() if name in free}
        if not chosen and not request.watch and not request.lines:
            raise OptionError(_nothing_to_take(tree, defined, left, [name for name in free if name in inside]))
    static = _per_function(request.static, "--static", chosen, found)
    donate = _per_function(request.donate, "--donate", chosen, found)
    return Plan(tuple(Taken(name, static[name], donate[name]) for name in chosen), left)


def _here(found: Mapping[str, Any]) -> str:
    return f" (it has {', '.join(found)})" if found else ", which has none"


def _nothing_to_take(tree: ast.Module, defined: list[str], left: Mapping[str, str], inside: list[str]) -> str:
    if not defined:
        return f"this cell defines no function{_methods(tree)}; put %%jit over one that does"
    if left:
        named = f"; name it to take it: %%jit {inside[0]}" if inside else ""
        return "no function to take: " + "; ".join(f"{name} is {reason}" for name, reason in left.items()) + named
    return f"each function of this cell is used by another one of it ({', '.join(defined)}); name one: %%jit {defined[0]}"


def _methods(tree: ast.Module, name: str = "") -> str:
    """What to say of methods, on which jit is put in the class itself: of those with this name, or of all."""
    classes = [node for node in module_level(tree.body) if isinstance(node, ast.ClassDef)]
    methods = {f"{each.name}.{node.name}": node for each in classes for node in each.body if isinstance(node, Function)}
    found = [method for method in methods if not name or method.endswith(f".{name}")]
    if not found:
        return ""
    own = next((method for method in found if _has_jit(methods[method])), "")
    if own:
        return f" ({own} has a jit of its own: run the cell without %%jit, and %jitfix explains a failure)"
    said = next((method for method in found if not method.partition(".")[2].startswith("__")), found[0])
    return f" ({said} is a method: decorate it in its class)"


def _has_jit(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a decorator of a function speaks of jit: `@jax.jit`, `@partial(jit, static_argnums=0)`."""
    names = [node for each in function.decorator_list for node in ast.walk(each) if isinstance(node, ast.Name | ast.Attribute)]
    return any((node.id if isinstance(node, ast.Name) else node.attr).endswith("jit") for node in names)


def functions_of(tree: ast.Module) -> dict[str, Function | ast.Assign]:
    """The functions at module level by name, the last definition of each; `f = lambda …` counts when named."""
    found: dict[str, Function | ast.Assign] = {}
    for node in module_level(tree.body):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.Assign([ast.Name(name)], ast.Lambda()):
                found[name] = node
    return found


def _blocks(body: list[ast.stmt]) -> dict[str, str]:
    """The functions that are defined in blocks only, each with the statement whose block that is."""
    blocks: dict[str, str] = {}
    for node in body:
        kind = type(node).__name__.removeprefix("Async").removesuffix("Star").lower()
        for inner in module_level(inside(node)):
            if isinstance(inner, Function):
                blocks[inner.name] = kind
    direct = {node.name for node in body if isinstance(node, Function)}
    return {name: kind for name, kind in blocks.items() if name not in direct}


def why_not(node: Function | ast.Assign, names: Names) -> str:
    """Why jit must leave this function alone, or ""."""
    if isinstance(node, ast.Assign):
        return ""
    if isinstance(node, ast.AsyncFunctionDef):
        return "a coroutine"
    if _is_generator(node):
        return "a generator"
    for decorator in node.decorator_list:
        other = names.other_compiler(decorator)
        if other:
            return f"under {other}"
    return ""


def _given_to_libraries(tree: ast.Module, found: Mapping[str, Any], names: Names) -> dict[str, str]:
    """Functions of the cell that a library is given which takes plain ones alone (`hk.transform(forward)`), and why."""
    given: dict[str, str] = {}
    outside = [node for node in module_level(tree.body) if not isinstance(node, (Function, ast.ClassDef))]
    for call in (part for node in outside for part in ast.walk(node) if isinstance(part, ast.Call)):
        if names.library_of(call.func) in TAKE_PLAIN_FUNCTIONS:
            functions = [each.id for each in call.args if isinstance(each, ast.Name) and each.id in found]
            given |= dict.fromkeys(functions, f"given to {ast.unparse(call.func)}, which takes it without jit")
    return given


def _is_generator(function: ast.FunctionDef) -> bool:
    """Does the function itself (not one nested in it) yield?"""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (Function, ast.ClassDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))
    return False


def _used_by_others(tree: ast.Module, found: Mapping[str, Any]) -> frozenset[str]:
    """Names that another function (or a method) of the cell refers to: in its body, its decorators, its defaults."""
    import symtable

    used: set[str] = set()
    scopes = [
        node for node in module_level(tree.body) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    ]
    source = ast.unparse(ast.Module(list[ast.stmt](scopes), []))  # symbol tables are made from text
    for scope in symtable.symtable(source, "<cell>", "exec").get_children():
        used |= {name for name in _globals_read(scope) if name in found and name != scope.get_name()}
    for node in scopes:
        around = [*node.decorator_list]
        if isinstance(node, Function):
            around += [*node.args.defaults, *(default for default in node.args.kw_defaults if default)]
        names = (part.id for expression in around for part in ast.walk(expression) if isinstance(part, ast.Name))
        used |= {name for name in names if name in found and name != node.name}
    return frozenset(used)


def _globals_read(scope: SymbolTable) -> set[str]:
    read = {symbol.get_name() for symbol in scope.get_symbols() if symbol.is_global() and symbol.is_referenced()}
    return read.union(*map(_globals_read, scope.get_children()))


def _per_function(
    wanted: tuple[str, ...], option: str, chosen: list[str], found: Mapping[str, Function | ast.Assign]
) -> dict[str, tuple[str, ...]]:
    """Which argument names go to which taken function; "n" to each that has it, "f.n" to f alone."""
    given: dict[str, list[str]] = {name: [] for name in chosen}
    for item in wanted:
        owner, _, argument = item.rpartition(".")
        if owner and owner not in given:
            raise OptionError(f"{option} {item}: {owner} is not taken (taken: {', '.join(chosen) or 'none'})")
        candidates = [owner] if owner else chosen
        takers = [name for name in candidates if argument in _parameters(found[name])]
        takers = takers or [name for name in candidates if _arguments(found[name]).kwarg]
        if not takers:
            starred = [name for name in candidates if argument in _starred(found[name])]
            if starred:
                raise OptionError(f"{option} {item}: *{argument} collects arguments, and one of those has no name to give")
            raise OptionError(f"{option} {item}: {_no_such_argument(argument, candidates, found)}")
        for name in takers:
            given[name].append(argument)
    return {name: tuple(dict.fromkeys(arguments)) for name, arguments in given.items()}


def _no_such_argument(argument: str, candidates: list[str], found: Mapping[str, Function | ast.Assign]) -> str:
    has = "; ".join(f"{name} has {', '.join(_parameters(found[name])) or 'none'}" for name in candidates)
    others = [name for name, node in found.items() if name not in candidates and argument in _parameters(node)]
    taking = f"; {others[0]} has it, and %%jit {','.join([*candidates, others[0]])} takes that, too" if others else ""
    return f"no argument {argument} ({has}){taking}"


def _arguments(node: Function | ast.Assign) -> ast.arguments:
    if isinstance(node, ast.Assign):
        assert isinstance(node.value, ast.Lambda)
        return node.value.args
    return node.args


def _parameters(node: Function | ast.Assign) -> list[str]:
    arguments = _arguments(node)
    return [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _starred(node: Function | ast.Assign) -> list[str]:
    arguments = _arguments(node)
    return [argument.arg for argument in (arguments.vararg, arguments.kwarg) if argument]
