"""Where a function stands: by itself, in a helper, as a method, called in a loop, under vmap, under grad, its arguments in a
tree, made by another function, as an object that is called."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from .program import HEADERS, Draft, Parameter
from .vocabulary import Names


@dataclass
class Placed:
    """The module's definitions, the function that is called, what is true of it, and its parameters."""

    code: str
    function: str
    plain: str
    parameters: list[Parameter]


def straight(draft: Draft, names: Names, chance: random.Random) -> Placed:
    return Placed(_module(draft, draft.text()), draft.name, draft.name, draft.parameters)


def in_a_helper(draft: Draft, names: Names, chance: random.Random) -> Placed:
    """The function is called by another one, which does a little of its own."""
    outer = _outer(draft, names, chance)
    call = _call(draft)
    if draft.gives == "scalar":
        lines = [f"return {chance.choice([call, f'0.5 * {call}', f'{call} + 1'])}"]
    else:
        lines = [f"result = {call}", "return result"] if chance.random() < 0.5 else [f"return {call}"]
    return _with_outer(draft, outer, lines)


def as_a_method(draft: Draft, names: Names, chance: random.Random) -> Placed:
    owner = chance.choice(("Model", "Estimator", "Simulation", "Portfolio"))
    data = draft.data()
    begin = [f"{data.name} = {data.name} * self.scale"] if data else []
    itself = re.compile(rf"(?<![\w.]){draft.name}\(")
    body = replace(draft, body=[itself.sub(f"self.{draft.name}(", line) for line in draft.body])
    method = _indented(body.text("self", begin))
    code = f"class {owner}:\n    def __init__(self, scale):\n        self.scale = scale\n\n{method}"
    call = f"{owner}(2.0).{draft.name}"
    return Placed(_module(draft, code), call, call, draft.parameters)


def in_a_loop(draft: Draft, names: Names, chance: random.Random) -> Placed | None:
    """The function is called in each round."""
    data = draft.data()
    if draft.gives != "scalar" or data is None:
        return None
    outer = _outer(draft, names, chance)
    call = _call(draft, {data.name: chance.choice([f"{data.name} + 0.5 * i", f"{data.name} * (i + 1)"])})
    if chance.random() < 0.5:
        lines = ["total = 0.0", "for i in range(3):", f"    total = total + {call}", "return total"]
    else:
        lines = ["results = []", "for i in range(3):", f"    results.append({call})", "return jnp.array(results)"]
    return _with_outer(draft, outer, lines)


def under_vmap(draft: Draft, names: Names, chance: random.Random) -> Placed | None:
    """The function is mapped over rows. Plain Python cannot do that: the truth is a loop over the rows."""
    data = draft.data()
    fixed = draft.gives in ("scalar", "array", "count")
    if not fixed or data is None or any(each.chooses or each.default for each in draft.parameters):
        return None
    outer = _outer(draft, names, chance)
    parameters = [replace(each, shape=("k", *each.shape)) if each is data else each for each in draft.parameters]
    one = f"lambda row: {_call(draft, {data.name: 'row'})}"
    axes = ", ".join("0" if each is data else "None" for each in draft.parameters)
    given = ", ".join(each.name for each in draft.parameters)
    mapped = chance.choice(
        [f"jax.vmap({one})({data.name})", f"jax.vmap({draft.name}, in_axes=({axes}{',' * (len(parameters) == 1)}))({given})"]
    )
    placed = _with_outer(replace(draft, imports=draft.imports | {"jax"}), outer, [f"return {mapped}"])
    plain = f"lambda {given}: jnp.stack([jnp.asarray(({one})(row)) for row in {data.name}])"
    return replace(placed, plain=plain, parameters=parameters)


def under_grad(draft: Draft, names: Names, chance: random.Random) -> Placed | None:
    """The gradient with respect to the data."""
    data = draft.data()
    if draft.gives != "scalar" or data is None or not draft.differentiable:
        return None
    outer = _outer(draft, names, chance)
    number = draft.parameters.index(data)
    at = f", argnums={number}" if number else ""
    form = chance.choice(("grad", "value_and_grad"))
    given = ", ".join(each.name for each in draft.parameters)
    placed = _with_outer(
        replace(draft, imports=draft.imports | {"jax"}), outer, [f"return jax.{form}({draft.name}{at})({given})"]
    )
    return placed


