"""What people read: units, advice and tables, as text and as HTML that is safe and stands alone."""

from __future__ import annotations

import linecache
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from jupyter_jitmagic.base.causes import Cause
from jupyter_jitmagic.base.paths import summed_up
from jupyter_jitmagic.diagnosis.fixes import fixes
from jupyter_jitmagic.diagnosis.types import Change, Comparison, Diagnosis, Rewrite, Site
from jupyter_jitmagic.display import Document, to_html, to_text
from jupyter_jitmagic.display import stats as stats
from jupyter_jitmagic.display.advice import Context, advice, diff_lines
from jupyter_jitmagic.display.amounts import count, seconds, size
from jupyter_jitmagic.display.model import Column, Details, Diff, Heading, Paragraph, SourceLine, Table, Title
from jupyter_jitmagic.records.log import MissRecord

FILE = "<a cell of test_display>"
SOURCE = """%%jit
def conditional_double(x, threshold):
    if x > threshold:
        return x * 2
    else:
        return x
"""
DIFF = """--- conditional_double
+++ conditional_double
@@ -1,5 +1,2 @@
 def conditional_double(x, threshold):
-    if x > threshold:
-        return x * 2
-    else:
-        return x
+    return {}(x > threshold, x * 2, x)
"""


@pytest.fixture(autouse=True)
def cell() -> None:
    linecache.cache[FILE] = (len(SOURCE), None, SOURCE.splitlines(keepends=True), FILE)


def rewrite(pattern: str, *, verified: bool = True, reason: str = "") -> Rewrite:
    return Rewrite(
        sources={"conditional_double": "…"},
        source="…",
        changes=(Change(FILE, 3, pattern),),
        diff=DIFF.format(pattern),
        compared=Comparison(8, "both branches") if verified else None,
        verified=verified,
        reason=reason,
    )


SITE = Site(
    FILE,
    3,
    "if x > threshold:",
    "if",
    ("x", "threshold"),
    "",
    7,
    3,
    20,
    "conditional_double",
    True,
    {"x": "f32[]", "threshold": "2.0"},
)
LESSON = Diagnosis(
    "conditional_double",
    "rewrite",
    sites=(SITE,),
    rewrites=(rewrite("where"), rewrite("cond")),
    verified=True,
    reason="Making an argument static does not help: `x` is data.",
    notes=("`lax.cond` runs one branch only.",),
)
CONTEXT = Context(place=lambda filename, line: f"cell [3], line {line}", form="magic")


