"""What happens around a jitted call: the wrapper, phases and execution, cache entries, misses and their causes, budgets."""

import jax  # noqa: F401 (before any module of this room has begun: what follows JAX's import needs them whole)
