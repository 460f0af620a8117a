"""`jm.lines`: each line of a function with its equations, estimates and measured execution, of which nothing gets lost."""

from __future__ import annotations

import functools
import gc
import glob
import linecache
import tempfile
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.base import live_programs
from jupyter_jitmagic.by_line import measuring

X = jnp.full((300, 300), 1 / 300)


def helper(v):
    return jnp.where(v > 0, v, 0.1) * jnp.clip(v, 0, 3)


def mixed(x, w):
    a = jnp.linalg.norm(x)
    b = helper(x)

    def body(i, v):
        return jnp.sin(v) * 0.5 + v @ w

    b = jax.lax.fori_loop(0, 10, body, b)
    for _ in range(4):
        b = helper(b @ x)
    return a + b.sum()


def row(table: Any, text: str) -> Any:
    """The one row whose code has this text."""
    (index,) = [i for i, code in enumerate(table.code) if text in code]
    return table.iloc[index]


@pytest.fixture(scope="module")
def table() -> Any:
    return jm.lines(mixed, X, X)


def test_the_times_of_all_lines_are_the_whole(table: Any) -> None:
    report = table.report
    assert report.calls >= 3
    assert table.execute_s.sum() == pytest.approx(sum(report.devices.values()), rel=1e-9)
    assert table.share.sum() == pytest.approx(1.0) and table.compile_share.sum() == pytest.approx(1.0)
    assert (table.execute_s >= 0).all()


def test_nearly_all_of_the_time_has_a_line(table: Any) -> None:
    assert table[table.function != ""].share.sum() > 0.9


def test_a_loops_body_has_the_loops_time_and_the_loop_only_its_own(table: Any) -> None:
    body, loop = row(table, "v @ w"), row(table, "fori_loop")
    assert body.execute_s > loop.execute_s
    assert loop.within_s == pytest.approx(body.execute_s + loop.execute_s)


def test_a_call_of_a_helper_is_the_helpers_time_and_the_lines_only_with_calls(table: Any) -> None:
    call = row(table, "b = helper(x)")
    assert call.execute_s == 0 and call.equations == 0 and call.within_s > 0
    assert row(table, "jnp.where").function == "helper"


def test_equations_that_a_python_loop_repeated_are_counted_and_no_others(table: Any) -> None:
    assert row(table, "helper(b @ x)").repeats == 4
    assert row(table, "linalg.norm").repeats == 1
    assert row(table, "v @ w").equations == 4


def test_a_product_in_a_loop_is_estimated_for_each_round(table: Any) -> None:
    assert row(table, "v @ w").flops == pytest.approx(10 * 2 * 300**3, rel=0.01)
    assert row(table, "helper(b @ x)").flops == pytest.approx(4 * 2 * 300**3, rel=0.01)


def test_the_backward_pass_counts_for_the_forward_line_and_is_told_apart() -> None:
    def loss(w, x):
        h = jnp.tanh(x @ w)
        return (h**2).sum()

    found = jm.lines(jax.grad(loss), X, X)
    product = row(found, "x @ w")
    assert 0 < product.backward_s < product.execute_s
    assert product.within_s == product.execute_s


def test_every_line_of_the_function_is_a_row_in_its_order(table: Any) -> None:
    own = table[table.function == "mixed"]
    assert own.code.iloc[0] == "def mixed(x, w):" and own.code.iloc[-1].strip() == "return a + b.sum()"
    assert np.diff(own.line.astype(int)).tolist() == [1] * (len(own) - 1)


def test_donated_arguments_are_there_after_a_look() -> None:
    step = jax.jit(lambda x: x * 2, donate_argnums=0)
    x = jnp.ones((1000,))
    jm.lines(step, x)
    assert x.sum() == 1000


def test_static_arguments_are_taken_as_they_are() -> None:
    @jm.jit(static_argnames="n")
    def power(x, n):
        for _ in range(n):
            x = x @ x
        return x

    assert row(jm.lines(power, X, n=6), "x @ x").repeats == 6


