"""Where no single program can be: the function in pieces under jit, around what plain Python alone can do, equal to it."""

from __future__ import annotations

import functools
import linecache
import types
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.call.calls import Call, bind
from jupyter_jitmagic.diagnosis.fixes import fixes
from jupyter_jitmagic.diagnosis.splits.proving import Proof
from jupyter_jitmagic.sandbox.rerun import Reach, undoing
from jupyter_jitmagic.source.units import unit_of

SCALE = 2.0


pytestmark = pytest.mark.usefixtures("unhurried")  # a split is the last thing that is looked for


@jax.jit
def levels(x, w):
    """What is left of it stays above the calls."""
    # scaled first
    y = jnp.tanh(x @ w)
    z = y * SCALE + 1  # twice
    u = jnp.unique(jnp.round(z, 1))
    s = jnp.sin(u) + u.sum()
    return s[::-1] * 2


@jax.jit
def counted(x, k):
    n = x.shape[0]
    y = jnp.cumsum(x) / n
    big = y[y > k]
    m = int(big.sum())
    t = jnp.arange(m) * 2.0
    if t.sum() > 3:
        t = t + 1
    return jnp.concatenate([big, t]) / n


class Model:
    def __init__(self, scale: float) -> None:
        self.scale = scale

    @functools.partial(jax.jit, static_argnums=0)
    def step(self, x, n):
        y = jnp.sin(x) * self.scale
        y = y / jnp.linalg.norm(y)
        groups = {round(float(v), 1): i for i, v in enumerate(np.asarray(y))}
        w = jnp.array(list(groups.values()), jnp.float32)
        return (w * n).sum() + jnp.cumsum(y)[-1] * 2


def make(scale):
    @jax.jit
    def inner(x):
        y = jnp.exp(x) * scale
        z = jnp.cumsum(y) - y
        s = dict(enumerate(np.asarray(z).tolist()))
        t = jnp.asarray([s[k] for k in sorted(s, key=s.get)]) * scale
        return t.sum() + z.mean()

    return inner


@jax.jit
def with_local(x):
    y = jnp.sin(x) + 1
    y = y / y.sum()

    def local(v):
        return v * 2 + y.mean()

    table = {int(v * 10): k for k, v in enumerate(y)}
    best = table[max(table)]
    z = local(y) + best
    return z.sum() * 3


@jax.jit
def in_a_loop(x):
    total = jnp.zeros(()) + x.mean() * 0
    for k in range(3):
        y = jnp.tanh(x * k) + 1
        y = y / y.sum()
        names = {f"{float(v):.1f}" for v in y}
        total = total + len(names)
        total = jnp.sqrt(total * total + 1)
    return total * 2 + x.sum()


@jax.jit
def speaking(x):
    y = jnp.cumsum(x) * 2
    y = y - y.mean()
    print("levels:", jnp.unique(y))
    u = jnp.unique(y)
    return jnp.sin(u) * u.sum()


@eqx.filter_jit
def filtered(model, x, name):
    y = model(x) * 2
    y = y - y.mean()
    u = jnp.unique(y)
    v = jnp.sin(u) + u.size
    return {f"{name}{k}": v * k for k in range(len(name))}, y.max()


class Net(eqx.Module):
    w: jax.Array
    act: Any = eqx.field(static=True)

    def __call__(self, x):
        return self.act(self.w @ x)


X = jnp.arange(5.0)


def columns(y, k=None):
    if not k:
        k = jnp.max(y * 1) + 1
    table = jnp.zeros((y.shape[0], k))
    return table.at[jnp.arange(y.shape[0]), y].set(1.0) * 2


def split_of(fun: Any, *args: Any) -> Any:
    found = jm.diagnose(fun, *args)
    assert found.kind in ("rewrite", "static+rewrite") and not found.rewrites
    (split,) = found.splits
    assert split.verified and split.compared.inputs >= 4
    return split


def made(split: Any, name: str, **more: Any) -> Any:
    """The functions that a split defines, in a namespace of their own."""
    space = dict(globals()) | more
    exec(split.sources[name], space)
    return types.SimpleNamespace(**{key: space[key] for key in (name, *split.pieces) if key in space})


def plainly(fun: Any, *args: Any) -> Any:
    return fun.__wrapped__(*args)


def same(got: Any, want: Any) -> bool:
    return all(np.allclose(a, b, rtol=1e-5) for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True))


def test_the_line_that_needs_values_stays_and_the_rest_is_jitted():
    """The docstring stays with the function, comments go with their statements, and other sizes are served."""
    split = split_of(levels, jnp.arange(6.0).reshape(2, 3), jnp.ones((3, 4)))
    assert split.pieces == ("levels_before", "levels_after")
    now = made(split, "levels")
    assert not hasattr(now.levels, "lower") and hasattr(now.levels_after, "lower")
    assert now.levels.__doc__ == levels.__doc__
    assert "    # scaled first\n    y = jnp.tanh(x @ w)\n    z = y * SCALE + 1  # twice\n" in split.source
    for rows in (2, 5):
        args = jnp.linspace(-1, 2, rows * 3).reshape(rows, 3), jnp.ones((3, 4))
        assert same(now.levels(*args), plainly(levels, *args))
    assert "compiles again for each size of `u`" in split.price and "µs" in split.price


