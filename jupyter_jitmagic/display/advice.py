"""A diagnosis as a document: what happened, where, why, the fix and its proof, what it costs; everything else folded."""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from jupyter_jitmagic.base.jaxprs import MANY_EQUATIONS
from jupyter_jitmagic.base.paths import summed_up
from jupyter_jitmagic.diagnosis.fixes import Fix, fixes
from jupyter_jitmagic.diagnosis.types import Diagnosis, Rewrite, Site
from jupyter_jitmagic.display import amounts
from jupyter_jitmagic.display.model import Block, Code, Details, Diff, Document, Heading, Paragraph, SourceLine, Title

SITES_SHOWN = 3
LONGEST_DIFF = 40
FEW_LINES = 5  # that are not worth folding
SHORT_DIFF = 20
LEFT_OUT = "⋮"

_KEPT_OUTSIDE = re.compile(r"it writes (?:the global )?([\w.]+) (?:of the function around )?\(line")
_WHILE_TRACING = (
    "Under jit `{0}` is written while tracing, once for each compile, and not at each call: take it as an argument and return "
    "its new value."
)

# what Python did at a site, for a reader; the operation's own name where none is here
_NEEDS = {
    "shape": "decides a shape",
    "range": "decides how often a Python loop runs",
    "index": "is used as a Python index",
    "slice": "decides how long a slice is",
    "mask": "decides how many elements are left",
    "static parameter": "is a parameter that has to be static in JAX",
    "invalid argument": "is not an array, and jit takes only arrays unless the argument is static",
    "numpy": "goes into NumPy, which needs the values",
    "math": "goes into `math`, which needs the value",
    "format": "is printed into a string",
    "flags": "decides flags that are subtracted, which JAX refuses",
}


@dataclass(frozen=True, slots=True)
class Context:
    """What the display knows beyond the diagnosis.

    Attributes:
        place: names a file and line for the reader, as "cell [3], line 4".
        form: how the function was jitted, so that the fix is said in the same form.
        jit: the jit of a function that is no cell's, as the user spells it.
        names: names of the functions that are taken by this `%%jit` and have the static argument (for `f.n`).
        cost_s: seconds that one compile of this function was measured to take, None if it was not.
        jitfix: what `%jitfix` would do with the first fix, in a sentence; empty where it is not at hand.
        option: the line that holds the first fix's static arguments, as it would be typed; empty where that is not known.
    """

    place: Callable[[str, int], str] = field(default=lambda filename, line: f"{filename}, line {line}")
    form: Literal["magic", "decorator"] = "decorator"
    jit: str = "jax.jit"
    cost_s: float | None = None
    jitfix: str = "`%jitfix` puts it into the cell."
    option: str = ""


def advice(diagnosis: Diagnosis, context: Context | None = None) -> Document:
    """The document below a failed trace."""
    context = replace(context or Context(), jit=diagnosis.jit)
    found = fixes(diagnosis)
    blocks: list[Block] = [_title(diagnosis)]
    sites = _different(diagnosis, context)
    blocks += sites[:SITES_SHOWN]
    if diagnosis.reason:
        blocks.append(Paragraph(diagnosis.reason))
    blocks += _sizes_to_give(diagnosis, context)
    if found:
        says_it_compiles = "compiles again" in diagnosis.reason and not context.cost_s
        blocks += _fix(found[0], context, first=True, costs=not says_it_compiles)
        blocks += _other_ways(found, context)
    else:
        blocks += _nothing_found(diagnosis)
    blocks += _folded(diagnosis, sites[SITES_SHOWN:])
    return Document.of(blocks)


def _sizes_to_give(diagnosis: Diagnosis, context: Context) -> list[Block]:
    """The call with the sizes given that the function works out of its data where they are left out."""
    if not diagnosis.sizes_to_give:
        return []
    names = tuple(name for name, _ in diagnosis.sizes_to_give)
    given = ", ".join(f"{name}={value}" for name, value in diagnosis.sizes_to_give)
    fix = Fix(0, "traced", tuple(sorted({*diagnosis.static_argnames, *names})), diagnosis.static_argnums)
    what, are = ("size", "is") if len(names) == 1 else ("sizes", "are")
    listed = _listed(f"`{name}`" for name in names)
    return [
        Heading(f"Give the {what}", "traced", "good"),
        Code((_static(fix, context), f"{diagnosis.function}(…, {given})")),
        Paragraph(
            f"{listed} {are} worked out of data where left out. What is given has to hold for the data: under jit nothing "
            f"checks it. {_cost(fix, context)}"
        ),
    ]