def test_what_the_function_raises_is_raised_and_the_profiler_is_free_again() -> None:
    def wrong(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        jm.lines(wrong, X)
    jm.lines(mixed, X, X)


def test_a_profile_that_is_being_taken_is_left_alone(tmp_path: Any) -> None:
    with jax.profiler.trace(str(tmp_path)), pytest.raises(jm.OptionError, match="already"):
        jm.lines(mixed, X, X)
    assert glob.glob(str(tmp_path / "**" / "*.xplane.pb"), recursive=True)


def test_nothing_of_the_profile_is_left_on_disk() -> None:
    before = set(glob.glob(f"{tempfile.gettempdir()}/jitlines-*"))
    jm.lines(mixed, X, X)
    assert set(glob.glob(f"{tempfile.gettempdir()}/jitlines-*")) <= before


def test_what_is_no_function_is_one_line() -> None:
    with pytest.raises(jm.OptionError, match="int is no function"):
        jm.lines(3)


def test_a_function_without_source_has_its_operations() -> None:
    space: dict[str, Any] = {"jnp": jnp}
    exec("def hidden(x):\n    return jnp.tanh(x @ x)", space)
    found = jm.lines(space["hidden"], X)
    assert found.execute_s.sum() > 0
    assert any("dot_general" in code for code in found.code), found.to_string()


def test_of_a_function_without_source_no_other_text_of_its_files_name_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.13 keeps the text of ``python -c`` under the name that code made by `exec` has as well."""
    monkeypatch.setitem(linecache.cache, "<string>", (6, None, ["import json\n", "print(json)\n"], "<string>"))
    space: dict[str, Any] = {"jnp": jnp}
    exec("def hidden_too(x):\n    return jnp.tanh(x @ x)", space)
    found = jm.lines(space["hidden_too"], X)
    assert "dot_general" in set(found.code) and not any("json" in code for code in found.code)


def test_it_is_shown_with_its_source_and_says_what_is_estimated(table: Any, capsys: Any) -> None:
    table.show()
    shown = capsys.readouterr().out
    assert "with calls" in shown and "b = helper(b @ x)" in shown and "(×4)" in shown
    assert "flops and bytes are estimates" in shown and "a call (" in shown


def test_programs_that_are_not_compiled_are_found_by_no_backend_that_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fallback of `live_modules`: without them the time is told as such, and nothing is made up."""
    monkeypatch.setattr(live_programs, "live_modules", lambda: iter(()))
    with pytest.raises(jm.OptionError, match="no longer held"):
        jm.lines(mixed, X, X)


def test_live_modules_have_the_names_and_the_frames_that_we_read() -> None:
    """The contract with jaxlib: a program that ran is among them, and its text leads to lines."""
    from jupyter_jitmagic.by_line import hlo

    mixed_jitted = jax.jit(mixed)
    mixed_jitted(X, X)
    module = next(each for each in live_programs.live_modules() if each.name == "jit_mixed")
    program = hlo.read(module.to_string())
    places = {place.function for instruction in program.instructions.values() for place in program.stack(instruction.frame)}
    assert {"mixed", "helper", "mixed.<locals>.body"} <= places
    assert program.entry in program.computations


def test_a_function_of_a_library_has_its_operations() -> None:
    found = jm.lines(functools.partial(jnp.matmul, X), X)
    assert found.execute_s.sum() > 0 and "dot_general" in set(found.code)


def test_a_callable_object_has_its_lines() -> None:
    class Model:
        def __call__(self, v):
            return jnp.tanh(v @ v)

    assert row(jm.lines(Model(), X), "jnp.tanh(v @ v)").share > 0.9


def test_a_nested_jit_that_is_called_twice_was_not_repeated_by_a_loop() -> None:
    inner = jax.jit(lambda a: jnp.sort(a, axis=0))

    def outer(a):
        return inner(inner(a) + 1)

    assert set(jm.lines(outer, X).repeats.dropna()) == {1}


def test_the_line_that_made_the_call_gets_nothing_of_it() -> None:
    weights = jnp.ones((300, 300))

    class Model:
        def forward(self, v):
            return jnp.tanh(v @ weights.T)

    found = jm.lines(jax.jit(Model().forward), X)
    assert {name for name in found.function if name} == {
        f"{test_the_line_that_made_the_call_gets_nothing_of_it.__name__}.<locals>.Model.forward"
    }
    assert found[found.function != ""].share.sum() > 0.9


def test_a_profile_is_read_from_files_where_jax_gives_no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """The public fallback of `start_profile` and `stop_profile`."""

    def start(folder: str, options: Any) -> None:
        jax.profiler.start_trace(folder, profiler_options=options)

    def stop(session: Any) -> None:
        jax.profiler.stop_trace()

    monkeypatch.setattr(internals, "start_profile", start)
    monkeypatch.setattr(internals, "stop_profile", stop)
    assert jm.lines(mixed, X, X).execute_s.sum() > 0


def test_a_profile_is_given_without_being_written(tmp_path: Any) -> None:
    """The contract with JAX's profiler."""
    session = internals.start_profile(str(tmp_path), jax.profiler.ProfileOptions())
    jax.jit(mixed)(X, X).block_until_ready()
    assert len(list(internals.stop_profile(session).planes)) > 0 and list(tmp_path.iterdir()) == []


@pytest.fixture
def alone() -> Iterator[None]:
    """No program of an earlier test is held."""
    jax.clear_caches()
    gc.collect()
    yield


class One:
    def same_name(self, x):
        return jnp.tanh(x @ x)


class Other:
    def same_name(self, x):
        return jnp.tanh(x @ x)


def test_of_two_functions_of_one_name_the_one_asked_about_is_shown() -> None:
    """Their programs have the same name and the same instructions; only the lines differ."""
    one, other = One(), Other()
    for model, of in ((one, other), (other, one)):
        jax.jit(of.same_name)(X)
        found = jm.lines(jax.jit(model.same_name), X)
        assert {name for name in found.function if name} == {f"{type(model).__name__}.same_name"}


def test_of_two_functions_of_one_name_the_one_that_ran_is_shown_each_by_itself() -> None:
    first, second = jax.jit(One().same_name), jax.jit(Other().same_name)
    first(X), second(X)
    for ran, name in ((first, "One.same_name"), (second, "Other.same_name")):
        (report,) = measuring.measured(lambda ran=ran: ran(X), [])
        assert {line.function for line in report.lines} == {name}
    reports = measuring.measured(lambda: (first(X), first(X), second(X)), [])
    assert sorted(report.calls for report in reports) == [1, 2]


def test_where_programs_have_no_number_it_is_said_that_the_time_may_be_another_functions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_programs, "module_number", lambda module: None)
    first, second = jax.jit(One().same_name), jax.jit(Other().same_name)
    first(X), second(X)
    (report,) = measuring.measured(lambda: first(X), [])
    assert any("may be another one's" in note for note in report.notes)