class Elements(HTMLParser):
    """The tags, styles and texts of an HTML fragment, and whether every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.styles: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.styles += [value or "" for name, value in attrs if name == "style"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


# ------------------------------------------------------------------------------------------------ units


@pytest.mark.parametrize(
    "value, shown",
    [
        (None, "–"),
        (float("nan"), "–"),
        (0.0, "0 s"),
        (3e-9, "3.0 ns"),
        (5.14e-6, "5.1 µs"),
        (0.00099996, "1.0 ms"),
        (0.0384, "38 ms"),
        (0.99999, "1.0 s"),
        (1.84, "1.8 s"),
        (59.9, "60 s"),
        (75.2, "1 min 15 s"),
        (3700, "1 h 1 min"),
    ],
)
def test_seconds(value: float | None, shown: str) -> None:
    assert seconds(value) == shown


def test_sizes_and_counts() -> None:
    assert [size(n) for n in (12, 999, 1000, 1_234_567, 2.5e9, None)] == ["12 B", "999 B", "1.0 kB", "1.2 MB", "2.5 GB", "–"]
    assert count(1234567) == "1\u2009234\u2009567"


# ------------------------------------------------------------------------------------------------ advice


def test_advice_in_a_terminal() -> None:
    """What happened, where with a marker under the expression, why, the fix with its proof; in this order."""
    assert to_text(advice(LESSON, CONTEXT), width=100).split("\n") == [
        "conditional_double cannot be traced",
        "  cell [3], line 3  if x > threshold:",
        "                       ─────────────",
        "    Python needs this value now; it comes from x (f32[]) and threshold (2.0)",
        "  Making an argument static does not help: x is data.",
        "  Fix · traced, run on 8 inputs, both branches taken, equal to plain Python",
        "        def conditional_double(x, threshold):",
        "      -     if x > threshold:",
        "      -         return x * 2",
        "      -     else:",
        "      -         return x",
        "      +     return where(x > threshold, x * 2, x)",
        "  %jitfix puts it into the cell.",
        "  Another way: lax.cond (%jitfix 2)",
        "  Notes",
        "    lax.cond runs one branch only.",
    ]


def test_advice_says_the_same_in_html() -> None:
    shown = Elements(to_html(advice(LESSON, CONTEXT)))
    for fact in (
        "conditional_double cannot be traced",
        "cell [3], line 3",
        "if x > threshold:",
        "it comes from x (f32[]) and threshold (2.0)",
        "run on 8 inputs, both branches taken, equal to plain Python",
        "+     return where(x > threshold, x * 2, x)",
        "Another way: lax.cond (%jitfix 2)",
        "lax.cond runs one branch only.",
    ):
        assert fact in shown.text
    assert "details" in shown.tags


def test_static_fix_is_said_in_the_form_of_the_jit() -> None:
    diagnosis = Diagnosis("padded", "static", ("n", "m"), verified=True)
    assert "%%jit --static n,m " in to_text(advice(diagnosis, Context(form="magic")))
    assert '@jax.jit(static_argnames=("n", "m"))' in to_text(advice(diagnosis, Context(form="decorator")))
    assert "Each new value of n and m compiles again." in to_text(advice(diagnosis))
    assert "compiles again (about 45 ms)." in to_text(advice(diagnosis, Context(cost_s=0.045)))


def test_an_unnameable_static_argument_goes_by_number() -> None:
    assert "static_argnums=1" in to_text(advice(Diagnosis("f", "static", (), (1,), verified=True)))


def test_static_and_rewrite_are_one_fix() -> None:
    both = Diagnosis("f", "static+rewrite", ("n",), rewrites=(rewrite("where"),), verified=True)
    (fix,) = fixes(both)
    assert fix.static_argnames == ("n",)
    text = to_text(advice(both, CONTEXT))
    assert text.count("Fix ·") == 1
    assert "--static n" in text
    assert "+     return where" in text


def test_what_was_not_compared_is_never_called_a_fix() -> None:
    slow = Diagnosis(
        "f", "rewrite", sites=(SITE,), unverified=(rewrite("scan", verified=False, reason="it ran longer than 2 s"),)
    )
    text = to_text(advice(slow, CONTEXT))
    assert "Perhaps · traced, not compared: it ran longer than 2 s" in text
    assert "equal to plain Python" not in text
    assert "Fix ·" not in text


def test_not_compared_is_said_once() -> None:
    slow = Diagnosis("f", "rewrite", unverified=(rewrite("where", verified=False, reason="traced, not compared: too slow"),))
    assert to_text(advice(slow)).count("not compared") == 1


def test_an_unverified_way_comes_last() -> None:
    mixed = Diagnosis(
        "f", "rewrite", rewrites=(rewrite("where"),), unverified=(rewrite("scan", verified=False, reason="slow"),)
    )
    assert [fix.proof for fix in fixes(mixed)] == ["compared", "unverified"]
    assert "Another way: lax.scan, not compared (%jitfix 2)" in to_text(advice(mixed, CONTEXT))


def test_another_way_is_named_by_what_the_first_has_not() -> None:
    """And where the first has no reverse mode, that this one has."""
    from dataclasses import replace

    no_reverse = Comparison(3, differences=("jax.grad does not go through its lax.while_loop (not reverse-differentiable)",))
    first = replace(rewrite("where"), compared=no_reverse, changes=changes("while", "where", "logical_not", "while_loop", "&"))
    other = replace(rewrite("where"), changes=changes("while", "where", "logical_not", "fori_loop", "&"))
    text = to_text(advice(Diagnosis("f", "rewrite", rewrites=(first, other)), CONTEXT))
    assert "Another way: lax.fori_loop, reverse-differentiable (%jitfix 2)" in text


def test_two_other_ways_that_have_the_same_beside_the_first_are_named_in_full() -> None:
    from dataclasses import replace

    first, *others = (replace(rewrite("where"), changes=changes(*each)) for each in (["where"], ["cond", "where"], ["cond"]))
    others = [replace(each, verified=False, for_none=True, reason="its values are right") for each in others]
    text = to_text(advice(Diagnosis("f", "rewrite", rewrites=(first,), unverified=tuple(others)), CONTEXT))
    assert "Another way: lax.cond + jnp.where, a number for None (%jitfix 2)" in text
    assert "Another way: lax.cond, a number for None (%jitfix 3)" in text


def changes(*patterns: str) -> tuple[Change, ...]:
    return tuple(Change("f.py", 1, pattern) for pattern in patterns)


def test_nothing_found_says_so_and_why() -> None:
    text = to_text(advice(Diagnosis("f", "rewrite", sites=(SITE,), reason="The branches differ in shape."), CONTEXT))
    assert "No fix found · no static argument and no known rewrite cures this" in text
    assert "The branches differ in shape." in text
    assert "%jitfix" not in text


def test_not_staticness_blames_no_argument() -> None:
    text = to_text(advice(Diagnosis("g", "not_staticness", sites=(SITE,), reason="The shapes do not fit.")))
    assert text.startswith("g fails, and no static argument cures it")
    assert "No fix found" not in text


def test_a_site_in_a_helper_names_the_helper() -> None:
    site = Site(FILE, 3, "if x > threshold:", "if", ("x",), "", 7, 3, 20, "helper")
    assert "cell [3], line 3, in helper" in to_text(advice(Diagnosis("f", "rewrite", sites=(site,)), CONTEXT))


def test_many_sites_are_folded_and_equal_ones_told_once() -> None:
    sites = tuple(Site(FILE, 3, "if x > threshold:", "if", (name,), "", 7, 3, 20) for name in "aabcde")
    document = advice(Diagnosis("f", "rewrite", sites=sites), CONTEXT)
    (folded,) = [block for block in document.blocks if isinstance(block, Details)]
    assert folded.summary == "2 more places where Python needs a traced value"
    setting = tuple(Site(FILE, number, "x[0] = 1", "in place", ("x",), "", 7, 0, 4) for number in range(4))
    (folded,) = [each for each in advice(Diagnosis("f", "rewrite", sites=setting), CONTEXT).blocks if isinstance(each, Details)]
    assert folded.summary.endswith("that stops the trace")


def test_the_marker_stands_under_wide_characters_and_tabs() -> None:
    line = SourceLine("l", "\t長 = f(x)", 5, 9, "")
    text = to_text(Document((line,))).split("\n")
    assert len(text) == 2
    # "l" and two blanks, then the tab (4 columns), one wide character (2), " = " (3)
    assert text[1] == " " * (2 + 3 + 4 + 2 + 3) + "────"


def test_a_note_stands_behind_its_marker_where_it_fits() -> None:
    line = SourceLine("", "if total > 0:", 3, 8, "not known here")
    assert to_text(Document((line,)), width=60).splitlines()[1].strip() == "─────  not known here"


def test_a_marker_that_does_not_fit_the_source_is_left_out() -> None:
    """The file was changed since: better no marker than a wrong one."""
    site = Site(FILE, 3, "if something_else:", "if", ("x",), "", 7, 3, 20)
    assert "─" not in to_text(advice(Diagnosis("f", "rewrite", sites=(site,)), CONTEXT))


def test_a_diff_keeps_its_signs_and_loses_common_indentation() -> None:
    assert diff_lines(
        "--- a\n+++ b\n@@ -1 +1 @@\n     def m(self):\n-        return 1\n+        return 2\n@@ -9 +9 @@\n-    x\n"
    ) == [
        "  def m(self):",
        "-     return 1",
        "+     return 2",
        "  ⋮",
        "- x",
    ]


# ------------------------------------------------------------------------------------------------ safe and self-contained

EVIL = '<script>alert("x")</script><img src=x onerror=alert(1)>&amp;`\'"\x1b[2J\x07'


def evil_document() -> Document:
    """Every kind of block with text that would do harm if it were not escaped."""
    site = Site(EVIL, 3, EVIL, EVIL, (EVIL,), EVIL, 0, 3, 5, EVIL, True, {EVIL: EVIL})
    diagnosis = Diagnosis(EVIL, "rewrite", (EVIL,), sites=(site,) * 5, rewrites=(rewrite("where"),), reason=EVIL, notes=(EVIL,))
    others = (
        Title(EVIL),
        Heading(EVIL, EVIL),
        Paragraph(EVIL),
        Diff((EVIL, "+" + EVIL)),
        SourceLine(EVIL, EVIL, 1, 4, EVIL),
        Table((Column(EVIL, bar=True),), ((EVIL,),), EVIL, ((0.5,),)),
        Details(EVIL, (Paragraph(EVIL),)),
    )
    return Document((*advice(diagnosis, Context(place=lambda filename, line: filename)).blocks, *others))


def test_html_escapes_everything_and_needs_no_script_or_style_sheet() -> None:
    html = to_html(evil_document())
    shown = Elements(html)
    assert set(shown.tags) <= {
        "div",
        "pre",
        "span",
        "b",
        "u",
        "code",
        "details",
        "summary",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }
    assert shown.attributes == {"style"}
    assert EVIL in shown.text, "shown as it is, not interpreted"


def test_html_uses_only_styles_that_survive_an_untrusted_notebook() -> None:
    """JupyterLab's sanitizer drops `var()`, `inherit`, `url()` and properties that it does not know."""
    styles = Elements(to_html(evil_document())).styles + Elements(to_html(advice(LESSON, CONTEXT))).styles
    assert styles
    for style in styles:
        for declaration in style.split(";"):
            name, _, value = declaration.partition(":")
            assert name.strip() in {
                "background-color", "border", "border-bottom", "border-collapse", "border-left", "border-radius", "box-sizing",
                "color", "cursor", "display", "font-family", "font-size", "height", "line-height", "margin", "margin-left",
                "max-width", "min-width", "opacity", "overflow-x", "padding", "table-layout", "text-align", "text-decoration",
                "vertical-align", "white-space", "width",
            }, declaration  # fmt: skip
            assert not re.search(r"var\(|inherit|url\(|calc\(|!important", value)