def in_a_tree(draft: Draft, names: Names, chance: random.Random) -> Placed | None:
    """Some of the arguments come in a dict, a named tuple or a dataclass."""
    given = [each for each in draft.parameters if not each.chooses and not each.default]
    if len(given) < 2 or _calls_itself(draft):
        return None
    inside = given if chance.random() < 0.5 else [each for each in given if each is not draft.data()]
    made_by = chance.choice(("", "", "Params", "Config"))
    name = chance.choice(("params", "p", "config")) if not made_by else chance.choice(("params", "settings"))
    if name in {each.name for each in draft.parameters}:
        return None
    imports, helpers = set(draft.imports), list(draft.helpers)
    if made_by:
        fields = "\n".join(f"    {each.name}: jax.Array" for each in inside)
        if chance.random() < 0.5:
            imports |= {"jax", "NamedTuple"}
            helpers.insert(0, f"class {made_by}(NamedTuple):\n{fields}\n")
        else:
            imports |= {"jax", "dataclasses"}
            helpers.insert(0, f"@jax.tree_util.register_dataclass\n@dataclasses.dataclass\nclass {made_by}:\n{fields}\n")
    read = [f"{each.name} = {name}.{each.name}" if made_by else f'{each.name} = {name}["{each.name}"]' for each in inside]
    tree = Parameter(name, "tree", fields=tuple(inside), made_by=made_by)
    parameters = [tree, *(each for each in draft.parameters if each not in inside)]
    packed = replace(draft, parameters=parameters, imports=imports, helpers=helpers, body=[*read, *draft.body])
    floats = all(each.kind in ("float", "floats") for each in inside)
    if draft.gives == "scalar" and draft.differentiable and floats and not made_by and chance.random() < 0.4:
        return _gradient_of_the_first(packed, chance)
    return straight(packed, names, chance)


def in_a_closure(draft: Draft, names: Names, chance: random.Random) -> Placed | None:
    """A function that another one makes."""
    data = draft.data()
    if data is None or _calls_itself(draft):
        return None
    inner = _indented(draft.text(begin=[f"{data.name} = {data.name} * scale"]))
    code = f"def make_{draft.name}(scale):\n{inner}\n    return {draft.name}\n"
    call = f"make_{draft.name}({chance.choice(('2.0', '1.0', '0.5'))})"
    return Placed(_module(draft, code), call, call, draft.parameters)


def in_an_object(draft: Draft, names: Names, chance: random.Random) -> Placed | None:
    """An object that is called, or a static method."""
    if _calls_itself(draft):
        return None
    owner = chance.choice(("Layer", "Policy", "Rule"))
    if chance.random() < 0.5:
        method = _indented("@staticmethod\n" + draft.text())
        return Placed(
            _module(draft, f"class {owner}:\n{method}"), f"{owner}.{draft.name}", f"{owner}.{draft.name}", draft.parameters
        )
    method = _indented(replace(draft, name="__call__").text("self"))
    return Placed(_module(draft, f"class {owner}:\n{method}"), f"{owner}()", f"{owner}()", draft.parameters)


def _calls_itself(draft: Draft) -> bool:
    return any(f"{draft.name}(" in line for line in draft.body)


def _gradient_of_the_first(draft: Draft, chance: random.Random) -> Placed:
    """The gradient with respect to the first argument, whatever it holds."""
    given = ", ".join(each.name for each in draft.parameters)
    line = f"return jax.{chance.choice(('grad', 'value_and_grad'))}({draft.name})({given})"
    return _with_outer(replace(draft, imports=draft.imports | {"jax"}), f"{draft.name}_slope", [line])


PLACES: dict[str, Callable[[Draft, Names, random.Random], Placed | None]] = {
    "straight": straight,
    "helper": in_a_helper,
    "method": as_a_method,
    "loop": in_a_loop,
    "vmap": under_vmap,
    "grad": under_grad,
    "tree": in_a_tree,
    "closure": in_a_closure,
    "object": in_an_object,
}
SHARES = ["straight", "straight", "straight", "helper", "helper", "method", "loop", "vmap", "grad"]
WIDER = [*SHARES, "tree", "tree", "tree", "closure", "object"]
"""For families that came later: a name stays the same program."""


def _module(draft: Draft, code: str) -> str:
    imports = "\n".join(HEADERS[name] for name in sorted(draft.imports, key=list(HEADERS).index))
    return "\n\n\n".join([imports, *(helper.strip("\n") for helper in draft.helpers), code.rstrip("\n")]) + "\n"


def _outer(draft: Draft, names: Names, chance: random.Random) -> str:
    return chance.choice((f"{draft.name}_all", f"run_{draft.name}", "objective", "evaluate", "analyse"))


def _call(draft: Draft, instead: dict[str, str] | None = None) -> str:
    given = [(instead or {}).get(each.name, each.name) for each in draft.parameters]
    named = [f"{each.name}={text}" if each.default else text for each, text in zip(draft.parameters, given, strict=True)]
    return f"{draft.name}({', '.join(named)})"


def _with_outer(draft: Draft, outer: str, lines: list[str]) -> Placed:
    function = replace(draft, name=outer, body=lines, document="")
    return Placed(_module(draft, f"{draft.text()}\n\n{function.text()}"), outer, outer, draft.parameters)


def _indented(text: str) -> str:
    return "".join(f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True))
