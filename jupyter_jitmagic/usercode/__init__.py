"""Whose code it is, where it stands, and where a function was defined."""