def test_a_size_is_static_in_the_piece_behind_it_and_what_a_rewrite_cures_is_cured():
    """Of three places two stay: the selection and the count; the branch is rewritten, and proven, in its piece."""
    split = split_of(counted, X, 1.5)
    assert split.pieces == ("counted_before", "counted_after")
    assert '@jax.jit(static_argnames="m")\ndef counted_after(' in split.source
    now = made(split, "counted")
    for x in (X, X * 3, jnp.zeros(4)):
        assert same(now.counted(x, 1.5), plainly(counted, x, 1.5))
    assert "`counted_after` compiles again for each value of `m`" in split.price


@pytest.mark.parametrize(
    ("fun", "args"),
    [(with_local, (X,)), (in_a_loop, (X,)), (speaking, (X,)), (filtered, (Net(jnp.ones((3, 5)) * X, jnp.tanh), X, "ab"))],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_it_gives_what_plain_python_gives(fun, args):
    """Local functions, loops whose body is cut, and equinox's jit, which keeps what is no array."""
    found = jm.diagnose(fun, *args)
    assert not found.rewrites
    (split,) = found.splits
    want = plainly(fun, *args)
    now = made(split, fun.__name__)
    assert same(getattr(now, fun.__name__)(*args), want)


def test_what_prints_is_not_compared_and_stays_in_plain_python(capsys):
    (split,) = jm.diagnose(speaking, X).splits
    now = made(split, "speaking")
    capsys.readouterr()
    now.speaking(X)
    assert capsys.readouterr().out.startswith("levels: [")


def test_a_method_has_its_pieces_beside_the_class():
    split = split_of(Model(3.0).step, X, 2)
    assert list(split.sources) == ["Model"]
    now = made(split, "Model")
    assert same(now.Model(3.0).step(X, 2), plainly(Model.step, Model(3.0), X, 2))


def test_a_function_in_a_function_has_its_pieces_beside_it():
    split = split_of(make(2.0), X)
    now = made(split, "make")
    assert same(now.make(2.0)(X), plainly(make(2.0), X))


def test_a_name_for_the_jitted_function_is_the_function_then():
    """`fast = jax.jit(f)` beside it: the same name is plain Python, which calls the pieces."""
    space: dict[str, Any] = {}
    text = (
        "import jax, jax.numpy as jnp\n\n\ndef f(x):\n    y = jnp.sin(x) * 2\n    u = jnp.unique(y)\n"
        "    v = jnp.cos(u) + 1\n    return v * v.sum()\n\n\nfast = jax.jit(f)\n"
    )
    linecache.cache["<ipython-input-split>"] = (len(text), None, text.splitlines(keepends=True), "<ipython-input-split>")
    exec(compile(text, "<ipython-input-split>", "exec"), space)
    found = jm.diagnose(space["fast"], X)
    assert found.splits[0].sources["fast"] == "fast = f\n"


def test_where_nothing_is_worth_jit_it_is_said():
    def only(x):
        return jnp.array(sorted({round(float(v), 1) for v in x}))

    found = jm.diagnose(jax.jit(only), X)
    assert not found.splits and not fixes(found) and found.runs_plainly
    assert "Leave jit off" in str(found) and "No fix found" not in str(found)


def test_what_plain_python_cannot_run_has_no_split():
    def wrong(x):
        y = jnp.sin(x) * 2
        u = jnp.unique(y)
        return {}[float(u[0])] + u

    found = jm.diagnose(jax.jit(wrong), X)
    assert not found.splits and not found.runs_plainly


def test_a_split_is_a_fix_like_the_others():
    found = jm.diagnose(levels, jnp.arange(6.0).reshape(2, 3), jnp.ones((3, 4)))
    first = fixes(found)[0]
    assert first.proof == "compared" and first.rewrite is found.splits[0] and not first.static_argnames
    assert "The split leaves line" in found.reason and found.to_dict()["splits"][0]["pieces"]


@jax.jit
def three(x, k):
    if x.sum() > 0:
        x = x * 2
    y = x if x[0] > k else x - 1
    return {f"{float(v):.1f}" for v in y}


def test_what_can_be_cured_is_cured_in_the_piece_before_the_line_that_is_left():
    split = split_of(three, X, 1.0)
    assert split.patterns == ("split", "where") and "if" not in split.source.split("def three(")[0]
    assert made(split, "three").three(-X, 1.0) == plainly(three, -X, 1.0)


def test_where_no_split_can_be_the_edits_that_cure_some_places_are_told_as_such():
    """Of a method in a class in a function no piece can stand beside it."""

    class Inside:
        @functools.partial(jax.jit, static_argnums=0)
        def three(self, x, k):
            if x.sum() > 0:
                x = x * 2
            y = x if x[0] > k else x - 1
            return {f"{float(v):.1f}" for v in y}

    found = jm.diagnose(Inside().three, X, 1.0)
    assert not found.rewrites and not found.splits and not fixes(found) and not found.verified
    (part,) = found.partial
    assert part.patterns[0] == "where" and part.compared and not part.verified
    assert part.reason.startswith("line ") and part.reason.endswith('is left: `return {f"{float(v):.1f}" for v in y}`')
    assert "Part of the way · run on" in str(found) and "is left:" in " ".join(str(found).split())


def options(logits, high, rate=None):
    rate = rate or 0.5
    y = jnp.tanh(logits) * rate
    y = y / y.sum()
    u = jnp.unique(y)
    v = jnp.cumsum(u) + high
    return {f"{float(k):.1f}": k for k in v}


def test_a_call_that_gives_what_this_one_left_out_is_served():
    """With a number for None the first line needs its value: it stays, though this call does not ask for it."""
    split = split_of(jax.jit(options), X, 1.0)
    assert "def options(logits, high, rate=None):\n    rate = rate or 0.5\n" in split.source
    now = made(split, "options")
    for rate in (None, 0.25, jnp.float32(0.75)):
        got, want = now.options(X, 1.0, rate), options(X, 1.0, rate)
        assert got.keys() == want.keys() and same(got, want)


def test_a_call_that_gives_a_count_that_this_one_left_out_is_served():
    """Half a column is none: that a float is refused there says nothing of a count."""

    labels = jnp.array([0, 2, 1])
    now = made(split_of(jax.jit(columns), labels), "columns")
    assert same(now.columns(labels, 4), columns(labels, 4)) and same(now.columns(labels), columns(labels))


def test_what_the_caller_passes_is_no_size_of_a_piece_unless_it_was_found_to_be():
    def every(x, step, period=10):
        if step % period == 0:
            x = x * 2 + jnp.sin(x)
        u = jnp.unique(x)
        return {float(k): (u * k).sum() for k in u}

    for split in jm.diagnose(jax.jit(every), X, jnp.int32(3)).splits:
        assert "step" not in split.price


def test_a_split_that_leaves_hardly_anything_to_compile_comes_after_whole_arrays_with_their_count():
    def doubled(x):
        out = []
        for v in x:
            if v > 0:
                out.append(v * 2)
        return jnp.array(out)

    diagnosis = jm.diagnose(jax.jit(doubled), jnp.array([1.0, -2.0, 3.0]))
    first, second = fixes(diagnosis)
    assert first.rewrite.padded and "their count" in first.rewrite.reason
    assert second.rewrite.slight and diagnosis.splits == (second.rewrite,)
    assert "Padded" in str(diagnosis) and "not compared" not in str(diagnosis)


def sums_until_negative(x):
    out = [x[0]]
    for v in x[1:]:
        out.append(v + out[-1])
        if v < 0:
            break
    return jnp.array(out), len(out)


def counted_first(x):
    kept = x[x > 0]
    return len(kept), kept


@pytest.mark.parametrize(
    ("function", "ends"), [(sums_until_negative, "return out, out_length\n"), (counted_first, "return count, x[front]\n")]
)
def test_a_length_that_is_returned_already_is_the_count_of_the_whole_array(function, ends):
    """It came a third time, and `xs, n = f(…)` of the caller had too many values."""
    first = jm.diagnose(jax.jit(function), jnp.array([1.0, 2.0, -1.0, 3.0])).unverified[0]
    assert first.padded and first.source.endswith(ends)


def test_a_split_that_leaves_work_to_compile_comes_first():
    diagnosis = jm.diagnose(levels, jnp.ones((3, 4)), jnp.ones((4, 2)))
    assert fixes(diagnosis)[0].rewrite is diagnosis.splits[0]
    assert not diagnosis.splits[0].slight


def spread(v, counts):
    above = jnp.repeat(v, counts)
    above = above * 2.0 + 1.0
    above = above - above.mean()
    return above @ above


def squeezed(v, counts):
    return spread(v, counts) / 2


@jax.jit
def summed(v, counts):
    total = 0.0
    for i in range(3):
        total += squeezed(v * (i + 1), counts)
    return total


def test_a_helper_that_fails_is_split_and_its_callers_become_plain_python():
    """Also two calls down; the caller's own jit comes off, and more stays under jit than by a cut of the caller."""
    args = jnp.array([1.5, 0.0, -2.0, 3.0]), jnp.array([0, 2, 1, 2])
    split = split_of(summed, *args)
    assert split.pieces == ("spread_after",) and set(split.sources) == {"spread", "summed"}
    assert split.sources["summed"].startswith("def summed(")
    assert "`summed`, which calls it, is plain Python as well." in split.price
    space = dict(globals())
    for source in split.sources.values():
        exec(source, space)
    space["squeezed"] = types.FunctionType(squeezed.__code__, space)
    for counts in (args[1], jnp.array([3, 0, 0, 1])):
        assert same(space["summed"](args[0], counts), plainly(summed, args[0], counts))


def test_a_helper_under_a_transformation_has_no_split():
    """What it is given there is no value."""
    assert not jm.diagnose(jax.jit(lambda v, n: jax.vmap(lambda r: squeezed(r, n))(v)), jnp.ones((2, 3)), jnp.arange(3)).splits


@functools.partial(jax.jit, static_argnames="how")
def matched(x, y, how):
    if how == "squares":
        d = (x[:, None] - y[None, :]) ** 2
    elif how == "angles":
        d = jnp.sin(x[:, None] - y[None, :])
    rows, columns = linear_sum_assignment(d)
    return jnp.mean(d[rows, columns] * 2.0)


def test_what_a_branch_inside_a_piece_sets_is_no_input_of_it():
    """`d` has no value before: the split was given up since plain Python was said to fail."""
    split = jm.diagnose(matched, jnp.arange(3.0), jnp.arange(1.0, 4.0), how="angles").splits[0]
    assert split.pieces == ("matched_before", "matched_after")


@jax.jit
def picked(scores):
    order = jnp.argsort(-scores)
    keep = []
    while len(order) > 0:
        first = order[0]
        keep.append(first)
        order = order[1:][scores[order[1:]] * 2 < scores[first]]
    return jnp.array(keep)


def test_pieces_that_compute_nothing_stay_in_plain_python():
    """`first = order[0]`, an empty list: nothing that a dispatch would be worth."""
    text = jm.diagnose(picked, jnp.array([9.0, 8.0, 3.0])).splits[0].source
    inside = text[text.index("def picked(") :]
    assert "first = order[0]" in inside and "return jnp.array(keep)" in inside and "keep = []" in inside


def slope(x):
    return x * x


@jax.jit
def descended(x):
    step = jax.grad(slope)
    seen = []
    while x > 0.1:
        y = jnp.sin(x) * 2 - step(x)
        x = jnp.abs(y) / 9
        seen.append((float(x), "step"))
    return x, seen


def test_a_function_that_each_call_makes_is_no_static_argument_of_a_piece():
    """Each call of `jax.grad(f)` gives another: the piece would compile again in every call."""
    assert "static_argnames" not in jm.diagnose(descended, jnp.array(2.0)).splits[0].source


LOG: list[Any] = []


def keep(value: Any) -> None:
    LOG.append(value)


def logged(x):
    y = jnp.sin(x) * 2
    z = jnp.unique(y)
    w = jnp.cos(z) * 3
    LOG.append(w)
    v = jnp.sin(w) * 2
    keep(v)
    return v * 2 + y.sum()


def test_what_is_kept_outside_the_function_stays_in_plain_python():
    """Under jit it would happen while tracing, and keep a tracer: by a list of the module's, also in a helper."""
    (split,) = jm.diagnose(logged, jnp.array([3.0, 1.0, 3.0])).splits
    *pieces, own = split.source.split("@jax.jit")[-1:][0].rpartition("def logged")
    assert "LOG.append(w)" in own and "keep(v)" in own
    assert "LOG" not in "".join(pieces) and "keep(" not in "".join(pieces)


HISTORY: list[float] = [0.5]


def trained(w, x, y):
    loss, slope = jax.value_and_grad(lambda w: ((jnp.tanh(x @ w) - y) ** 2).mean())(w)
    HISTORY.append(float(loss))
    return w - 0.1 * slope


TRAINED = jnp.ones(3), jnp.arange(12.0).reshape(4, 3), jnp.ones(4)


def test_a_history_is_kept_in_plain_python_and_compared():
    """A step that appends its loss: what the list holds after it is compared as its result is, and left as it was."""
    (split,) = jm.diagnose(trained, *TRAINED).splits
    assert split.verified and split.pieces == ("trained_before", "trained_after")
    assert "    HISTORY.append(float(loss))" in split.source and HISTORY == [0.5]


def kept_in_an_argument(w, x, y, HISTORY):
    loss, slope = jax.value_and_grad(lambda w: ((jnp.tanh(x @ w) - y) ** 2).mean())(w)
    HISTORY.append(float(loss))
    return w - 0.1 * slope


def test_an_argument_that_is_called_as_a_list_of_the_module_is_not_taken_for_it():
    """What it holds afterwards is not looked at, so that nothing is said to be equal."""
    call = bind(kept_in_an_argument, (*TRAINED, []), {})
    proof = Proof(call, frozenset(), unit_of(kept_in_an_argument.__code__, kept_in_an_argument.__globals__), 5.0)
    with undoing(Reach(kept_in_an_argument)):
        assert str(proof.compared(kept_in_an_argument)).startswith("not compared: it changes HISTORY")


@pytest.mark.parametrize(("kept", "equal"), [(lambda loss: float(loss), True), (lambda loss: float(loss) + 1, False)])
def test_a_split_that_keeps_something_else_is_refused(kept, equal):
    def other(w, x, y):
        loss, slope = jax.value_and_grad(lambda w: ((jnp.tanh(x @ w) - y) ** 2).mean())(w)
        HISTORY.append(kept(loss))
        return w - 0.1 * slope

    call = bind(trained, TRAINED, {})
    proof = Proof(call, frozenset(), unit_of(trained.__code__, trained.__globals__), 5.0)
    with undoing(Reach(trained)):
        assert (proof.compared(other) is not None) == equal


def test_a_number_that_compiling_alone_makes_of_nan_refuses_no_split():
    """XLA leaves out what a one-hot row multiplies by 0; without jit NaN times 0 is NaN, in plain Python and in the pieces."""

    def by_class(labels, x):
        n = int(labels.max()) + 1
        return (jax.nn.one_hot(labels, n) * x[:, None]).sum(0)

    split = jm.diagnose(by_class, jnp.array([0, 2, 1, 1]), jnp.array([1.0, -2.0, 3.0, 0.5])).splits[0]
    assert split.verified and split.pieces == ("by_class_after",)
    assert any("XLA takes some NaN for a number" in each for each in split.compared.differences)


def masks(lengths):
    longest = max(lengths)
    return jnp.arange(longest)[None] < lengths[:, None]


def ends(lengths):
    longest = max(lengths)
    return jnp.cumsum(lengths) * longest + jnp.sort(lengths[jnp.unique(lengths)])


def test_a_size_that_is_an_array_goes_into_its_piece_as_an_int():
    """Python takes an array of one whole number for a size, and no static argument is an array."""
    lengths = jnp.array([1, 2, 2, 3])
    split = split_of(masks, lengths)
    assert "masks_after(lengths, int(longest))" in split.source
    function = made(split, "masks").masks
    for given in (lengths, jnp.array([4, 1])):
        assert same(function(given), masks(given))


def test_a_number_that_is_no_size_goes_in_as_it_is():
    """As an int it would compile again for each of its values."""
    lengths = jnp.array([0, 1, 2, 3])
    assert "int(" not in split_of(ends, lengths).source


def widest(x, groups):
    parts = []
    for g in jnp.unique(groups):
        parts.append(x[groups == g].std())
    return max(parts)


@pytest.mark.slow
def test_a_split_that_loses_the_gradient_is_not_called_equal():
    """A group of one has a spread of 0, where a square root has no slope: `max` leaves it out, a `where` does not."""
    alone, together = jnp.array([1, 0, 2, 2, 0, 0]), jnp.array([1, 0, 1, 1, 0, 0])
    x = jnp.array([0.25, 0.0, 2.0, -1.25, 2.5, -1.5])
    lost = jm.diagnose(widest, x, alone)
    assert not lost.verified and "its gradient is not finite on the call's own input" in str(lost)
    assert jm.diagnose(widest, x, together).verified


def beyond_single(x):
    v = float(x[0])
    u = jnp.unique(x)
    return jnp.where(v * 1e300 > 1e305, jnp.sin(u) * 2, jnp.cos(u) + 1)


def test_a_piece_that_gets_pythons_floats_has_fewer_digits_and_that_is_said():
    split = split_of(beyond_single, jnp.array([1.0, 2.0]))
    assert any("plain Python's floats have 64 bits" in each for each in split.compared.differences)


def gained(score, gain):
    ranked = sorted(zip(score, gain, strict=True), key=functools.cmp_to_key(lambda p, q: 1 if p[0] < q[0] else -1))
    total = 0.0
    for k, (s, g) in enumerate(ranked):
        if s < 0:
            break
        total += g / (k + 1)
    return total


def test_a_piece_that_jax_does_not_go_back_through_is_said():
    """Our own backward sweep goes back through such loops, so that nobody was told."""
    split = split_of(gained, jnp.array([0.5, -1.0, 2.0, 1.5]), jnp.array([1.0, 2.0, 3.0, 0.5]))
    assert "while_loop" in split.source
    assert any("not reverse-differentiable" in each for each in split.compared.differences)


def test_taking_an_element_is_no_work_and_pairs_that_may_be_none_are_given_whole_with_their_count():
    def falls(v, delta):
        found = []
        top = v[0]
        for i in range(len(v)):
            this = v[i]
            if this > top:
                top = this
            if this < top - delta:
                found.append((i, top))
                top = this
        return jnp.array(found)

    *whole, last = fixes(jm.diagnose(jax.jit(falls), jnp.array([1.0, 3.0, 0.5, 2.0, 0.0]), 1.0))
    assert whole and all(each.rewrite.padded for each in whole) and last.rewrite.slight and last.rewrite.pieces


def test_a_piece_that_compiles_in_each_round_of_a_loop_comes_after_whole_arrays_with_their_count():
    def outliers(x, k):
        found = []
        for i in range(k, len(x) - k):
            near = x[i - k : i + k]
            middle = jnp.median(near)
            spread = jnp.median(jnp.abs(near - middle))
            if jnp.abs(x[i] - middle) > 3 * spread:
                found.append(i)
        return x, found

    *whole, last = fixes(jm.diagnose(jax.jit(outliers), jnp.array([1.0, 1.1, 9.0, 1.0, 0.9, 1.2]), 2))
    assert whole and all(each.rewrite.padded for each in whole) and last.rewrite.slight
    assert "compiles again for each value of `i`" in last.rewrite.price


COUNTS_INSIDE = """
def f(x, t, a, k):
    s, n, y, v = x[0], k, x, t
    lim = 1e9 + t
    def outer(w):
        m = 0.0
        def inner(u):
            nonlocal m, n
            if u > t + 1e9:
                m += u
                n += 1
                return m
            m -= 1
            return u
        one = inner(w)
        return one + inner(one + 1) * m
    s = outer(s)
    if x[-1] < lim:
        return s * 1.0, n * 1, y * 1.0, a * 1.0, v * 1.0
    a = x[0]
    all = [s, a, x[0]]
    if not v > t:
        all[-1] = v
        all[0], all[1] = all[1], all[0]
    s, v, a = all
    return s * 1.0, n * 1, y * 1.0, a * 1.0, v * 1.0
"""


def test_a_piece_gives_back_what_a_function_within_it_writes(monkeypatch):
    """Where no input is above the limit, nothing else tells that the count is lost."""
    text, name = f"import jax\nimport jax.numpy as jnp\n{COUNTS_INSIDE}", "<counts inside>"
    monkeypatch.setitem(linecache.cache, name, (len(text), None, text.splitlines(True), name))
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, name, "exec"), namespace)
    plain, a = namespace["f"], jnp.array(0.5)
    x = jnp.array([0.5, 2.0, -1.0])
    found = jm.diagnose(plain, x, 0.25, a, 1)
    for each in (*found.rewrites, *found.splits):
        made = dict(namespace)
        for source in each.sources.values():
            exec(compile(source, name, "exec"), made)
        for given in (x, x * 1e10):
            want = plain(given, 0.25, a, 1)
            assert all(map(jnp.allclose, made["f"](given, 0.25, a, 1), want))


