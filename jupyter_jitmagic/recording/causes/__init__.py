"""JAX's cache key as plain data, and in what two of them differ."""
