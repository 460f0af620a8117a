"""Boolean masks in a loop over groups: the masks are data, the number of groups decides how many entries the dict has."""

import jax.numpy as jnp


def statistics_of_groups(x, groups, n_groups):
    stats = {}
    for g in range(n_groups):
        members = x[groups == g]
        stats[g] = (members.mean(), members.max(), len(members))
    return stats


def statistics_of_groups_fixed(x, groups, n_groups):
    masks = [groups == g for g in range(n_groups)]
    return {g: (jnp.mean(x, where=m), jnp.max(jnp.where(m, x, -jnp.inf)), m.sum()) for g, m in enumerate(masks)}


FUNCTION = "statistics_of_groups"
CALLS = [
    ((jnp.array([1.0, 4.0, 2.0, 0.0]), jnp.array([0, 1, 1, 0]), 2), {}),
    ((jnp.array([1.0, 4.0, 2.0, 0.0]), jnp.array([0, 1, 2, 0]), 3), {}),
    ((jnp.array([1.0, -4.0]), jnp.array([0, 0]), 1), {}),
]
KIND = "static+rewrite"
FIXED = "statistics_of_groups_fixed"
FIXED_STATIC = ("n_groups",)
SITES = ["for g in range(n_groups):", "members = x[groups == g]"]
CATEGORY = "boolean mask"