def beats(scores, at, first, last):
    """What is kept by one name and set by another."""
    scores = scores * 2.0 - 0.5
    found = []
    while jnp.any(scores > 0):
        best = scores.argmax()
        place = int(at[best])
        found.append(place)
        scores[(place >= first) & (place < last)] = 0.0
    found.sort()
    return found


def test_elements_set_in_place_beside_a_list_of_unknown_length_are_set_in_the_pieces():
    at, first, last = jnp.array([1, 4, 2, 7]), jnp.array([0, 3, 1, 6]), jnp.array([3, 6, 4, 9])
    scores = jnp.array([1.0, 2.0, 1.5, 0.5])
    found = jm.diagnose(beats, scores, at, first, last)
    assert found.kind == "not_staticness" and not found.rewrites
    (split,) = found.splits
    assert split.verified and "] = 0.0" not in split.source and "jnp.where" in split.source
    assert "in plain Python" in found.reason and "immutable" in found.reason
    made = dict(globals())
    exec(split.source, made)
    for shift in (0.0, 1.0, -3.0):
        kept, want = np.array(scores + shift) * np.float32(2.0) - np.float32(0.5), []
        while (kept > 0).any():
            place = int(at[kept.argmax()])
            want.append(place)
            kept[(place >= np.array(first)) & (place < np.array(last))] = 0.0
        assert made["beats"](scores + shift, at, first, last) == sorted(want)


