"""Random draws from what was selected: `jax.random.categorical(key, logits[kept])`, `jax.random.choice(key, n, p=p[:n])`.

What does not count gets no probability. JAX draws one number (`choice`), or one for each element by its place (`categorical`):
more elements behind the others change no draw.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from jupyter_jitmagic.diagnosis.rewrites.operations import Called, called
from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged
from jupyter_jitmagic.diagnosis.rewrites.reshaping import Reshaping
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step


class Drawing(Reshaping):
    """What draws of values of unknown length."""

    def drawn(self, node: ast.Call, known: Called) -> Ragged | None:
        """`jax.random.categorical(key, s)`: -inf where s does not count."""
        if len(known.arguments) != 2 or known.keywords:
            return self._not_drawn(known)
        key, logits = known.arguments
        self.plain(key)
        found = self.visit(logits)
        if found is None:
            return None
        if found.ndim > 1 or found.listed or found.group:
            self.stop(node)
        found = self.ordered(logits, found)
        self.replace(logits, self.padded(logits, found, "-inf"))
        return None

    def chosen(self, node: ast.Call, known: Called) -> Ragged | None:
        """`jax.random.choice(key, s, p=q)`, s a selection or its length: of all, with no probability where q does not count."""
        weights = known.keyword("p")
        if not 2 <= len(known.arguments) <= 3 or {each.arg for each in known.keywords} - {"p", "shape"}:
            return self._not_drawn(known)
        key, of, *shape = known.arguments
        self.plain(key, *shape, *(each.value for each in known.keywords if each.arg == "shape"))
        if weights is None:
            return self._of_any(node, of)
        found = self.visit(weights)
        if found is None:
            self.plain(of)
            return None
        if found.ndim > 1 or found.listed or found.group:
            self.stop(node)
        if _is_count(of) or (self.ndim(of) == 0 and self.visit(of) is None):  # plain Python takes none but the length
            found = self.ordered(weights, found)
            self.replace(of, f"{self.operand(weights)}.shape[0]")
        else:
            array = self.visit(of)
            if array is None or array.axis or array.listed or not array.like(found):
                self.stop(node)
        self.replace(weights, self.padded(weights, found, "0"))
        return None

    def _of_any(self, node: ast.Call, of: ast.expr) -> Ragged | None:
        """`jax.random.choice(key, s)` → `s[jax.random.randint(key, (), 0, count)]`, the elements that count in front."""
        found = self.visit(of)
        if found is None:
            return None
        if found.axis or found.listed or found.group:
            self.stop(node)
        found = self.ordered(of, found)
        draw = drawn_below(self.spot, node, self.count(found), self.text)
        self.replace(node, f"{self.operand(of)}[{draw}]")
        return None

    def _not_drawn(self, known: Called) -> Ragged | None:
        self.plain(*known.arguments, *(each.value for each in known.keywords))
        return None


def _is_count(node: ast.expr) -> bool:
    """`jnp.arange(n)`: all below n, as n itself says."""
    match node:
        case ast.Call(func=ast.Attribute(attr="arange") | ast.Name(id="arange"), args=[_], keywords=[]):
            return True
    return False


def drawn_below(spot: Spot, call: ast.Call, count: str, text: Callable[[ast.AST], str]) -> str:
    """`jax.random.choice(key, n, shape)` as `randint`."""
    func = call.func
    spelled = f"{text(func.value)}.randint" if isinstance(func, ast.Attribute) else spot.jax("random.randint")
    given = [*call.args[2:], *(each.value for each in call.keywords if each.arg == "shape")]
    return f"{spelled}({text(call.args[0])}, {text(given[0]) if given else '()'}, 0, {count})"


def below_a_count(spot: Spot) -> Iterator[Step]:
    """`jax.random.choice(key, n, shape)` with an n that is data → `jax.random.randint(key, shape, 0, n)`."""
    node, code = spot.node, spot.code
    if isinstance(node, ast.Call) and _is_count(node):  # `choice(key, jnp.arange(n))`
        node = code.parents[node]
    known = called(spot, node) if isinstance(node, ast.Call) else None
    if known is None or known.operation.sort != "chosen" or known.form != "function" or not isinstance(node, ast.Call):
        return
    if not 2 <= len(node.args) <= 3 or {each.arg for each in node.keywords} - {"shape"}:
        return
    count = node.args[1]
    if isinstance(count, ast.Call) and _is_count(count):
        count = count.args[0]
    fact = spot.fact(count)
    if fact is not None and fact.ndim == 0 and fact.dtype in ("i", "u"):
        yield spot.step("randint", (node, drawn_below(spot, node, code.src(count), code.src)))


RULES: list[Rule] = [below_a_count]
