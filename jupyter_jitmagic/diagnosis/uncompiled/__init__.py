"""Running a function or a traced program without compiling: on NumPy, operation by operation."""
