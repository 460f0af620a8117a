"""Paths of arguments and of what is in them: "cfg", "cfg.rate", "p['w'][0]", "args[1]"."""

from __future__ import annotations


def is_part(path: str, whole: str) -> bool:
    """Whether `path` is `whole` or leads on from it: "n.rate" from "n"; "nn" does not."""
    return path == whole or path.startswith((f"{whole}[", f"{whole}."))
