"""`benchmarks.unseen`: what it makes runs in plain Python, and its judge finds wrong answers."""

from __future__ import annotations

import random
from pathlib import Path

import jax
import pytest

from benchmarks.unseen import judge as judging
from benchmarks.unseen.families import FAMILIES
from benchmarks.unseen.inputs import calls
from benchmarks.unseen.judge import judge, opened, true_results
from benchmarks.unseen.making import program, programs
from benchmarks.unseen.manners import MANNERS, ROUNDS, called
from benchmarks.unseen.places import PLACES
from benchmarks.unseen.program import Parameter, Program
from jupyter_jitmagic.diagnosis import Diagnosis, Rewrite

X = Parameter("x", "floats", ("n",))
LIMIT = Parameter("limit", "float", values="limit")


Planted = tuple[Program, Diagnosis]


def planted(source: str, fixed: str, *parameters: Parameter, static: tuple[str, ...] = (), reason: str = "") -> Planted:
    """A program and an answer that calls `fixed` its verified rewrite; without `fixed`, that static arguments do."""
    header = "import jax\nimport jax.numpy as jnp\n\n\n"
    given = calls(parameters, random.Random(1))
    made = Program("planted", "straight", 0, header + source, "f", "f", given, parameters, "scalar")
    if not fixed:
        return made, Diagnosis("f", "static", static, verified=True)
    rewrite = Rewrite({"f": header + fixed}, fixed, (), "", None, True, reason, static)
    return made, Diagnosis("f", "static+rewrite" if static else "rewrite", static, rewrites=(rewrite,), verified=True)


def verdict(folder: Path, made: Planted, form: str = "module") -> str:
    return judge(made[0], folder, form, lambda *_: made[1]).outcome


SELECTED = """
def f(x, limit):
    return x[x > limit].sum()
"""


@pytest.mark.parametrize("form", ["module", "cell", "notebook"])
def test_a_right_answer_is_right_and_another_comparison_is_not(tmp_path: Path, form: str) -> None:
    right = "def f(x, limit):\n    return jnp.where(x > limit, x, 0).sum()\n"
    assert verdict(tmp_path, planted(SELECTED, right, X, LIMIT), form) == judging.RIGHT
    assert verdict(tmp_path, planted(SELECTED, right.replace(">", ">="), X, LIMIT), form) in (judging.WRONG, judging.GRADIENT)
    assert verdict(tmp_path, planted(SELECTED, right.replace("0)", "1)"), X, LIMIT), form) == judging.WRONG


def test_another_dtype_is_wrong(tmp_path: Path) -> None:
    """An int array's sum is an int."""
    fixed = "def f(x, limit):\n    return jnp.where(x > limit, x, 0.0).sum()\n"
    assert verdict(tmp_path, planted(SELECTED, fixed, X, LIMIT)) == judging.WRONG
    said = "on arrays of integers it gives float32, plain Python int32"
    assert verdict(tmp_path, planted(SELECTED, fixed, X, LIMIT, reason=said)) == judging.RIGHT
    assert verdict(tmp_path, planted(SELECTED, fixed.replace("0.0", "1.0"), X, LIMIT, reason=said)) == judging.WRONG


@pytest.mark.slow
def test_a_gradient_that_is_nan_where_plain_pythons_is_finite_is_wrong(tmp_path: Path) -> None:
    source = "def f(x):\n    m = ~jnp.isnan(x)\n    return ((x[m] - 1.0) ** 2).sum()\n"
    missing = Parameter("x", "floats", ("n",), "missing")
    fixed = "def f(x):\n    return ((x - 1.0) ** 2).sum(where=~jnp.isnan(x))\n"
    assert verdict(tmp_path, planted(source, fixed, missing)) == judging.GRADIENT
    filled = "def f(x):\n    m = ~jnp.isnan(x)\n    return ((jnp.where(m, x, 0.0) - 1.0) ** 2).sum(where=m)\n"
    assert verdict(tmp_path, planted(source, filled, missing)) == judging.RIGHT


@pytest.mark.slow
def test_of_equal_elements_any_may_take_a_medians_gradient(tmp_path: Path) -> None:
    """JAX sorts there without keeping their order; a maximum's goes where plain Python's does."""
    source = "def f(x):\n    return {0}\n"
    ties = Parameter("x", "floats", ("n",), (1.0, 2.0, 2.0))
    for plain, fixed, outcome in (
        ("jnp.median(x)", "jnp.median(x[::-1])", judging.RIGHT),
        ("x[jnp.argmax(x)] + 0 * jnp.median(x)", "jnp.min(x)", judging.WRONG),
        ("x[jnp.argmax(x)]", "jnp.max(x)", judging.GRADIENT),
    ):
        assert verdict(tmp_path, planted(source.format(plain), source.format(fixed), ties)) == outcome


