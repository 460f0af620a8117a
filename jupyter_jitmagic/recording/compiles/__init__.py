"""What JAX traces, lowers and compiles: when, for whom, and whether it may."""
