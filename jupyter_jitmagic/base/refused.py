"""What NumPy's arrays take and JAX's refuse, told by JAX's errors."""

from __future__ import annotations

import re

REFUSED_SETTING = re.compile("immutable and do not support in-place item assignment")
REFUSED_LIST = re.compile(r"requires ndarray or scalar arguments, got <class '(?:list|tuple)'> at position (\d+)")
REFUSED_INDEX = re.compile("Using a non-tuple sequence for multidimensional indexing is not allowed")
REFUSED_FILL = re.compile(r"(?:Tracer|Array|ArrayImpl)'? (?:object )?has no attribute '?fill\b")


def is_refused(error: BaseException) -> bool:
    """Whether NumPy would have set elements of an array where JAX fails, or have taken a list."""
    if isinstance(error, AttributeError):
        return REFUSED_FILL.search(str(error)) is not None
    return isinstance(error, TypeError) and any(
        refused.search(str(error)) for refused in (REFUSED_SETTING, REFUSED_LIST, REFUSED_INDEX)
    )
