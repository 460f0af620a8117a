"""Two cache entries side by side."""

from __future__ import annotations

from jupyter_jitmagic.base.causes import Cause
from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.base.paths import is_part
from jupyter_jitmagic.recording.causes.argument_texts import argument_texts
from jupyter_jitmagic.recording.causes.differences import difference
from jupyter_jitmagic.recording.causes.signatures import Signature
from jupyter_jitmagic.records.log import log


def entry_difference(entry: int, other: int) -> tuple[tuple[Cause, ...], list[tuple[str, str]]]:
    """In what `entry` (now) differs from `other` (before), as the causes of a miss, and the arguments in which they agree.

    Raises:
        OptionError: one of them is not known any more.

    Example:
        >>> entry_difference(12, 11)
        ((Cause('shape', 'x', 'f32[5]', 'f32[8]'),), [('params', '{6}')])
    """
    now, before = _key(entry), _key(other)
    causes = difference(now, before)
    if now.transformation != before.transformation:
        words = (side.transformation or "nothing" for side in (before, now))
        causes = (Cause("config", "under", *words), *causes)
    changed = [cause.argument for cause in causes]
    mine = [*((static.argument, static.value.text) for static in now.statics), *argument_texts(now)]
    same = [(name, text) for name, text in mine if not any(is_part(path, name) for path in changed)]
    return causes, same


def _key(entry: int) -> Signature:
    record = log.known_entry(entry)
    if record is None or not isinstance(record.key, Signature):
        raise OptionError(f"entry {entry} is not known any more")
    return record.key
