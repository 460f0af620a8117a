"""Where a value under jit is used as if it were known: every place, in one pass."""
