"""What an answer says holds: sentences that were false on users' code, each asked again."""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import sys
import zlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ellipk, gammaln

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.call.calls import bind
from jupyter_jitmagic.diagnosis.other_code import each_once
from jupyter_jitmagic.diagnosis.statics.search import StaticSet
from jupyter_jitmagic.diagnosis.types import Found, Rewrite, Site
from jupyter_jitmagic.diagnosis.words import reasons

X = jnp.array([1.0, 2.0, 3.0])
GROUPS = jnp.array([0, 1, 1])
NAMES = ["low", "mid", "high"]


@dataclasses.dataclass
class Params:
    w: jax.Array
    rate: float = 0.1


@dataclasses.dataclass(frozen=True)
class Frozen:
    w: jax.Array
    mode: str = "fast"


@dataclasses.dataclass
class Config:
    n: int
    sizes: list[int] = dataclasses.field(default_factory=list)


pytestmark = pytest.mark.usefixtures("unhurried")


def reason(fun: Any, *args: Any, static: Any = None) -> str:
    return jm.diagnose(jax.jit(fun, static_argnames=static), *args).reason


@pytest.mark.parametrize("given", [Params(jnp.ones(3)), Frozen(jnp.ones(3))], ids=["mutable", "frozen"])
def test_a_dataclass_with_arrays_is_to_be_registered(given):
    """Frozen or not, it can be no static argument; that it traces then was tried, and its class is left as it was."""

    def scaled(x, p, n):
        return jnp.zeros(n).at[:3].set(p.w * x)

    said = reason(scaled, X, given, 5, static="n")
    assert f"put @jax.tree_util.register_dataclass above {type(given).__name__}" in said and "with that the call traces" in said
    assert "frozen=True" not in said
    assert ("mode as static fields" in said) == isinstance(given, Frozen)
    assert jax.tree.leaves(given) == [given]


def test_a_dataclass_that_is_given_back_is_to_be_registered_too():
    """It was said to return numbers only, though registered it may be returned; integers of it may decide the rounds."""

    def made(x):
        return Params(x * 2)

    def moved(p):
        return dataclasses.replace(p, w=p.w * p.rate)

    def repeated(x, c):
        for _ in range(c.n):
            x = x + c.sizes
        return x

    def undone(x):
        return Params(x) if x.sum() > 0 else Params(-x)

    above = "put @jax.tree_util.register_dataclass above"
    assert reason(made, X).endswith(f"{above} Params; with that the call traces.")
    assert "with that the call traces" in reason(moved, Params(X))
    assert f"{above} Config (n as static fields" in (said := reason(repeated, X, Config(2, X))) and "the call traces" in said
    assert "register_dataclass" not in reason(undone, X)


@dataclasses.dataclass
class Doubled:
    w: jax.Array

    def __post_init__(self) -> None:
        self.w = self.w * 2


@dataclasses.dataclass
class Summed:
    w: jax.Array
    total: Any = dataclasses.field(init=False, default=None)


@dataclasses.dataclass
class OfItsOwn:
    w: jax.Array

    def __init__(self, start: Any) -> None:
        self.w = start * 2


@dataclasses.dataclass
class Outer:
    inner: Any
    w: jax.Array


def test_a_dataclass_that_jax_could_not_make_again_is_not_said_to_trace():
    """One that computes when it is made, or has a field that is not given, or holds arrays in what would be static."""
    for made in (Doubled, Summed, OfItsOwn, lambda x: Outer(Params(x), x), lambda x: Outer({"name": "a", "w": x}, x)):
        assert "register_dataclass" not in reason(lambda x, made=made: made(x), X)
    assert "with that the call traces" not in reason(lambda p: p.w * 2, Doubled(X))
    assert "Outer (inner as static fields" in reason(lambda x: Outer("a", x), X)