def rounded_up(x):
    n = int(round(max(x)))  # noqa: RUF046 - of an array
    return jnp.zeros(n) + x.sum()


def test_a_size_that_infinity_makes_huge_is_not_tried():
    """`round(inf)` is the largest whole number there is: the gradient of plain Python there took gigabytes, and all time."""
    diagnosis = jm.diagnose(rounded_up, jnp.array([0.0, 1.2, 3.0]))
    assert diagnosis.splits[0].verified, diagnosis.reason


def counted_on_a_grid(xs, ys):
    left, low = round(min(xs) - 2.0), round(min(ys) - 2.0)
    right, high = round(max(xs) + 2.0), round(max(ys) + 2.0)
    wide = int(round(right - left))  # noqa: RUF046 - of an array
    tall = int(round(high - low))  # noqa: RUF046
    grid = jnp.zeros((wide, tall))
    for x, y in zip(xs, ys, strict=True):
        i = int(round(x - left))  # noqa: RUF046
        j = int(round(y - low))  # noqa: RUF046
        grid = grid.at[i, j].add(1)
    return grid


@pytest.mark.slow
def test_where_a_line_that_was_rewritten_gives_something_else_it_stays_as_it_is():
    """`min` of NaN is another in JAX: the pieces without that rewrite are tried, too."""
    diagnosis = jm.diagnose(counted_on_a_grid, jnp.array([0.0, 1.2, 3.0]), jnp.array([1.0, 0.0, 2.5]))
    assert diagnosis.splits[0].verified, diagnosis.reason


