"""The path of a hit, and what a call that is no plain hit was: its outcome, its entry, its function."""