def test_a_dict_with_a_text_in_it_may_be_bound_beforehand():
    """Said where it was tried, and where the other arguments may be given as they are."""

    def weighted(x, c):
        return x * c["n"] if c["kind"] == "fast" else x

    def first(c, x):
        return weighted(x, c)

    def between(x, c, y):
        return weighted(x, c) + y

    def needing(x, c):
        return weighted(x, c) if x.sum() > 0 else x

    given = {"kind": "fast", "n": 2}
    assert "`functools.partial(weighted, c=c)` under jit, with which the call traces" in reason(weighted, X, given)
    assert jax.jit(functools.partial(weighted, c=given))(X).shape == (3,)
    assert "`functools.partial(first, c)`" in reason(first, given, X)

    def option(x, **options):
        return weighted(x, options["c"])

    assert "`functools.partial(option, c=c)`" in jm.diagnose(jax.jit(option), X, c=given).reason
    for fun, args in ((between, (X, given, X)), (needing, (X, given))):
        assert "partial" not in reason(fun, *args)


def test_a_dataclass_without_arrays_could_be_static_as_far_as_its_fields_can():
    assert "With @dataclass(frozen=True), and with hashable values for sizes, Config could be static" in reason(
        lambda x, c: x * c.n, X, Config(2)
    )


@dataclasses.dataclass
class Widths:
    n: int
    act: str = "relu"


@dataclasses.dataclass
class Counted:
    n: int

    def __post_init__(self) -> None:
        self.doubled = 2 * self.n


def test_a_dataclass_of_settings_is_to_be_frozen_which_was_tried():
    """With the option that it then needs, beside those that are there; its class is left as it was."""

    def made(x, c, k):
        return jnp.zeros(c.n + k) + x.sum() if c.act == "relu" else x

    given = Widths(4)
    said = reason(made, X, given, 2, static="k")
    assert "With @dataclass(frozen=True) above Widths" in said
    assert 'static_argnames=("c", "k") in the jit, the call traces' in said
    given.n = 5


def test_a_dataclass_that_changes_is_not_said_to_trace_as_a_frozen_one():
    """Neither one whose fields the function sets, nor one that sets more when it is made, nor where data is needed as well."""

    def setting(x, c):
        c.n = 3
        return jnp.zeros(c.n) + x

    def needing(x, c):
        return jnp.zeros(c.n) if x.sum() > 0 else x

    for function, given in ((setting, Widths(4)), (lambda x, c: jnp.zeros(c.doubled), Counted(2)), (needing, Widths(3))):
        said = reason(function, X, given)
        assert "the call traces" not in said, function


def test_a_function_that_jax_scipy_has_is_found_and_one_that_it_has_not_is_named():
    found = jm.diagnose(jax.jit(lambda x: gammaln(x) + 1), X)
    assert "jax.scipy.special.gammaln(x)" in found.rewrites[0].source
    assert "jax.scipy has no special.ellipk" in reason(lambda x: ellipk(x / 4), X)


def test_a_check_keeps_its_message():
    """With what it names: an f-string's values are printed when the check fails."""

    def kept(x, p):
        if not 0 <= p <= 1:
            raise ValueError(f"p must lie in [0, {1}], got {p}")
        return (x * p).astype(int)

    source = jm.diagnose(jax.jit(kept), X, jnp.float32(0.5)).rewrites[0].source
    assert 'jax.debug.print("p must lie in [0, {0}], got {p}", 1, p=p)' in source


def by_index(x):
    return NAMES[jnp.argmax(x)]


def by_test(x):
    return "big" if x.sum() > 3 else "small"


def by_branch(x):
    if x.sum() > 3:
        return "big"
    return "small"


def by_key(x):
    table = {0: "a", 6: "b"}
    return table[int(x.sum())]


def by_name(x):
    status = "small"
    if x.sum() > 3:
        status = "big"
    return x * 2, status


@pytest.mark.parametrize(
    ("fun", "what"),
    [(by_index, "index"), (by_test, "condition"), (by_branch, "condition"), (by_key, "key"), (by_name, "condition")],
)
def test_a_string_cannot_leave_compiled_code(fun, what):
    said = reason(fun, X)
    assert "a string cannot leave compiled code" in said and f"return the {what}" in said
    assert "different shapes" not in said


