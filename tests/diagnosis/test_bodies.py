"""A user's function that a library's own loop traces is asked about by itself; the whole call is traced with its rewrite."""

import cProfile
import linecache
import sys
import types

import jax
import jax.numpy as jnp
import pytest
from jax.experimental.ode import odeint

from jupyter_jitmagic.diagnosis import diagnose

pytestmark = pytest.mark.usefixtures("unhurried")

_SOLVER = """
import jax

def solve(field, y0, args):
    jax.make_jaxpr(field)(0.0, y0, args)  # it looks at the program first, also where jit is off
    return jax.lax.fori_loop(0, 5, lambda i, y: y + 0.1 * field(0.1 * i, y, args), y0)

class Solver:
    def __init__(self, field):
        self.field = field

    def run(self, y0, args):
        return solve(self.field, y0, args)

def solve_both(field, other, y0):
    return solve(other, solve(field, y0, None), None)
"""


@pytest.fixture
def solver(monkeypatch):
    """A module that is installed, as far as its file tells."""
    library = types.ModuleType("solver_of_tests")
    library.__file__ = "/nowhere/site-packages/solver_of_tests.py"
    monkeypatch.setitem(sys.modules, library.__name__, library)
    exec(compile(_SOLVER, library.__file__, "exec"), vars(library))
    return library


def heat(t, temp, args):
    target, power = args
    if temp < target:
        heating = power
    else:
        heating = 0.0
    return heating - 0.5 * temp


def test_a_body_has_its_answer_while_a_profile_runs(solver):
    """%%prun over a cell: what a body is given is seen without the profile's hook."""
    profile = cProfile.Profile()
    profile.enable()
    try:
        found = diagnose(lambda temp: solver.solve(heat, temp, (2.0, 3.0)), 1.0)
        assert sys.version_info >= (3, 12) or sys.getprofile() is profile
    finally:
        profile.disable()
    assert found.verified and [*found.rewrites[0].sources] == ["heat"]


def test_a_body_is_compared_by_itself_and_the_whole_call_traced_with_its_rewrite(solver):
    def simulate(temp, target, power):
        return solver.solve(heat, temp, (target, power))

    found = diagnose(simulate, 1.0, 2.0, 3.0)
    assert found.verified and [*found.rewrites[0].sources] == ["heat"]
    assert found.rewrites[0].compared.branches == "both branches"
    assert found.sites[0].code == "if temp < target:" and "temp" in found.sites[0].arguments
    assert any("heat was compared by itself: solver_of_tests calls it" in note for note in found.notes)
    assert "Rewrite that body" not in found.reason


def test_a_body_has_the_arguments_with_which_it_was_entered(solver):
    def field(t, state, rate):
        state, rate = state["y"], -rate
        if state > 1:
            rate = rate * 2
        return {"y": rate * state}

    def run(y, rate):
        return jax.jit(lambda y: solver.solve(lambda t, y, args: field(t, {"y": y}, args)["y"], y, rate))(y)

    found = diagnose(run, 1.0, 2.0)
    assert found.verified, "its names were bound anew before its line failed"


def test_a_body_is_found_where_jit_is_put_around_the_librarys_own_function(solver):
    """`jax.jit(kernel.step)`: no function of the user's stands between jit and the one that the library calls."""
    ready = solver.Solver(heat)
    for fun in (ready.run, jax.jit(ready.run)):
        found = diagnose(fun, 1.0, (2.0, 3.0))
        assert found.verified and [*found.rewrites[0].sources] == ["heat"]
        assert "Rewrite that body" not in found.reason


def test_what_a_body_closes_over_may_be_traced(solver):
    def simulate(temp, target):
        def field(t, y, args):
            if y > target:
                return -y
            return target - y

        return solver.solve(field, temp, None)

    found = diagnose(simulate, 1.0, 2.0)
    assert found.verified and [*found.rewrites[0].sources] == ["test_what_a_body_closes_over_may_be_traced"]