def test_a_programs_number_is_the_one_that_the_profiler_gives(alone: None) -> None:
    """The contract with jaxlib: without it programs of one name are told apart by their instructions alone."""
    from jupyter_jitmagic.by_line import profiling

    jitted = jax.jit(One().same_name)
    jitted(X)
    profiler = profiling.Profiler()
    profiler.start()
    jitted(X).block_until_ready()
    ran = {event.run[1] for event in profiler.stop().events if event.module == "jit_same_name"}
    assert (
        ran <= {live_programs.module_number(each) for each in live_programs.live_modules() if each.name == "jit_same_name"}
        and ran
    )


def test_entries_of_one_function_that_were_called_from_other_lines_are_one_function(alone: None) -> None:
    first = jax.jit(One().same_name)
    first(X)
    first(X[:200, :200])
    (report,) = measuring.measured(lambda: first(X), [])
    assert not any("may be another one's" in note for note in report.notes)


def twice(fun: Any) -> Any:
    @functools.wraps(fun)
    def wrapper(v):
        return jnp.cos(fun(v)) * 2

    return wrapper


def test_what_a_decorator_computes_is_on_its_own_line() -> None:
    @twice
    def decorated(v):
        return v @ v

    found = jm.lines(decorated, X)
    assert row(found, "return v @ v").flops == 2 * 300**3
    around = row(found, "return jnp.cos(fun(v)) * 2")
    assert around.flops == 2 * 300**2 and around.within_s > around.execute_s > 0
    assert found.execute_s[found.function == ""].sum() == 0


def only_calls(v):
    return helper(v)


def test_a_line_that_only_calls_is_shown_with_what_it_calls() -> None:
    found = row(jm.lines(only_calls, X), "return helper(v)")
    assert found.within_s > 0 and found.execute_s == 0


def test_the_rounds_of_a_loop_of_unknown_length_are_those_that_ran() -> None:
    def halved(x):
        return jax.lax.while_loop(lambda v: v.sum() > 1, lambda v: 0.5 * (v @ X), x)

    found = jm.lines(halved, 8 * X)  # its sum is 2400: twelve halvings
    assert row(found, "while_loop").flops == pytest.approx(12 * 2 * 300**3, rel=0.05)