def test_a_string_that_is_only_printed_is_chosen_by_the_host():
    def told(x):
        print("big" if x.sum() > 3 else "small")
        return x * 2

    assert "a string cannot leave" not in reason(told, X)


def test_a_string_that_only_names_a_way_is_no_result():
    """It is chosen by data and never returned: what stands in the way is not that it leaves."""

    def named(x):
        way = "small"
        if x.sum() > 3:
            way = "big"
        return x * (2 if way == "big" else 1)

    assert "a string cannot leave" not in reason(named, X)


def test_what_is_left_when_all_else_is_cured_is_said():
    """The string beside the numbers was met last, and the answer was "no rewrite is known"."""
    said = reason(lambda x: {"mean": float(x.mean()), "kind": type(x).__name__}, X)
    assert "returns a str at ['kind'], which cannot leave compiled code" in said
    assert "cannot leave" not in reason(lambda x: {"mean": float(x.mean())}, X)


def test_a_list_that_grows_by_what_is_distinct_comes_whole_and_is_told_as_such():
    def sums(x, g):
        out = []
        for k in jnp.unique(g):
            out.append(x[g == k].sum())
        return jnp.stack(out)

    (padded,) = jm.diagnose(jax.jit(sums), X, GROUPS).unverified
    assert "the caller gets the whole array, with plain Python's elements in front, and their count" in padded.reason


def test_code_that_was_found_with_several_static_sets_is_listed_once_with_the_fewest():
    with_both, with_one, another = (
        Rewrite({"f": source}, source, (), "", static_argnames=names)
        for source, names in (("a", ("k", "n")), ("a", ("k",)), ("b", ("k", "n")))
    )
    assert each_once([with_both, with_one, another, with_both]) == (with_one, another)


def test_no_way_is_told_that_was_not_tried():
    """Another spelling of int() would not trace here: a shape needs the number."""

    def counted(x, lab):
        n = int(lab.max()) + 1
        return jax.ops.segment_sum(x, lab, n)

    found = jm.diagnose(jax.jit(counted), X, GROUPS)
    assert "astype" not in found.reason and "Usual there" not in found.reason
    assert "def counted_after(x, lab, n):" in found.splits[0].source and np.all(np.isfinite(X))


@pytest.mark.parametrize("loaded", [False, True])
def test_what_jax_has_with_other_arguments_is_not_said_to_be_missing(loaded: bool) -> None:
    """jax.scipy.optimize.minimize is there, though `import jax` alone does not show it, and an answer loads nothing."""
    from scipy import optimize

    if loaded:
        importlib.import_module("jax.scipy.optimize")
    before = "jax.scipy.optimize" in sys.modules

    def fitted(x):
        return optimize.minimize(lambda p: float(jnp.sum((x - p[0]) ** 2)), [0.0]).x[0] + x

    assert "and jax.scipy.optimize.minimize takes other arguments" in reason(fitted, X)
    assert ("jax.scipy.optimize" in sys.modules) == before


def test_the_line_that_no_static_argument_cures_is_the_reason_and_not_the_loop_before_it():
    def walk(key, x, rounds):
        for _ in range(rounds):
            key, new = jax.random.split(key)
            if jax.random.uniform(new) < 0.5:
                x = x + 1
        return x

    reason = jm.diagnose(jax.jit(walk), jax.random.key(0), jnp.zeros(2), 3).reason
    assert "needs the value of key" in reason and "rounds" not in reason


def own(x):
    return x


def lacks_an_attribute(x):
    rows = list(x)
    return jnp.array(rows) if len(rows.shape) < 2 else x


def has_another_parameter(x):
    return own(x, axis=0)


def library_has_another_parameter(x):
    return jnp.sum(x, axis=0, axis_name=1)