def test_a_loop_without_reverse_mode_has_to_say_so(tmp_path: Path) -> None:
    source = "def f(x):\n    z = x.sum()\n    while z > 0.5:\n        z = z / 2\n    return z\n"
    fixed = "def f(x):\n    return jax.lax.while_loop(lambda z: z > 0.5, lambda z: z / 2, x.sum() * 1.0)\n"
    assert verdict(tmp_path, planted(source, fixed, X)) == judging.UNSAID
    assert verdict(tmp_path, planted(source, fixed, X, reason="It cannot be differentiated in reverse mode.")) == judging.RIGHT


def test_a_tie_that_compiling_alone_rounds_apart_is_no_other_gradient(tmp_path: Path) -> None:
    """XLA may contract `x * 2 - 0.6 * i` where plain Python rounds twice: then another element is the smallest."""
    source = "def f(x, limit):\n    return max(x[0] * 2 - limit * 8, x[1] * 2 - limit * 7)\n"
    fixed = "def f(x, limit):\n    a, b = x[0] * 2 - limit * 8, x[1] * 2 - limit * 7\n    return jnp.where(b > a, b, a)\n"
    assert verdict(tmp_path, planted(source, fixed, X, LIMIT)) == judging.RIGHT


def test_what_python_makes_a_number_of_has_no_gradient_to_compare(tmp_path: Path) -> None:
    source = "def f(x):\n    return x[0] * float(x.sum())\n"
    assert verdict(tmp_path, planted(source, "def f(x):\n    return x[0] * (x.sum() * 1.0)\n", X)) == judging.RIGHT


def test_an_int_in_the_place_of_pythons_float_is_wrong(tmp_path: Path) -> None:
    source = "def f(x):\n    return 2.0 if x.sum() > 1 else 1.0\n"
    assert verdict(tmp_path, planted(source, "def f(x):\n    return jnp.where(x.sum() > 1, 2, 1)\n", X)) == judging.WRONG


def test_an_array_that_comes_whole_with_a_count_is_right_in_its_own_way(tmp_path: Path) -> None:
    made, _ = planted("def f(x, limit):\n    return x[x > limit]\n", "", X, LIMIT)
    fixed = "def f(x, limit):\n    kept = x > limit\n    return x[jnp.argsort(~kept)], jnp.sum(kept)\n"
    assert verdict(tmp_path, (made, padded(fixed))) == judging.PADDED
    assert verdict(tmp_path, (made, padded(fixed.replace("~", "")))) == judging.WRONG


def test_several_arrays_may_come_whole_with_one_count(tmp_path: Path) -> None:
    made, _ = planted("def f(x, limit):\n    return x[x > limit], -x[x > limit]\n", "", X, LIMIT)
    fixed = "def f(x, limit):\n    k = x > limit\n    y = x[jnp.argsort(~k)]\n    return y, -y, jnp.sum(k)\n"
    assert verdict(tmp_path, (made, padded(fixed))) == judging.PADDED
    assert verdict(tmp_path, (made, padded(fixed.replace("-y,", "y,")))) == judging.WRONG


def padded(fixed: str) -> Diagnosis:
    """An answer that gives whole arrays and their count."""
    reason = "its values are right, but the caller gets the whole array and the count"
    sources = {"f": "import jax.numpy as jnp\n" + fixed}
    way = Rewrite(sources, fixed, (), "", None, False, reason, (), padded=True)
    return Diagnosis("f", "rewrite", unverified=(way,))


def test_a_split_is_run_as_any_answer_and_told_apart(tmp_path: Path) -> None:
    made, _ = planted(SELECTED, "", X, LIMIT)
    fixed = "total = jax.jit(lambda kept: kept.sum())\n\n\ndef f(x, limit):\n    return total(x[x > limit])\n"
    for text, outcome in ((fixed, judging.SPLIT), (fixed.replace("> limit", ">= limit"), judging.WRONG)):
        split = Rewrite({"f": "import jax\n" + text}, text, (), "", None, True, "", (), pieces=("total",))
        assert verdict(tmp_path, (made, Diagnosis("f", "rewrite", splits=(split,)))) == outcome


def test_a_default_that_only_plain_python_takes_is_found(tmp_path: Path) -> None:
    """Given in the call that was asked about; left out, None reaches `jnp.where`."""
    source = "def f(x, a=None):\n    a = a or 0.5\n    return x.sum() * a\n"
    fixed = "def f(x, a=None):\n    a = jnp.where(a, a, 0.5)\n    return x.sum() * a\n"
    parameters = (X, Parameter("a", "float", values="share", default="None"))
    made, answer = planted(source, fixed, *parameters)
    given = sorted(made.calls, key=lambda call: "given" not in call.about)
    made = Program("planted", "straight", 0, made.code, "f", "f", tuple(given), parameters, "scalar")
    assert verdict(tmp_path, (made, answer)) == judging.WRONG