def _nothing_found(diagnosis: Diagnosis) -> list[Block]:
    """What is known where nothing cures the call."""
    blocks: list[Block] = []
    if diagnosis.sizes_to_give:
        return blocks
    for part in diagnosis.partial:
        compared = part.compared
        proven = f"run on {amounts.times(compared.inputs, 'input')}, equal to {compared.beside}" if compared else ""
        blocks += [Heading("Part of the way", f"{proven}; {part.reason}"), *_rewrite(part)]
    if diagnosis.runs_plainly:
        blocks.append(Heading("Leave jit off", "plain Python runs this call, and no proven edit of its code was found"))
    elif diagnosis.kind in ("static", "rewrite", "static+rewrite") and not diagnosis.stopped and not blocks:
        if diagnosis.verified:
            return blocks  # the cure stands in the reason: it is no edit of this text
        blocks.append(Heading("No fix found", "no static argument and no known rewrite cures this"))
    return blocks


def _title(diagnosis: Diagnosis) -> Title:
    name = diagnosis.function
    if diagnosis.kind == "traces":
        return Title(f"{name} traces", "good" if "nothing is wrong" in diagnosis.reason else "plain")
    if not diagnosis.error and any(site.operation == "leaked tracer" for site in diagnosis.sites):
        return Title(f"{name} traces, and leaves a tracer behind")
    if diagnosis.kind == "not_staticness" and any(fix.proof == "traced" for fix in fixes(diagnosis)):
        return Title(f"{name} cannot be traced")  # static arguments do cure it, of a jit within
    if diagnosis.kind == "not_staticness" and diagnosis.verified and not fixes(diagnosis):
        return Title(f"{name} cannot be traced")  # as one is declared static that cannot be
    if diagnosis.kind == "not_staticness" and "unknown" not in diagnosis.reason.lower():
        return Title(f"{name} fails, and no static argument cures it")
    return Title(f"{name} cannot be traced")


# ------------------------------------------------------------------------------------------------ where and why


def _different(diagnosis: Diagnosis, context: Context) -> list[SourceLine]:
    """The sites in the order met; one that reads like an earlier one (a loop's second round) is left out."""
    return list(dict.fromkeys(_site(site, diagnosis, context) for site in diagnosis.sites))


def _site(site: Site, diagnosis: Diagnosis, context: Context) -> SourceLine:
    start, end = _underlined(site)
    elsewhere = site.function and site.function.rpartition(".")[2] != diagnosis.function.rpartition(".")[2]
    place = context.place(site.filename, site.line) + (f", in {site.function}" if elsewhere else "")
    return SourceLine(place, site.code, start, end, _why(site))


def _underlined(site: Site) -> tuple[int | None, int | None]:
    """The columns of the expression within the stripped line."""
    if site.column is None:
        return None, None
    physical = linecache.getline(site.filename, site.line).rstrip("\n")
    if physical.strip() != site.code:
        return None, None
    indent = len(physical) - len(physical.lstrip())
    on_this_line = site.end_line in (None, site.line) and site.end_column is not None
    end = site.end_column - indent if on_this_line and site.end_column is not None else len(site.code)
    return site.column - indent, end


def _why(site: Site) -> str:
    need = site.detail or _NEEDS.get(site.operation, "Python needs this value now")
    if not site.arguments:
        return need
    known = summed_up(site.arguments, site.values)
    return f"{need}; it comes from {_listed(_named(path, text) for path, text in known)}"


def _named(path: str, text: str) -> str:
    return f"`{path}` ({text})" if text else f"`{path}`"