def lacks_an_argument(x):
    return (lambda x, shape: x)(x)


def lacks_a_key(x):
    return x * {}["shape"]


def lacks_a_module(x):
    from scipy import rank_tools

    return rank_tools.of(x)


def raises(x):
    raise ValueError("unknown shape of kernel: 'gauss'")


@pytest.mark.parametrize(
    ("fun", "said"),
    [
        (lacks_an_attribute, "AttributeError: 'list' object has no attribute 'shape'"),
        (has_another_parameter, "TypeError: own() got an unexpected keyword argument 'axis'"),
        (library_has_another_parameter, "TypeError: sum() got an unexpected keyword argument 'axis_name'"),
        (lacks_an_argument, "missing 1 required positional argument: 'shape'"),
        (lacks_a_key, "KeyError: 'shape'"),
        (lacks_a_module, "ImportError: cannot import name 'rank_tools'"),
        (raises, "ValueError: unknown shape of kernel: 'gauss'"),
    ],
)
def test_an_error_that_only_names_a_shape_is_no_matter_of_shapes(fun, said):
    """Nothing is said of shapes that do not fit where a parameter, a key or the user's own message is called so."""
    reason = jm.diagnose(fun, jnp.arange(3.0)).reason
    assert said in reason and "do not fit" not in reason


@pytest.mark.parametrize(
    ("fun", "said"),
    [
        (lambda x: x + jnp.ones(4), "incompatible shapes for broadcasting: (3,), (4,)"),
        (lambda x: jnp.sum(x, axis=3), "axis 3 is out of bounds"),
        (lambda x: x.reshape(7), "cannot reshape array of shape (3,)"),
        (lambda x: np.zeros(3) + np.zeros(4) + x, "operands could not be broadcast together"),
    ],
)
def test_what_jax_and_numpy_refuse_for_its_shape_is_told_as_such(fun, said):
    """Also where NumPy, whose functions leave no frame, raises it in the user's own line."""
    reason = jm.diagnose(fun, jnp.arange(3.0)).reason
    assert reason.startswith("The shapes do not fit: ") and said in reason


def test_an_index_that_jax_refuses_is_no_matter_of_shapes():
    def swap(x, k):
        return x[[0, k]]

    reason = jm.diagnose(jax.jit(swap), jnp.zeros((2, 2)), 1).reason
    assert "non-tuple sequence" in reason and "shapes" not in reason


KEY = jax.random.key(0)


def draws(scale: Any) -> Any:
    global KEY
    KEY, own = jax.random.split(KEY)
    drawn = scale * jax.random.normal(own)
    return drawn if drawn > 0 else -drawn


def test_a_tracer_that_the_failed_call_itself_left_behind_is_named(monkeypatch):
    """No word of an inner scan or vmap: the global is what is traced."""
    monkeypatch.setitem(globals(), "KEY", KEY)
    with pytest.raises(jax.errors.TracerBoolConversionError):
        jax.jit(draws)(1.0)
    assert "the global KEY still holds one" in reason(draws, 1.0)


def test_a_test_within_the_body_of_a_scan_is_no_carry_that_changes_its_type():
    def capped(x):
        def body(carry, shape):
            return (carry if carry > shape else shape), carry

        return jax.lax.scan(body, x[0], x)

    said = reason(capped, X)
    assert "Inside body, traced by scan," in said and "changes its type" not in said


def test_a_dict_whose_keys_have_no_order_is_named() -> None:
    """JAX cannot take such an argument apart: one line names the argument and its keys."""

    def scaled(x: jax.Array, cfg: dict[Any, Any]) -> jax.Array:
        return x * cfg["scale"] if x.sum() > 0 else x

    before = len(jm.faults.details())
    told = jm.diagnose(scaled, X, {"inner": {1: 2.0, "scale": 3.0}})
    assert told.kind == "not_staticness"
    assert told.reason.startswith("cfg holds a dict with the keys 1, 'scale' (int and str), which have no order")
    assert "keys of object and str" in jm.diagnose(scaled, X, cfg={object(): 2.0, "scale": 3.0}).reason
    assert len(jm.faults.details()) == before