def counted_by_label(labels, w):
    return jnp.zeros(int(labels.max()) + 1).at[labels].add(w)


def padded_to_the_longest(tokens, lengths):
    mask = jnp.arange(int(lengths.max()))[None] < lengths[:, None]
    return jnp.where(mask, tokens[:, : int(lengths.max())], 0)


def test_a_size_within_an_expression_stays_and_the_rest_is_jitted():
    """Only a size with a line of its own was taken apart: there was no split."""
    labels, w = jnp.array([0, 2, 1, 2]), jnp.arange(4.0)
    diagnosis = jm.diagnose(counted_by_label, labels, w)
    (split,) = diagnosis.splits
    assert split.verified and "    found = int(labels.max())\n" in split.source, diagnosis.reason
    assert 'static_argnames="found"' in split.source
    tokens = jnp.arange(12).reshape(3, 4)
    diagnosis = jm.diagnose(padded_to_the_longest, tokens, jnp.array([2, 3, 1]))
    assert diagnosis.splits[0].verified, diagnosis.reason


def complexity(x):
    marks = (x > jnp.mean(x)).astype(int)
    seen, at, long = set(), 0, 1
    while at + long <= len(marks):
        part = tuple(marks[at : at + long].tolist())
        if part in seen:
            long += 1
        else:
            seen.add(part)
            at, long = at + long, 1
    return len(seen)