def test_terminal_text_drives_no_terminal() -> None:
    text = to_text(evil_document(), colour=False)
    assert "\x1b" not in text
    assert "\x07" not in text
    coloured = to_text(evil_document(), colour=True)
    assert not re.search(r"\x1b\[(?!\d*(;\d+)*m)", coloured), "only our own colours"
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == text


# ------------------------------------------------------------------------------------------------ tables


def miss(*causes: Cause) -> MissRecord:
    return MissRecord(1, 1, 1, 1, causes, 0.04)


def test_why_again_groups_values_of_one_argument() -> None:
    misses = [
        miss(Cause("first_call")),
        miss(Cause("static_value", "n", "5", "8")),
        miss(Cause("static_value", "n", "8", "13"), Cause("shape", "x", "f32[3]", "f32[4]")),
    ]
    assert stats.why_again(misses) == "`n` 5, 8, 13 (static value); `x` f32[3], f32[4] (shape)"


def test_why_again_stays_short() -> None:
    many = [miss(Cause("static_value", "n", str(i), str(i + 1))) for i in range(14)]
    assert stats.why_again(many) == "`n` 0, 1, 2, 3, … 15 in all (static value)"
    assert len(stats.why_again([miss(Cause("static_value", "cfg", "a" * 5000, "b" * 5000))])) < 150
    assert stats.why_again([miss(Cause("cleared")), miss(Cause("cleared"))]) == "cleared ×2"
    under = [miss(Cause("first_call")), miss(Cause("first_call", now="under vmap")), miss(Cause("first_call", now="under jvp"))]
    assert stats.why_again(under) == "under vmap, under jvp (first call)", "misses that are not the first are explained"