def _listed(items: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    words = list(items)
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


# ------------------------------------------------------------------------------------------------ what to do


def _fix(fix: Fix, context: Context, *, first: bool, costs: bool = True) -> list[Block]:
    sure = fix.proof != "unverified" and not fix.equations
    padded = fix.rewrite is not None and fix.rewrite.padded
    name = f"Fix {fix.number}" if not first else "Fix" if sure else "Padded" if padded else "Perhaps"
    blocks: list[Block] = [Heading(name, proof(fix), "good" if sure else "plain")]
    if fix.static_argnames or fix.static_argnums:
        blocks.append(Code(((context.option if first else "") or _static(fix, context),)))
    if fix.rewrite:
        blocks += _rewrite(fix.rewrite)
        own = context.jit == Context().jit  # the jit of a library hands on what is written to its objects
        if own and not fix.rewrite.pieces and (kept := _KEPT_OUTSIDE.search(fix.rewrite.reason)):
            blocks.append(Paragraph(_WHILE_TRACING.format(kept[1])))
        if fix.rewrite.price:
            blocks.append(Paragraph(fix.rewrite.price))
    cost = _cost(fix, context)
    if cost and costs:
        blocks.append(Paragraph(cost))
    return blocks


def proof(fix: Fix) -> str:
    """How a fix was proven, as "traced, run on 8 inputs, both branches taken, equal to plain Python"."""
    if fix.rewrite is None and fix.equations:
        slow = "may take minutes" if fix.equations > MANY_EQUATIONS else "may take long"
        return f"traced: {fix.equations:,} equations; compiling {slow}"
    if fix.rewrite is None:
        return "traced"
    compared = fix.rewrite.compared
    if fix.proof == "traced":
        return "traced"
    if fix.proof == "unverified" or compared is None:
        if fix.rewrite.reason.startswith(("right on this call", "its values are right", "it differs")):
            return f"traced; {fix.rewrite.reason}"
        if fix.rewrite.compared is not None:  # a part of the call was
            return fix.rewrite.reason
        reason = fix.rewrite.reason.removeprefix("traced, ").removeprefix("not compared").removeprefix(":").strip()
        return f"traced, not compared: {reason}" if reason else "traced, not compared"
    parts = ["traced", f"run on {amounts.times(compared.inputs, 'input')}"]
    if compared.branches:
        parts.append(compared.branches if compared.branches.endswith(("taken", "run")) else f"{compared.branches} taken")
    return ", ".join([*parts, f"equal to {compared.beside}"])


def _static(fix: Fix, context: Context) -> str:
    """The option to type, in the form in which the function was jitted."""
    names, numbers = fix.static_argnames, fix.static_argnums
    if numbers and not names:
        return f"static_argnums={numbers[0] if len(numbers) == 1 else numbers}"
    written = f"static_argnames={_quoted(names)}"
    return (
        f"%%jit --static {','.join(names)}        or   {written}" if context.form == "magic" else f"@{context.jit}({written})"
    )


def _quoted(names: tuple[str, ...]) -> str:
    return f'"{names[0]}"' if len(names) == 1 else "(" + ", ".join(f'"{name}"' for name in names) + ")"


def _cost(fix: Fix, context: Context) -> str:
    if not fix.static_argnames and not fix.static_argnums:
        return ""
    what = _listed(f"`{name}`" for name in fix.static_argnames) or "the argument"
    measured = f" (about {amounts.seconds(context.cost_s)})" if context.cost_s else ""
    return f"Each new value of {what} compiles again{measured}."


def _rewrite(rewrite: Rewrite) -> list[Block]:
    lines = diff_lines(rewrite.diff)
    shown = LONGEST_DIFF if len(lines) > LONGEST_DIFF + FEW_LINES else len(lines)
    blocks: list[Block] = [Diff(tuple(lines[:shown]))]
    if lines[shown:]:
        blocks.append(Details(f"{len(lines) - shown} more lines", (Diff(tuple(lines[shown:])),)))
    if rewrite.compared and rewrite.compared.differences:
        blocks.append(Paragraph(f"Differs from {rewrite.compared.beside}: " + "; ".join(rewrite.compared.differences)))
    if rewrite.compared and rewrite.compared.not_reached:
        blocks.append(Paragraph("Not reached by any input: " + "; ".join(rewrite.compared.not_reached), "dim"))
    return blocks


def diff_lines(diff: str) -> list[str]:
    """The lines of a unified diff without file names and positions, with as much indentation as they have in common removed.

    Of a long one less is shown of what did not change; "⋮" stands for lines that are left out.
    """
    lines: list[str] = []
    apart = False
    for line in _near(diff.splitlines()):
        if line.startswith("@@"):
            apart = bool(lines)
        elif not line.startswith(("--- ", "+++ ", "\\ ")):
            if apart:
                lines.append(_left_out(line))
            apart = False
            lines.append(line)
    blank = [_indent(line) for line in lines if line[1:].strip()]
    common = min(blank, default=0)
    return [(line[:1] + " " + line[1 + common :]).rstrip() for line in lines]


def _indent(line: str) -> int:
    """By how much the code of a diff's line is indented."""
    return len(line) - 1 - len(line[1:].lstrip())


def _left_out(line: str) -> str:
    """What stands where a line and those after it are left out."""
    return f" {line[1 : 1 + _indent(line)]}{LEFT_OUT}"


def _near(lines: list[str]) -> list[str]:
    """A diff's lines; of a long one those that did not change only where they stand beside one that did."""
    if len(lines) <= SHORT_DIFF:
        return lines
    changed = [line.startswith(("+", "-")) and not line.startswith(("--- ", "+++ ")) for line in lines]
    near = [any(changed[max(0, k - 1) : k + 2]) or line.startswith("@@") for k, line in enumerate(lines)]
    shown: list[str] = []
    left: list[str] = []
    for kept, line in zip(near, lines, strict=True):
        if not kept:
            left += [line] if line.strip() and not line.startswith(("--- ", "+++ ")) else []
            continue
        if len(left) == 1:
            shown += left
        elif left and shown and not shown[-1].startswith("@@") and not line.startswith("@@"):
            shown.append(_left_out(left[0]))
        left = []
        shown += [line] if line != "+" else []
    return shown


def _other_ways(found: list[Fix], context: Context) -> list[Block]:
    here = [Paragraph(context.jitfix, "dim")] if context.jitfix else []
    first, *others = found
    short = [_apart(fix, first) for fix in others]
    names = [name if short.count(name) == 1 else way(fix) for name, fix in zip(short, others, strict=True)]
    return [*here, *(_other_way(fix, name, first, context) for name, fix in zip(names, others, strict=True))]


def _other_way(fix: Fix, name: str, first: Fix, context: Context) -> Details:
    """`name`: what tells it apart."""
    typed = f" (`%jitfix {fix.number}`)" if context.jitfix else ""
    padded = fix.rewrite is not None and fix.rewrite.padded
    slight = fix.rewrite is not None and fix.rewrite.slight
    for_none = fix.rewrite is not None and fix.rewrite.for_none
    doubt = ", a number for None" if for_none else ", not compared" if fix.proof == "unverified" and not padded else ""
    name += ", which gains little" if slight else ""
    if padded and fix.rewrite is not None:
        name = "padded" if _PATTERNS.keys().isdisjoint(fix.rewrite.patterns) else f"{name}, padded"
    return Details(f"Another way: {name}{doubt}{_price(fix, first)}{typed}", tuple(_fix(fix, context, first=False)))


def _apart(fix: Fix, first: Fix) -> str:
    """What this way has and the first has not, where that is something by itself."""
    if fix.rewrite is None or first.rewrite is None or fix.static_argnames != first.static_argnames:
        return way(fix)
    own = [each for each in fix.rewrite.patterns if each in _PATTERNS and each not in first.rewrite.patterns]
    return " + ".join(_PATTERNS[each] for each in own) or way(fix)


def _price(fix: Fix, first: Fix) -> str:
    """Beside a static argument, which compiles again for each value: what a rewrite without it saves, or one with it that has
    one loop for all rounds, and what it takes. Beside a loop without a reverse mode that it has one."""
    if _has_no_reverse(first) and fix.rewrite is not None and fix.rewrite.verified and not _has_no_reverse(fix):
        return ", reverse-differentiable"
    if first.rewrite is not None or not first.static_argnames or fix.rewrite is None or fix.rewrite.pieces:
        return ""
    takes = ", not reverse-differentiable" if _has_no_reverse(fix) else ""
    freed = [name for name in first.static_argnames if name not in fix.rewrite.static_argnames]
    if freed:
        return f": one program for every {_listed(freed)}{takes}"
    return f": its rounds are compiled once{takes}" if fix.rewrite.is_rolled else ""


def _has_no_reverse(fix: Fix) -> bool:
    compared = fix.rewrite.compared if fix.rewrite else None
    return compared is not None and any("not reverse-differentiable" in each for each in compared.differences)


def way(fix: Fix) -> str:
    """A fix in a few words: "lax.cond", "static n". What only joins them (`&`, `while` made of a `for`) goes without saying."""
    parts = []
    if fix.rewrite:
        patterns = fix.rewrite.patterns
        parts += [_PATTERNS[each] for each in patterns if each in _PATTERNS] or [*patterns] or ["a rewrite"]
    if fix.static_argnames:
        parts.append(f"static {', '.join(fix.static_argnames)}")
    return " + ".join(parts)


_PATTERNS = {
    "split": "a split",
    "where": "jnp.where",
    "cond": "lax.cond",
    "select": "jnp.select",
    "switch": "lax.switch",
    "fori_loop": "lax.fori_loop",
    "while_loop": "lax.while_loop",
    "scan": "lax.scan",
    "dynamic_slice": "lax.dynamic_slice",
    "at": "x.at[…].set",
}


# ------------------------------------------------------------------------------------------------ the rest


def _folded(diagnosis: Diagnosis, more: list[SourceLine]) -> list[Block]:
    blocks: list[Block] = []
    if more:
        asks = not any(site.operation == "in place" for site in diagnosis.sites)  # an element that is set asks for nothing
        what = (
            "where Python needs a traced value" if asks else "that stop the trace" if len(more) > 1 else "that stops the trace"
        )
        blocks.append(Details(f"{amounts.times(len(more), 'more place')} {what}", tuple(more)))
    if diagnosis.notes:
        blocks.append(Details("Notes", tuple(Paragraph(note) for note in diagnosis.notes), short=True))
    return blocks
