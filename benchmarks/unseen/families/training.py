"""Steps of training and of sampling: losses with branches whose gradient is taken inside, keys that are split on the way."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    w.use("jax")
    return w.chance.choice(WAYS)(w, n)


def differentiated(w: Writer, n: Names) -> Draft:
    """A loss with a branch, its gradient taken, a step made, a step limited."""
    x, y = w.take(n.x, "floats", ("n",)), w.take(n.y, "floats", ("n",))
    t = w.take(n.limit, "float", values="limit")
    loss = w.pick(
        f"jnp.sum((p - {y}) ** 2) if jnp.sum(p) > {t} else jnp.sum(jnp.abs(p - {y}))",
        f"jnp.mean((p - {y})[p > {t}] ** 2)",
        f"sum((a - b) ** 2 if a > {t} else 0.5 * (a - b) for a, b in zip(p, {y}))",
    )
    w.line(f"def loss(p):\n    return {loss}\n\n")
    w.line(f"value, grads = jax.value_and_grad(loss)({x})")
    w.line(
        w.pick(
            f"norm = jnp.linalg.norm(grads)\nif norm > {t}:\n    grads = grads / norm",
            f"if value > {t}:\n    grads = grads * 0.5",
            "if jnp.isnan(value):\n    return jnp.zeros_like(grads)",
        )
    )
    w.draft.differentiable = False
    return w.end("array", w.pick("grads", f"{x} - 0.1 * grads"))


def drawn(w: Writer, n: Names) -> Draft:
    """Random keys and branches."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    seed = w.take("seed", "whole", values=(0, 1, 7))
    form = w.chance.randrange(3)
    w.line(f"key = jax.random.key({seed})")
    if form == 0:
        w.line(f"if {x}.sum() > {t}:\n    {x} = {x} + jax.random.normal(key, {x}.shape)")
        return w.end("scalar", f"{x}.sum()")
    if form == 1:
        w.line(f"""
            for i in range({w.pick("3", "4")}):
                key, sub = jax.random.split(key)
                proposal = {x} + 0.1 * jax.random.normal(sub, {x}.shape)
                if (proposal ** 2).sum() < ({x} ** 2).sum() + {t}:
                    {x} = proposal
        """)
        return w.end("array", x)
    w.line(f"draw = jax.random.uniform(key)\nif draw < {w.pick('0.5', t)}:\n    return {x}.max()")
    return w.end("scalar", f"{x}.min() + draw")


WAYS = [differentiated, drawn]