def test_functions_table_aligns_numbers_and_names_units() -> None:
    rows = [
        {"function": "padded", "calls": 9, "hits": 6, "misses": 3, "compile_s": 0.131, "execute_median_s": 7.9e-6},
        {"function": "f", "calls": 1200, "hits": 1199, "misses": 1, "compile_s": 0.038, "execute_median_s": float("nan")},
        {"function": "g", "calls": 601, "hits": 600, "misses": 1, "compile_s": 0.02, "execute_median_s": 0.018}
        | {"execute_calls": 240, "time_s": 10.8},
    ]
    text = to_text(stats.functions(rows, [[miss(Cause("static_value", "n", "5", "8"))], [], []], "observed without blocking"))
    assert text.split("\n") == [
        "function  calls   hits  misses  compile             execute  time  why it compiled again",
        "padded        9      6       3   131 ms              7.9 µs     –  n 5, 8 (static value)",
        "f         1\u2009200  1\u2009199       1    38 ms                   –     –",
        "g           601    600       1    20 ms  18 ms · 240 of 600  11 s",
        "3 functions, 1\u2009810 calls, 5 compiles, 189 ms compiling · execute: median, observed without blocking",
        "· time: compiling and all executions",
    ]


def test_a_wide_table_is_folded_to_the_width_of_the_terminal() -> None:
    row = {"function": "padded", "calls": 9, "hits": 6, "misses": 3, "compile_s": 0.131, "execute_median_s": 7.9e-6}
    many = [miss(Cause("static_value", "n", str(i), str(i + 1)), Cause("shape", "x", "f32[3]", "f32[4]")) for i in range(9)]
    lines = to_text(stats.functions([row | {"errors": 1}], [many], ""), width=80).split("\n")
    assert max(map(len, lines)) <= 80
    assert len(lines) > 3 and lines[2].startswith(" " * 40) and lines[2].strip()
    assert lines[-1].startswith("1 function, 9 calls (1 failed), 3 compiles")


