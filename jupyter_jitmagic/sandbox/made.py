"""What some work made and left behind, without a look at all that is alive, which takes seconds in a long session."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def made_since() -> Iterator[Callable[[], list[Any]]]:
    """Gives what lists the objects that were made in here and are alive, as far as Python's collector knows them; other
    threads' are among them.

    The collector sorts objects by age, and rests in here: what is young was made since.

    Example:
        >>> with made_since() as made:
        ...     work()
        ...     any(isinstance(each, Kind) for each in made())
    """
    rested = not gc.isenabled()
    gc.disable()
    try:
        if sys.version_info >= (3, 14):  # its collector knows two ages, and moves between them by itself
            known = {id(each) for each in gc.get_objects()}
            yield lambda: [each for each in gc.get_objects() if id(each) not in known]
        else:
            gc.collect(1)
            yield _young
    finally:
        if not rested:
            gc.enable()


def _young() -> list[Any]:
    gc.collect(0)  # what nobody holds any more
    return gc.get_objects(generation=1)