def test_where_the_whole_call_does_not_trace_with_it_a_rewrite_is_not_verified(solver):
    def grows(t, y, args):
        return y if y < 1 else 1.0 - y

    def odd(t, y, args):
        if isinstance(y, jax.core.Tracer):
            raise ValueError("numbers alone")
        return y

    found = diagnose(lambda y: solver.solve_both(grows, odd, y), 1.0)
    assert not found.verified and not found.rewrites
    assert found.unverified and all("equal to plain Python by itself" in each.reason for each in found.unverified)


def test_a_body_may_be_a_method_of_an_argument(solver):
    eqx = pytest.importorskip("equinox")

    class Field(eqx.Module):
        rate: jax.Array
        limit: float

        def __call__(self, t, y, args):
            dy = self.rate * y
            if dy > self.limit:
                dy = dy * 0 + self.limit
            return dy

    before = Field.__call__

    @eqx.filter_jit
    def run(field, y):
        return solver.solve(field, y, None)

    found = diagnose(run, Field(jnp.float32(2.0), 0.5), jnp.float32(1.0))
    assert found.verified and Field.__call__ is before


def test_a_body_may_be_held_by_an_object_of_the_librarys(solver):
    held = solver.Solver(heat)

    def simulate(temp, target, power):
        return held.run(temp, (target, power))

    found = diagnose(simulate, 1.0, 2.0, 3.0)
    assert found.verified and held.field is heat


def test_what_the_users_module_made_of_a_body_is_run_again_and_is_no_change(solver):
    """`nuts = library.sampler(density)` stands among the sources, as it holds the old function: its line stays."""
    text = (
        "import jax.numpy as jnp\n"
        "def heat(t, temp, args):\n    if temp < 2.0:\n        return 3.0 - temp\n    return -0.5 * temp\n"
        "held = Solver(heat)\n"
        "def simulate(temp):\n    return held.run(temp, None)\n"
    )
    filename = "/tmp/ipykernel_1/what_a_module_made.py"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    space = {"__name__": "__main__", "Solver": solver.Solver}
    exec(compile(text, filename, "exec"), space)
    found = diagnose(space["simulate"], 1.0)
    assert found.verified and [*found.rewrites[0].sources] == ["heat", "held"]
    assert found.rewrites[0].sources["held"] == "held = Solver(heat)\n"


def test_a_long_chain_of_the_librarys_objects_is_no_end_of_an_answer(solver):
    """As a shell or a test runner among the globals holds them: looking into all of it, one within the other, is too deep."""
    chain = solver.Solver(heat)
    for _ in range(400):
        chain = solver.Solver(chain)
    held = solver.Solver(heat)

    def simulate(temp, target, power):
        return held.run(temp, (target, power)) if chain else temp

    assert diagnose(simulate, 1.0, 2.0, 3.0).verified


def test_a_function_that_only_an_object_of_the_librarys_leads_to_is_made_again(solver, monkeypatch):
    """Plain Python runs the whole call, so no body is asked about by itself."""

    class Objective:
        def __init__(self, fun):
            self.fun = fun

        def value(self, x):
            return self.fun(x) * 2

    Objective.__module__ = solver.__name__
    held = Objective(penalty)
    found = diagnose(lambda x: held.value(x), jnp.float32(1.0))
    assert found.kind == "rewrite" and found.verified and [*found.rewrites[0].sources] == ["penalty"]
    assert held.fun is penalty


def penalty(x):
    if x > 0:
        return x * 3
    return -x


def test_what_jax_itself_traces_alone_is_a_body_too():
    def rate(y, t, cap):
        if y > cap:
            return cap - y
        return y

    def population(y, cap):
        return odeint(rate, y, jnp.linspace(0.0, 1.0, 3), cap)

    assert diagnose(population, jnp.float32(0.5), 0.8).verified, "odeint traces its function where jit is off as well"
