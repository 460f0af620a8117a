"""What a function returns, and no compiled program can."""

from __future__ import annotations

import re

WHAT_TO_RETURN = "return arrays and numbers only, and make the rest outside the jitted function"
_REFUSED = re.compile(r"returned a value of type (?:<class '(?:\w+\.)*(\w+)'>|(\w+))(?: at output component (\S+?))?,")


def refused_output(error: BaseException) -> str | None:
    """What JAX refuses as a result, and where it stands in it; None for any other error.

    Example:
        >>> refused_output(error)
        "a str at ['kind']"
    """
    found = _REFUSED.search(" ".join(str(error).split()))
    if found is None:
        return None
    kind, where = found[1] or found[2], f" at {found[3]}" if found[3] else ""
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}{where}"


def who_returns(error: BaseException) -> str:
    """Of such an error, half a sentence on what it is the result of: JAX says the same of a branch of `lax.cond`."""
    return "one branch gives" if re.search(r"traced for (cond|switch)\b", str(error)) else "the function returns"