def test_a_branch_that_was_not_taken_costs_nothing() -> None:
    def chosen(x, p):
        def product(v):
            return v @ v

        def difference(v):
            return v - 1

        return jax.lax.cond(p > 0, product, difference, x)

    found = jm.lines(chosen, X, 1.0)
    assert row(found, "return v @ v").flops == 2 * 300**3 and row(found, "return v - 1").flops == 0


def test_operations_whose_line_xla_loses_are_on_the_one_line_that_has_them() -> None:
    def lost(x):
        wide = jax.lax.conv(x[None, None], jnp.ones((1, 1, 3, 3)), (1, 1), "SAME")
        running = jnp.cumsum(x, axis=0)
        return wide.sum() + running.sum()

    found = jm.lines(lost, X)
    assert row(found, "jax.lax.conv").flops > 2 * 300**2 and row(found, "jnp.cumsum").flops > 300**2
    assert found.share[found.function != ""].sum() > 0.9


def shared(v):
    return jnp.clip(v, 0, 1) @ v


def test_equations_that_were_traced_for_another_caller_are_the_present_lines() -> None:
    inner = jax.jit(shared)

    def earlier(v):
        return inner(v)

    def later(v):
        return inner(v) + 1

    jax.jit(earlier)(X)
    found = jm.lines(later, X)
    assert set(found.function) <= {f"{later.__qualname__}", "shared", ""}
    assert row(found, "jnp.clip(v, 0, 1) @ v").equations > 0


@pytest.mark.parametrize("later", [0, 1], ids=["compiled", "from disk, whose numbers come later"])
def test_figures_of_several_shapes_are_those_of_a_mean_call(later: int, monkeypatch: pytest.MonkeyPatch) -> None:
    number = live_programs.module_number
    monkeypatch.setattr(live_programs, "module_number", lambda module: (number(module) or 0) + later)

    def product(v):
        return v @ v

    jitted, small = jax.jit(product), X[:100, :100] + 0
    (report,) = measuring.measured(lambda: [jax.block_until_ready(jitted(each)) for each in (X, small)], [])
    flops = sum(line.figures.flops for line in report.lines if line.figures)
    assert report.calls == 2 and flops == (2 * 300**3 + 2 * 100**3) / 2


def factory(settings):
    scale = settings * 2.0

    def loss(v):
        return (v * scale).sum()

    flat = lambda v: jnp.tanh(v).mean()  # noqa: E731

    def step(v):
        return loss(v @ v) + flat(v)

    return step


@pytest.mark.parametrize("jit", [jax.jit, jm.jit])
def test_a_function_made_by_another_one_is_shown_with_those_beside_it_and_no_line_twice(jit: Any) -> None:
    """The lines of the one around it are not shown, but for what runs of them."""
    table = jm.lines(jit(factory(3)), X)
    shown = [line for line in table.line if line == line and line is not None]
    assert len(shown) == len(set(shown))
    assert table.execute_s.sum() == pytest.approx(sum(table.report.devices.values()), rel=1e-9)
    assert table.function.tolist()[:2] == ["factory.<locals>.step"] * 2
    assert row(table, "(v * scale)").function == "factory.<locals>.loss"
    assert row(table, "jnp.tanh").equations > 0
    assert not [code for code in table.code if "settings" in code]


def drawn(key):
    def again(carry):
        key, total = carry
        key, own = jax.random.split(key)
        return key, total + jax.random.uniform(own, total.shape)

    def round_of(carry):
        key, total, n = carry
        key, total = jax.lax.while_loop(lambda each: (each[1] < 3).any(), again, (key, total))
        return key, total * 0.5, n + 1

    return jax.lax.while_loop(lambda each: each[2] < 3, round_of, (key, jnp.zeros(20000), 0))[1]


def pooled_gradient(v):
    return jax.grad(lambda v: jax.lax.reduce_window(v, -jnp.inf, jax.lax.max, (2, 2), (2, 2), "VALID").sum())(v)


@pytest.mark.parametrize(("function", "argument"), [(drawn, jax.random.key(0)), (pooled_gradient, X)])
def test_what_xla_adds_for_a_line_is_on_that_line(function: Any, argument: Any) -> None:
    """Copies of what an inner loop carries, the first half of a reduction in two, numbers to choose by: they have no place."""
    table = jm.lines(function, argument)
    assert table[table.function == ""].empty and table.execute_s.sum() > 0