def test_a_line_of_which_no_part_is_worth_a_piece_is_left_whole():
    """It was taken apart since its trace failed, and no other line failed."""
    split = split_of(complexity, jnp.array([1.0, 2.0, 1.5, 9.0, 8.0, 1.0]))
    assert split.verified and split.pieces == ("complexity_before",)


def sums_from_each(x, t):
    k = x[x > t]
    parts = [k[i:].sum() for i in range(int(k.size // 2))]
    total = sum(parts)
    if total > 2:
        return total * 2
    return 0.5


def test_numbers_of_another_kind_on_which_a_split_gives_another_are_said():
    """Of integers plain Python gives an integer or 0.5; the piece gives floats."""
    found = jm.diagnose(sums_from_each, jnp.array([0.1, 0.25, 1.5, -2.0, 0.1, 3.0]), 0.0)
    assert "on arrays of integers it gives float32, plain Python int32" in str(found.splits[0].compared)


def layer(m, n, key):
    w_key, b_key = jax.random.split(key)
    return jax.random.normal(w_key, (n, m)) * 0.01, jax.random.normal(b_key, (n,)) * 0.01


def init_network(sizes, key):
    """The layers of a network."""
    keys = jax.random.split(key, len(sizes))
    return [layer(m, n, k) for m, n, k in zip(sizes[:-1], sizes[1:], keys, strict=False)]


def in_blocks(x, starts, shape):
    total = x.reshape(shape).sum(axis=0)
    for start, size in starts:
        total = total + x[start : start + size].sum()
    return total


@pytest.mark.parametrize(
    ("fun", "args", "said"),
    [
        (init_network, ([7, 5, 3], jax.random.key(0)), ["sizes = tuple(sizes)"]),
        (
            in_blocks,
            (jnp.arange(6.0), [[0, 2], [3, 3]], [2, 3]),
            ["starts = tuple(map(tuple, starts))", "shape = tuple(shape)"],
        ),
    ],
)
def test_sizes_in_a_list_are_a_tuple_that_is_static_in_the_piece(fun, args, said):
    """The caller may go on giving lists; what compiles again is said."""
    split = split_of(fun, *args)
    assert all(each in split.source for each in said)
    assert "static_argnames=" in split.source and "compiles again for each value of" in split.price
    assert same(getattr(made(split, fun.__name__), fun.__name__)(*args), fun(*args))


def by_settings(x, cfg, w=1.0):
    """Blocks."""
    y = x.reshape(cfg["rows"], -1) * cfg["scale"]
    if cfg["mode"] == "mean":
        return y.mean(axis=0) * w
    return y.sum(axis=0) * w


def repeated(x, cfg):
    for _ in range(cfg["steps"]):
        x = x + jnp.ones(cfg["n"])
    return x


def of_names(x, names):
    return {name: x[names.index(name)] * 2 for name in names}


@pytest.mark.parametrize(
    ("fun", "args"),
    [
        (by_settings, (jnp.arange(6.0), {"rows": 2, "scale": 0.5, "mode": "mean"})),
        (repeated, (jnp.arange(6.0), {"steps": 3, "n": 6})),
        (of_names, (jnp.arange(3.0), ["a", "b", "c"])),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_settings_in_a_dict_and_names_in_a_list_are_static_in_the_piece(fun, args):
    """Also where jit takes the argument neither traced nor static, as there is a text in it."""
    (split,) = jm.diagnose(fun, *args).splits
    assert split.verified and "static_argnames=" in split.source and "compiles again for each value of" in split.price
    assert "1, 1.0 and True, share what is compiled" in split.price  # which jit alone would tell apart
    now = getattr(made(split, fun.__name__), fun.__name__)
    for x in (args[0], args[0] * 3):
        assert same(now(x, *args[1:]), fun(x, *args[1:]))


def clipped(x, cfg):
    if cfg["act"] == "relu":
        x = jax.nn.relu(x)
    if x.sum() > cfg["clip"]:
        x = x * 0.5
    return x + 1


def test_beside_settings_in_a_dict_a_branch_on_data_is_rewritten_in_the_piece():
    (split,) = jm.diagnose(clipped, jnp.arange(3.0), {"act": "relu", "clip": 2.0}).splits
    assert split.verified and split.pieces == ("clipped_after",) and "jnp.where(x.sum() > cfg" in split.source
    now = made(split, "clipped").clipped
    for x in (jnp.arange(3.0), -jnp.arange(3.0), jnp.ones(2)):
        for settings in ({"act": "relu", "clip": 2.0}, {"act": "none", "clip": 5.0}):
            assert same(now(x, settings), clipped(x, settings))


def of_a_list(x, shape):
    shape = shape if isinstance(shape, list) else [shape]
    return x.reshape([*shape, 1]) * 2 + len(shape.copy())


def test_a_list_that_the_function_asks_to_be_one_is_made_no_tuple():
    assert "tuple(shape)" not in split_of(of_a_list, jnp.arange(4.0), [2, 2]).source


def counting(x, cfg):
    cfg["calls"] = cfg["calls"] + 1
    return x.reshape(cfg["rows"], -1) * 2 + (1 if cfg["mode"] == "a" else 0)


def test_a_dict_that_the_function_changes_is_made_no_tuple():
    """The caller's dict would stay as it was."""
    assert not jm.diagnose(counting, jnp.arange(6.0), {"rows": 2, "mode": "a", "calls": 0}).splits


def without_the_ends(x, share, axis=0):
    x = jnp.sort(x, axis)
    cut = int(x.shape[axis] * share)
    kept = [slice(None)] * x.ndim
    kept[axis] = slice(cut, -cut)
    inner = x[tuple(kept)]
    center = jnp.median(x, axis)
    if 0 < center.ndim < x.ndim:
        center = jnp.expand_dims(center, axis)
    return jnp.sqrt(((inner - center) ** 2).sum(axis) / x.shape[axis])


@pytest.mark.parametrize("rows", [jnp.arange(8.0), jnp.arange(16.0).reshape(8, 2)])
def test_a_split_of_what_takes_any_number_of_axes_takes_them(rows):
    """Whatever the call's own array has: an axis is no data in a piece."""
    split = split_of(without_the_ends, rows, jnp.array(0.2))
    few, line, lines, wide = (
        jnp.array(0.1),
        jnp.arange(10.0) ** 2,
        jnp.arange(20.0).reshape(10, 2),
        jnp.arange(20.0).reshape(2, 10),
    )
    split = made(split, "without_the_ends").without_the_ends
    for args in [(line, few), (lines, few), (wide, few, 1)]:
        np.testing.assert_allclose(split(*args), without_the_ends(*args), rtol=1e-5)


def auction(bids, reserve, priority=None):
    tied = jnp.flatnonzero(bids == bids.max())
    if len(tied) > 1 and priority is not None:
        return min(tied, key=lambda i: float(priority[i])), reserve
    return tied[0], reserve


def test_what_is_given_where_several_are_the_largest_is_tried():
    """The call has one largest, so that no run of it, and none with a priority, comes to the line that asks for it."""
    call = Call(auction, (jnp.array([3.0, 7.5, 5.0]), 2.0), {})
    others = Proof(call, frozenset(), unit_of(auction.__code__, globals()), 1.0).others
    rows = [each.args[0] for each in others if len(each.args) == 3 and jnp.ndim(each.args[2])]
    assert rows and any(jnp.sum(bids == bids.max()) == 3 for bids in rows)


def decayed(w, step, decay=None):
    shrinks = decay is not None and decay > 0
    rounds = jnp.unique(jnp.round(w * step))

    def update(w, r):
        if shrinks:
            w = w - decay * w
        return jnp.tanh(w * r), w.sum()

    w, sums = jax.lax.scan(update, w, rounds)
    return {f"{float(r):.0f}": w * r for r in rounds}, sums


def test_what_is_given_as_an_array_is_no_static_argument_of_a_piece():
    """`decay > 0` of an array is one, which has no hash."""
    split = split_of(jax.jit(decayed), X, 1.0)
    now = made(split, "decayed")
    for decay in (None, 0.5, jnp.float32(0.25), jnp.float32(0.0)):
        got, want = now.decayed(X, 1.0, decay), decayed(X, 1.0, decay)
        assert got[0].keys() == want[0].keys() and same(got, want)
