"""What happens around a jitted call: the wrapper, phases and execution, cache entries, misses and their causes, budgets."""