@pytest.mark.parametrize(
    ("cfg", "told", "untold"),
    [
        ({"n": 3, "rate": 0.5}, "or make cfg a frozen dataclass", "which is data"),
        ({"n": 3, "rate": X}, "pass cfg['n'] as an argument of its own and make that static.", "frozen dataclass"),
    ],
    ids=["settings", "arrays, too"],
)
def test_a_count_in_a_dict_is_no_data_though_a_rewrite_takes_it_so(cfg: dict[str, Any], told: str, untold: str) -> None:
    """A frozen dataclass could be static where it holds no array; the rewrite (a loop of lax) has no reverse mode."""

    def decayed(x: jax.Array, cfg: dict[str, Any]) -> jax.Array:
        for _ in range(cfg["n"]):
            x = x * cfg["rate"]
        return x

    found = jm.diagnose(decayed, X, cfg)
    assert told in found.reason and untold not in found.reason
    assert found.rewrites and found.reason.endswith("The rewrite takes it as data.")


def test_a_size_in_a_dict_beside_a_branch_on_data_is_no_data() -> None:
    def folded(x: jax.Array, cfg: dict[str, Any]) -> jax.Array:
        y = x.reshape(cfg["k"], -1)
        if y.sum() > cfg["limit"]:
            y = y * 2
        return y

    said = reason(folded, jnp.ones(4), {"k": 2, "limit": 0.5})
    assert said.startswith("cfg['k'] (2) decides a shape. cfg is a dict") and "which is data" not in said


def apply(x, act):
    return act(x)


def apply_to_positive(x, act):
    return act(x) if x.sum() > 0 else x


def double(x):
    return x * 2


@pytest.mark.parametrize("fun", [apply, apply_to_positive])
@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda x: x * 2, "A lambda that is made anew for each call"),
        (functools.partial(jnp.clip, min=0.0), "A partial that is made anew for each call"),
        (double, ""),
    ],
    ids=["lambda", "partial", "function"],
)
def test_a_static_function_that_may_be_made_anew_for_each_call_is_told(fun, act, told):
    """Each is another value to jit's cache, so that every call compiles."""
    answer = jm.diagnose(fun, X, act)
    assert "act" in answer.static_argnames
    assert told in answer.reason and ("made anew" in answer.reason) == bool(told)


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Strided:
    kernel: jax.Array
    stride: int
    mode: str = "valid"