def test_other_sizes_are_tried(tmp_path: Path) -> None:
    square = Parameter("x", "floats", ("n", "m"))
    source = "def f(x):\n    return x.T @ x[:, 0]\n"
    fixed = "def f(x):\n    return x.T @ x[:6, 0] + 0 * x.shape[0]\n"
    assert verdict(tmp_path, planted(source, fixed, square)) == judging.WRONG


def test_a_float_that_is_only_compared_is_data(tmp_path: Path) -> None:
    assert verdict(tmp_path, planted(SELECTED, "", X, LIMIT, static=("limit",))) == judging.STATIC


def test_a_call_on_which_plain_python_does_not_end_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "PLAIN_S", 0.2)
    source = "def f(x, limit):\n    while limit > 0:\n        pass\n    return x[x > limit].sum()\n"
    fixed = "def f(x, limit):\n    return jnp.where(x > limit, x, 0).sum()\n"
    assert verdict(tmp_path, planted(source, fixed, X, LIMIT)) == judging.RIGHT


def test_where_a_list_may_be_empty_plain_python_has_two_types(tmp_path: Path) -> None:
    """`jnp.array([])` is of floats, `jnp.array([3])` is not: a program of integers has the numbers of both."""
    source = "def f(x, limit):\n    return jnp.array([v for v in x if v > limit]).sum()\n"
    fixed = "def f(x, limit):\n    return jnp.where(x > limit, x, 0).sum()\n"
    numbers = Parameter("x", "ints", ("n",))
    assert verdict(tmp_path, planted(source, fixed, numbers, LIMIT)) == judging.RIGHT
    assert verdict(tmp_path, planted(source, fixed.replace("0)", "1)"), numbers, LIMIT)) == judging.WRONG


def test_no_answer_is_no_right_answer(tmp_path: Path) -> None:
    made, _ = planted(SELECTED, "", X, LIMIT)
    assert verdict(tmp_path, (made, Diagnosis("f", "rewrite", reason="No rewrite."))) == judging.NOTHING
    assert verdict(tmp_path, (made, Diagnosis("f", "not_staticness"))) == judging.NOTHING


def test_a_name_is_always_the_same_program() -> None:
    assert [each.text() for each in programs(30)] == [each.text() for each in programs(30)]
    assert len({each.code for each in programs(60)}) > 55


@pytest.mark.slow
@pytest.mark.parametrize("manner", [manner for manner in MANNERS if manner])
def test_programs_are_called_in_other_manners(tmp_path: Path, manner: str) -> None:
    """Long arrays, several types of numbers, a first call with NaN: what plain Python takes of it is the truth."""
    made = [program(family, 3, "straight", manner) for family in ("lengths", "branches", "optional", "groups")]
    assert [each.text() for each in made] == [program(each.family, 3, "straight", manner).text() for each in made]
    for each in made:
        path = tmp_path / f"{each.family}.py"
        path.write_text(each.text())
        with opened(path, "module") as module:
            truth = true_results(module)
        assert not isinstance(truth, str), f"{truth}\n{each.text()}"
    leaves = [leaf for _, args, kwargs in truth.calls for leaf in jax.tree_util.tree_leaves((args, kwargs))]
    assert manner != "large" or max(leaf.size for leaf in leaves if isinstance(leaf, jax.Array)) >= 300


def test_loops_over_literal_ranges_are_longer_in_the_large_manner() -> None:
    assert "range(1)" in called("for i in range(1): pass", "large", random.Random(1))
    assert any(f"range({4 * times})" in called("for i in range(4): pass", "large", random.Random(1)) for times in ROUNDS)


FEW = [(family, place) for number, family in enumerate(FAMILIES) for place in [list(PLACES)[number % len(PLACES)], "straight"]]


@pytest.mark.slow
@pytest.mark.parametrize(("family", "place"), sorted({*FEW}))
def test_programs_run_in_plain_python_in_module_and_cell(tmp_path: Path, family: str, place: str) -> None:
    for number, form in ((1, "module"), (2, "cell")):
        try:
            made = program(family, number, place)
        except ValueError:
            assert place not in ("straight", "helper", "method"), "there everything can stand"
            return
        path = tmp_path / f"{number}.py"
        path.write_text(made.text())
        with opened(path, form) as module:
            truth = true_results(module)
        assert not isinstance(truth, str), f"{truth}\n{made.text()}"
        assert len(truth.calls) >= 4 or made.gives == "tuple", made.text()


def test_arguments_come_in_a_tree_and_its_gradient_is_one_too(tmp_path: Path) -> None:
    made = [program(family, number, "tree") for family in ("exits", "tables") for number in range(60)]
    assert {each.parameters[0].kind for each in made} == {"tree"}
    assert any(each.parameters[0].made_by for each in made) and any("grad(" in each.code for each in made)


def test_every_program_is_called_at_the_edges() -> None:
    about = {call.about for call in program("updates", 3).calls}
    assert {"NaN among the values", "infinities", "ties", "zeros", "a bound beyond everything"} <= about