def test_columns_give_no_more_width_than_the_table_needs() -> None:
    columns = tuple(Column(name, wide=True) for name in "ab")
    table = Table(columns, (("a" * 40, "b" * 35),))
    assert "b" * 35 in to_text(Document((table,)), width=60)


def test_an_empty_table_says_the_one_thing_to_do() -> None:
    assert "put %%jit over a cell" in to_text(stats.functions([], [], ""))


def test_many_leaves_of_one_argument_are_named_by_what_holds_them() -> None:
    """A train step's parameters: once in the place, never listed; the answer keeps within a screen."""
    leaves = tuple(f"state.params['block_{k}']['{name}']" for k in range(19) for name in ("kernel", "bias"))
    batch = ("batch['tokens']", "batch['mask']")
    site = Site(
        FILE, 3, "if x > threshold:", "if", (*leaves, *batch), "", 7, 3, 20, "step", True, dict.fromkeys(leaves, "f32[3]")
    )
    text = to_text(advice(Diagnosis("step", "rewrite", sites=(site,), rewrites=(rewrite("cond"),)), CONTEXT))
    assert "it comes from state.params (38 leaves) and batch (2 leaves)" in " ".join(text.split())
    assert "block_" not in text and len(text.splitlines()) <= 25


def test_few_leaves_are_named_one_by_one() -> None:
    assert summed_up(["p['w'].a", "p['w'].b", "x"], {"x": "f32[3]"}) == [("p['w'].a", ""), ("p['w'].b", ""), ("x", "f32[3]")]
    many = [*(f"p['w'].a[{k}]" for k in range(4)), "p['w'].b", "x"]
    assert summed_up(many, {"x": "f32[3]"}) == [("p['w']", "5 leaves"), ("x", "f32[3]")]


def test_of_a_long_diff_less_is_shown_of_what_did_not_change() -> None:
    kept = [f" line {k}" for k in range(6)]
    changed = [f"+new {k}" for k in range(12)]
    shown = diff_lines("\n".join(["--- f (now)", "+++ f (fixed)", "@@ -1 +1 @@", *kept, *changed, *kept]))
    assert shown == ["  line 5", *(f"+ new {k}" for k in range(12)), "  line 0"]


def test_what_a_diff_leaves_out_in_its_middle_has_a_mark() -> None:
    """No line seems to follow another that it does not follow; a single line is shown rather than a mark."""
    changed = [f"+    new {k}" for k in range(12)]
    kept = [" for k in range(9):", *(f"     line {k}" for k in range(3)), "     last"]
    shown = diff_lines("\n".join(["@@ -1 +1 @@", *changed, *kept, *changed]))
    assert shown[12:16] == ["  for k in range(9):", "      ⋮", "      last", "+     new 0"]
    shown = diff_lines("\n".join(["@@ -1 +1 @@", *changed, *kept[:2], *kept[-1:], *changed]))
    assert shown[12:15] == ["  for k in range(9):", "      line 0", "      last"]


