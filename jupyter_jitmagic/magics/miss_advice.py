"""Advice on misses, as the panel asks for it: what it rests on, and, where one name has to go, the cell with it gone."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Mapping
from typing import Any

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.display.model import PanelLink
from jupyter_jitmagic.live import comms
from jupyter_jitmagic.magics import front_end
from jupyter_jitmagic.magics.cell_tree import Request, plan
from jupyter_jitmagic.magics.request import jit_line, options_of, read_jit_line
from jupyter_jitmagic.magics.request import without_static as line_without_static
from jupyter_jitmagic.records.log import log

_PROOFS = {
    "static_without_need": "traced without its value: the same outputs",
    "weak_type_flips": "the recorded keys would be one",
}
_RECORDED = "read off the recorded misses"
_NOTHING: Mapping[str, Any] = {}


def for_panel(shell: Any, args: Mapping[str, object]) -> dict[str, object]:
    """The panel's question "cures": what would have saved the compiles of each function, what saves most first."""
    if not log.misses:  # and recording is not imported for it, perhaps while a cell does that
        return {"cures": []}
    from jupyter_jitmagic.base.options import options
    from jupyter_jitmagic.recording.guards import cures

    found = [advice for history in cures.histories for advice in cures.advice_on(history)]
    worth = [advice for advice in found if advice.cost_s >= options.tell_after_s]
    return {"cures": [_cure(shell, advice) for advice in sorted(worth, key=lambda advice: -advice.saves_s)]}


def panel_link(miss: int, cure: str) -> PanelLink | None:
    """To the row of a miss or of an advice on misses, where a panel listens."""
    if not comms.is_heard() or not (miss or cure):
        return None
    return PanelLink("Show in the panel", "miss" if miss else "cure", miss or cure, comms.epoch())


def _cure(shell: Any, advice: Any) -> dict[str, object]:
    with log.lock:
        records = [record for record in log.functions.values() if record.origin == advice.origin]
    site, _, line = advice.call_site.rpartition(":")
    answer: dict[str, object] = {
        "id": advice.id,
        "function": records[-1].id if records else 0,
        "name": advice.names,
        "text": advice.text,
        "proof": _PROOFS.get(advice.rule, _RECORDED),
        "misses": advice.misses,
        "cost_s": advice.cost_s,
        "what": advice.what,
        "why": advice.why,
        "before": advice.before,
        "after": advice.after,
        "saves_s": advice.saves_s,
        "last_s": advice.last_s,
        "ladders": [ladder._asdict() for ladder in advice.ladders],
        "helper": advice.helper,
        "place": _place(shell, site, int(line)) if site and line.isdigit() else None,
        "fix": None,
    }
    if (advice.rule == "static_without_need" and records) or advice.plain:
        cell = front_end.typed_cell(shell, advice.plain.filename if advice.plain else records[-1].filename)
        after = _changed(shell, cell.text, advice) if cell else None
        if cell and after:
            if advice.plain:
                answer["proof"] = "made so, two with the recorded values are equal and hash alike"
            change = difflib.unified_diff(cell.text.splitlines(), after.splitlines(), lineterm="", n=2)
            diff = "\n".join(list(change)[3:])
            answer["fix"] = {"cell": cell.number, "cell_id": cell.id, "before": cell.text, "after": after, "diff": diff}
    return answer


def _changed(shell: Any, text: str, advice: Any) -> str | None:
    """The cell in which the advice was taken."""
    if advice.plain:
        from jupyter_jitmagic.magics.frozen_class import as_frozen

        typed = map(str, shell.history_manager.input_hist_raw)
        return as_frozen(text, advice.plain.kind, advice.plain.values, typed, shell.user_ns)
    return without_static(text, advice.function, advice.argument, shell.user_ns)


def _place(shell: Any, filename: str, line: int) -> dict[str, object]:
    cell = front_end.cell_number(shell, filename)
    return {"cell": cell, "file": "" if cell is not None else filename, "line": line}


def without_static(typed: str, function: str, argument: str, namespace: Mapping[str, Any] = _NOTHING) -> str | None:
    """The cell with one static argument of a function taken back; None where it is not said in one clear place."""
    lines = typed.splitlines(keepends=True)
    number = jit_line(typed)
    code = "".join("\n" if line.lstrip()[:1] in ("%", "!", "?") else line for line in lines)
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return None
    if number is not None:
        try:
            changed = _off_the_magic(lines[number], tree, function, argument, namespace)
        except OptionError:
            return None
        if changed is not None:
            return "".join([*lines[:number], changed, *lines[number + 1 :]])
    return _off_the_call(lines, tree, function, argument)


def _off_the_magic(line: str, tree: ast.Module, function: str, argument: str, namespace: Mapping[str, Any]) -> str | None:
    magic, options = options_of(line.rstrip("\r\n"))
    request = read_jit_line(options)
    for name in (f"{function}.{argument}", argument):
        if name in request.static:
            others = _static_in(tree, request, argument, namespace)
            if function not in others:
                return None
            others.remove(function)
            # where it is static in other functions, too, it stays so
            named = [f"{other}.{argument}" for other in others] if name == argument else []
            left = line_without_static(options, name, [each for each in named if each not in request.static])
            if _static_in(tree, read_jit_line(left), argument, namespace) != others:
                return None
            return magic + left + line[len(line.rstrip("\r\n")) :]
    return None


def _static_in(tree: ast.Module, request: Request, argument: str, namespace: Mapping[str, Any]) -> list[str]:
    """The taken functions of a cell in which an argument is static."""
    return [taken.name for taken in plan(tree, request, namespace).taken if argument in taken.static]


def _off_the_call(lines: list[str], tree: ast.Module, function: str, argument: str) -> str | None:
    """From a literal `static_argnames` of the function's decorator, or of a call that takes the function first."""
    calls: list[ast.Call] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            calls += [each for each in node.decorator_list if isinstance(each, ast.Call)]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Name) and node.args[0].id == function:
            calls.append(node)
    found = [word for call in calls for word in call.keywords if word.arg == "static_argnames"]
    if len(found) != 1:
        return None
    value = found[0].value
    try:
        declared = ast.literal_eval(value)
    except ValueError:
        return None
    names = [name.strip() for name in declared.split(",")] if isinstance(declared, str) else list(declared)
    if argument not in names or value.lineno != value.end_lineno or value.end_col_offset is None:
        return None
    left = tuple(name for name in names if name != argument)
    line = lines[value.lineno - 1].encode()
    text = (repr(left[0]) if len(left) == 1 else repr(left)).replace("'", '"')
    lines[value.lineno - 1] = (line[: value.col_offset] + text.encode() + line[value.end_col_offset :]).decode()
    return "".join(lines)
