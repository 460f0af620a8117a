"""A text with its tree: edits, layout, functions rebuilt from it."""