def test_what_a_method_keeps_is_written_while_tracing_only() -> None:
    """Where a rewrite could not be compared since the function keeps something, the answer says what jit makes of that."""
    import jax.numpy as jnp

    import jupyter_jitmagic as jm

    class Counter:
        count = 0

        def step(self, x):
            self.count += 1
            if x > 0:
                x = x * 2
            return x

    text = " ".join(str(jm.diagnose(Counter().step, jnp.float32(1.0))).split())
    assert "No rewrite: none that was found is proven." in text
    assert "self.count is written while tracing, once for each compile, and not at each call" in text


def test_of_a_split_it_is_not_said_that_what_stays_in_plain_python_is_written_while_tracing() -> None:
    kept = replace(rewrite("split"), verified=False, reason="not compared: it writes the global count (line 3)", compared=None)
    whole = to_text(advice(Diagnosis("f", "rewrite", unverified=(kept,)), CONTEXT))
    split = to_text(advice(Diagnosis("f", "rewrite", splits=(replace(kept, pieces=("f_after",)),)), CONTEXT))
    assert "written while tracing" in whole and "written while tracing" not in split
    assert "traced, not compared: it writes the global count" in split


def test_what_a_librarys_jit_hands_on_is_not_said_to_be_written_while_tracing() -> None:
    """`nnx.jit` gives the caller's objects what was written to them in each call."""
    kept = replace(rewrite("where"), verified=False, reason="not compared: it writes self.mean.value (line 3)", compared=None)
    for jit, said in (("jax.jit", True), ("nnx.jit", False)):
        text = to_text(advice(Diagnosis("f", "rewrite", unverified=(kept,), jit=jit), CONTEXT))
        assert ("written while tracing" in text) == said


def test_beside_a_static_length_a_loop_has_its_price() -> None:
    """Static compiles for each value, the loop once, and what it takes is said in the same line."""
    import jax.numpy as jnp

    import jupyter_jitmagic as jm

    def power(x, n):
        for _ in range(n):
            x = x @ x / 3
        return x

    shown = " ".join(to_text(advice(jm.diagnose(power, jnp.ones((3, 3)), 5), CONTEXT)).split())
    assert "Another way: lax.fori_loop: one program for every n, not reverse-differentiable (%jitfix 2)" in shown


def test_a_way_with_the_same_static_argument_says_that_its_rounds_are_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import jax.numpy as jnp

    import jupyter_jitmagic as jm
    from jupyter_jitmagic.sandbox import clock

    monkeypatch.setattr(jm.options, "advice_limit_s", 120.0)  # a busy machine changes no answer
    monkeypatch.setattr(clock, "WAITING", 40)

    def path(x, n):
        out = [x]
        for k in range(n):
            x = x + 0.01 * jnp.sin(x) * k
            out.append(x)
        return jnp.stack(out)

    shown = " ".join(to_text(advice(jm.diagnose(path, jnp.ones(3), 120), CONTEXT)).split())
    assert "Another way: lax.fori_loop + static n: its rounds are compiled once (%jitfix 2)" in shown


def test_a_plot_has_the_functions_that_took_longest_and_says_how_many_are_left_out() -> None:
    from jupyter_jitmagic.display.plot import FUNCTIONS_SHOWN, sparklines

    def call(seconds: float) -> dict[str, object]:
        return {
            "outcome": "miss",
            "trace_s": 0.1,
            "lower_s": 0.1,
            "compile_s": seconds,
            "dispatch_s": seconds,
            "execute_s": None,
        }

    calls = {f"f{number}": [call(0.1)] for number in range(FUNCTIONS_SHOWN + 1)} | {"dearest": [call(17.5)]}
    lines = sparklines(calls).splitlines()
    assert lines[0].startswith("dearest") and lines[-1].strip() == "and 2 functions that took less"


def test_why_hits_have_no_time_is_said_where_many_have_none() -> None:
    reasons = {"rested": 1_300, "late": 40, "compile": 0}
    line = stats.untimed("step", 1_500, reasons)
    assert line is not None
    count = stats.amounts.count
    assert line.startswith(f"step: no time is known of {count(1340)} of {count(1500)} hits: the device rested between them")
    assert "seen too late (40)" in line and "compiled" not in line
    assert stats.untimed("step", 15_000, reasons) is None, "most have one"
    assert stats.untimed("step", 10, {"rested": 10}) is None, "few calls need no explanation"
