"""What every room may use: errors and where our own faults stop, options, JAX's inside, values and causes in words."""
