"""Programs made at random whose plain Python is the truth, and a judge of what the advice makes of them.

Families of what people write (`families/`) × where it stands (`places`) × calls of every kind (`inputs`). The judge
never asks the engine whether it is right: it runs the answer under `jax.jit` on other calls and compares it with plain Python
(`judge`, `compare`, `gradients`).
"""