def windows(layer, x):
    out = []
    for i in range((x.shape[0] - layer.kernel.shape[0]) // layer.stride + 1):
        s = i * layer.stride
        out.append(jnp.dot(x[s : s + layer.kernel.shape[0]], layer.kernel))
    return jnp.stack(out)


def windows_of_data(layer, x):
    return windows(layer, x) if layer.kernel[0] > 0 else x[: layer.stride]


def test_a_number_among_the_leaves_of_a_registered_class_may_be_a_static_field():
    """It was advised to take it out of the object; what other places need as well is no cure, and is not told."""
    for mode, fields in (("valid", "mode and stride are"), (None, "stride is")):  # with a string among the leaves, and without
        reason = jm.diagnose(windows, Strided(jnp.ones(2), 2, mode), jnp.arange(7.0)).reason
        assert f"{fields} among the leaves of Strided" in reason and "metadata={'static': True}" in reason, reason
    reason = jm.diagnose(windows_of_data, Strided(jnp.ones(2), 2, None), jnp.arange(7.0)).reason
    assert "metadata" not in reason


@pytest.mark.parametrize(("paths", "needed"), [(("model.w", "x"), "model.w and x"), ((), "a traced argument")])
def test_a_place_that_no_run_has_proven_names_what_is_known_to_come_there(paths: tuple[str, ...], needed: str) -> None:
    """Under a library's jit, whose modules the run over the function cannot enter."""
    left = Found((Site("cell", 7, "if loss:", "if", paths, proven=False),))
    call = bind(lambda model, x: x, (X, X), {})
    said = reasons.for_rewrite(call, StaticSet(frozenset(), False, frozenset(), (), left), left, True)
    assert said.startswith(f"Line 7 needs the value of {needed}. No set of static arguments was found.")


def test_what_a_branch_gives_is_not_called_what_the_function_returns():
    """A word that is printed is no result."""

    def told(x):
        print("high" if x.mean() > 1 else "low")
        return x.mean() * 2

    assert "the function returns a str" not in jm.diagnose(told, jnp.array([1.0, 3.0])).reason


class Household(NamedTuple):
    beta: float
    gamma: float
    n_grid: int


def test_the_floats_of_a_record_that_is_static_as_a_whole_are_named() -> None:
    """They compile again for each value; what decides the shape could be static alone."""

    def saved(hh: Household, w: Any) -> Any:
        return hh.beta * (jnp.linspace(0.0, 1.0, hh.n_grid) + w) ** hh.gamma

    found = jm.diagnose(saved, Household(0.96, 2.0, 5), 1.0)
    assert found.static_argnames == ("hh",)
    assert (
        "hh.beta and hh.gamma are static with it: where they change, pass hh.n_grid as an argument of its own" in found.reason
    )
    whole = jm.diagnose(lambda size: jnp.zeros(size), (2, 3))
    assert whole.static_argnames == ("size",) and "static with it:" not in whole.reason


def test_what_is_data_from_the_second_round_on_is_not_said_to_depend_on_no_argument():
    def spread(near, most):
        seen = jnp.zeros(near.shape[0], bool)
        groups = 0
        for p in range(near.shape[0]):
            if seen[p]:
                continue
            queue = list(jnp.where(near[p] < most)[0])
            groups += 1
            while queue:
                q = queue.pop(0)
                if not seen[q]:
                    seen = seen.at[q].set(True)
                    queue.extend(list(jnp.where(near[q] < most)[0]))
        return groups

    assert "depends on no traced argument" not in jm.diagnose(spread, jnp.ones((3, 3)).at[0, 1].set(0.0), 0.5).reason


def ridge(x, y, lam):
    return jnp.linalg.solve(x.T @ x + lam * jnp.eye(x.shape[1]), x.T @ y)


def chosen(x, y, lams):
    best, low = None, jnp.inf
    errors = []
    for lam in lams:
        test = jnp.arange(4) >= 2
        error = ((y[test] - x[test] @ ridge(x[~test], y[~test], lam)) ** 2).mean()
        errors.append(error)
        if error < low:
            best, low = lam, error
    return best, jnp.array(errors)


def test_beside_a_split_it_is_said_what_the_whole_that_was_found_does_not_serve():
    answer = jm.diagnose(chosen, jnp.ones((4, 2)), jnp.arange(4.0), jnp.array([0.1, 1.0]))
    assert answer.splits and answer.unverified and not answer.rewrites
    assert "right on this call, but it does not serve calls in which best stays None" in answer.reason


SETTLED = """
import jax.numpy as jnp


def settled(x, rounds=4):
    for k in range(rounds):
        y = jnp.sin(x) * jnp.cos(x)
        if jnp.abs(y - x).max() < 0.1:
            return y, k, EARLY
        if not y.any():
            return y, k, EARLIER
        x = y
    return x, rounds, LATE
"""
RETURNED = {
    "None": ({"LATE": "None", "EARLY": "k", "EARLIER": "-1"}, "it returns None or a value"),
    "texts": ({"EARLY": "'still'", "EARLIER": "'zero'", "LATE": "'late'"}, "it returns 'late' or 'still' or 'zero'; where"),
    "numbers": ({"EARLY": "0", "EARLIER": "1", "LATE": "2"}, ""),
}


@pytest.mark.parametrize(("given", "said"), RETURNED.values(), ids=RETURNED)
def test_what_is_returned_that_no_compiled_code_can_choose_between_is_said(given, said, tmp_path):
    """A number in the place of None or of a text has a rewrite."""
    path = tmp_path / "returning.py"
    path.write_text(functools.reduce(lambda text, name: text.replace(f"{name}\n", f"{given[name]}\n"), given, SETTLED))
    spec = importlib.util.spec_from_file_location("returning", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    answer = jm.diagnose(module.settled, X)
    assert bool(answer.rewrites) is not bool(said)
    assert said in answer.reason


def nothing_below(x):
    if x.sum() < 0:
        return None
    return x * 2


def mean_or_none(x):
    mean = x.sum() / x[0] if x[0] > 0 else None
    return x, mean


def ends_or_none(x):
    if x[0] > 3:
        return {"x": x, "ends": None}
    return {"x": x * 2, "ends": (x[0], x[-1])}


def table_or_none(x):
    if x[0] > 3:
        return None
    return {"x": x * 2}


def rate_or_none(x):
    if x[0] > 30:
        return None
    rate = 0.1
    for _ in range(5):
        new = rate - x[1] * rate
        if new == 0:
            return None
        if abs(new - rate) < 1e-3:
            return new
        rate = new
    return None


@pytest.mark.parametrize("fun", [nothing_below, rate_or_none, mean_or_none, ends_or_none, table_or_none])
def test_none_or_a_value_is_told_as_such_and_not_as_a_length(fun):
    """Nor as what a branch returns that the user did not write."""
    answer = jm.diagnose(fun, jnp.array([1.0, 2.0, 0.5]))
    assert "None for some values" in answer.reason or "it returns None or a value" in answer.reason
    assert "length" not in answer.reason and "_branch returns" not in answer.reason


def by_an_axis(x, axis):
    return jnp.squeeze(x, axis) + 1


def drawn_in(key, rate, shape):
    return jax.random.poisson(key, rate, shape) - rate


@pytest.mark.parametrize(
    ("fun", "args", "said"),
    [
        (by_an_axis, (jnp.ones((3, 1)), jnp.array(1)), "`axis` is a setting and no data, pass `int(axis)` and make it static"),
        (drawn_in, (jax.random.PRNGKey(0), 2.0, np.array([2, 3])), "pass `tuple(shape.tolist())` and make it static"),
    ],
)
def test_a_small_array_that_decides_a_shape_may_be_a_setting(fun, args, said):
    """It is traced with the numbers before that is said; of an array of floats or of many numbers it is not."""
    assert said in jm.diagnose(fun, *args).reason


def drawn_part(x, key):
    return x[: jax.random.randint(key, (), 1, 3)]


def test_a_random_key_is_no_setting():
    """Its dtype is none of NumPy's, and the diagnosis itself failed of that."""
    found = jm.diagnose(drawn_part, jnp.arange(4.0), jax.random.key(0))
    assert "setting" not in found.reason and "needs the value of key" in found.reason


def distinct(x):
    return jnp.unique(x) * 2


def test_data_is_called_no_setting():
    assert "setting" not in jm.diagnose(distinct, jnp.array([1, 2, 2])).reason


def test_what_is_drawn_on_the_host_is_said_to_be_drawn_once():
    """A rewrite of the decision traces, and is the same in each call: the number is drawn while it is traced."""

    def f(x, p):
        if np.random.rand() < p:
            return x * 0
        return x

    found = jm.diagnose(f, X, 0.5)
    once = "draws random numbers of the host: under jit that happens once"
    assert not found.rewrites and once in found.reason and "Draw with jax.random, and a key" in found.reason
    assert not found.unverified, "code that draws once is no advice"
    assert " ".join(str(found).split()).count(once) == 1


def test_no_piece_of_a_split_draws_on_the_host():
    """A piece is compiled too: what it draws is the same in each call."""

    def drawn_beside_a_size(x):
        k = int(x.sum())
        n = np.random.normal(size=3)
        return (jnp.arange(k) ** 2).sum() + (x * n).sum() ** 2

    found = jm.diagnose(drawn_beside_a_size, X)
    assert "draws random numbers of the host" in found.reason
    assert not any("np.random" in each.source.partition("def drawn_beside_a_size(")[0] for each in found.splits)


def rows_until(x, limit):
    when = None
    kept = []
    for i, row in enumerate(x):
        if when is None and row.sum() > limit:
            when = i
            kept.append([v for v in row if v > limit])
    if when is None:
        when = -1
    return when, kept


def test_none_that_is_replaced_before_the_end_is_not_said_to_be_returned():
    answer = jm.diagnose(rows_until, jnp.ones((3, 2)), jnp.array(1.0))
    assert "None" not in answer.reason


def test_what_plain_python_raises_is_told_where_it_is_not_what_the_trace_raised():
    """NumPy's generator takes no tracer as its seed; plain Python comes as far as the array."""

    def simulated(p, n, seed=42):
        out = jnp.zeros(n + 1)
        for t, z in enumerate(np.random.default_rng(seed).normal(size=n)):
            out[t + 1] = z * p
        return out

    found = jm.diagnose(simulated, 2.0, 5, seed=7)
    assert "JAX arrays are immutable" in found.reason and "SeedSequence" not in found.reason
    assert "out[t + 1] = z * p" in [site.code for site in found.sites]
    assert found.reason.endswith("n and seed must be static as well.")


def test_a_length_that_a_number_decides_is_not_said_to_be_data():
    """A static number gives a fixed length; what stands in the way is the host's draw."""

    def simulated(p, n, seed=42):
        out = np.zeros(n + 1)
        for t, z in enumerate(np.random.default_rng(seed).normal(p, size=n)):
            out[t + 1] = z * p
        return out

    found = jm.diagnose(simulated, 2.0, 5, seed=7)
    assert reasons.LENGTH_IS_DATA not in found.reason


def test_a_float_is_not_the_cure_at_the_one_value_that_asks_for_no_data():
    """At 1.0 the rest of the function is not reached; every other value fails there."""

    def discounted(x, rate):
        if np.isclose(rate, 1.0):
            return x
        return x * rate if x.sum() > 0 else x

    found = jm.diagnose(discounted, X, 1.0)
    assert found.kind == "rewrite" and found.verified and found.static_argnames == ()
    assert found.reason.startswith("Static arguments alone would do in this call, but not with rate=0.9")


def checksum(x, rate):
    return zlib.crc32(np.asarray(x * rate).tobytes()) % 7


def test_another_value_with_which_a_static_argument_does_not_suffice_is_told():
    def tagged(x, rate):
        if np.isclose(rate, 1.0):
            return 0.5
        return 0.5 * np.mean(checksum(x, rate))

    found = jm.diagnose(tagged, 2.0, 1.0)
    assert found.kind == "static" and found.static_argnames == ("rate",)
    assert "With rate=0.9 that does not suffice: line" in found.reason and "needs the value of x (2.0)." in found.reason
    steps = jm.diagnose(lambda end, step: jnp.arange(0.0, end, step), 1.0, 0.25)
    assert steps.kind == "static" and "suffice" not in steps.reason


@dataclasses.dataclass
class Warmup:
    steps: int = 5
    rate: float = 0.5


WARMUP = Warmup()


def warmed(x, step, cfg=WARMUP):
    return x if step < cfg.steps else x * cfg.rate


def test_settings_that_jit_refuses_are_told_where_they_are_left_out():
    """The rewrite was compared with the default alone, and a given one was refused by jit, unsaid."""
    said = jm.diagnose(warmed, X, jnp.array(7)).reason
    assert "cfg is left out here" in said and "@dataclass(frozen=True) above Warmup" in said
    assert "left out" not in jm.diagnose(lambda x, step: warmed(x, step), X, jnp.array(7)).reason
