"""Functions written in C that take a number and ask a tracer for none: `collections.deque(maxlen=n)`, `timedelta(days=n)`."""

from __future__ import annotations

import ast
import re
from types import TracebackType

from jupyter_jitmagic.diagnosis.sites.operations import node_at
from jupyter_jitmagic.diagnosis.sites.shadow import NOTHING, ShadowTracer
from jupyter_jitmagic.usercode.places import position

_WANTED = re.compile(r"\bint(eger)?\b")


def numbers_refused(error: BaseException, step: TracebackType | None) -> list[ShadowTracer]:
    """The Python numbers, traced, among the arguments of the user's call that ended so; `step` is the user's in the traceback.

    Such a function looks at the type alone: no method of the tracer was called that could have told.
    """
    says = str(error)
    if not isinstance(error, TypeError) or step is None or step.tb_next is not None:
        return []
    if not (_WANTED.search(says) or ShadowTracer.__name__ in says):
        return []
    code, frame = step.tb_frame.f_code, step.tb_frame
    node, _ = node_at(code, position(code, step.tb_lasti, step.tb_lineno or code.co_firstlineno))
    if not isinstance(node, ast.Call):
        return []
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    names = {part.id for each in given for part in ast.walk(each) if isinstance(part, ast.Name)}
    held = [frame.f_locals[name] for name in sorted(names) if name in frame.f_locals]
    return [value for value in held if isinstance(value, ShadowTracer) and value.number is not NOTHING]
