"""A failed call: its function, its arguments, its frames."""
