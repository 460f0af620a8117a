"""A registered dataclass is the state and has the update as its method: self is traced, so its fields are data with paths."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp


@jax.tree_util.register_dataclass
@dataclass
class EMA:
    value: jax.Array
    count: jax.Array

    def update(self, x, decay):
        if self.count == 0:
            value = x
        else:
            value = decay * self.value + (1 - decay) * x
        return replace(self, value=value, count=self.count + 1)


def update_fixed(self, x, decay):
    value = jnp.where(self.count == 0, x, decay * self.value + (1 - decay) * x)
    return EMA(value, self.count + 1)


FUNCTION = "EMA.update"
CALLS = [
    ((EMA(jnp.array(2.0), jnp.array(3)), jnp.array(4.0), 0.9), {}),
    ((EMA(jnp.array(0.0), jnp.array(0)), jnp.array(4.0), 0.9), {}),
    ((EMA(jnp.zeros(2), jnp.array(0)), jnp.array([1.0, 2.0])), {"decay": jnp.array(0.5)}),
]
KIND = "rewrite"
FIXED = "update_fixed"
SITES = ["if self.count == 0:"]
CATEGORY = "dataclass"
