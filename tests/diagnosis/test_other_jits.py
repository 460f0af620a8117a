"""Functions under the jits of equinox and flax.nnx are diagnosed in their own parameters, and by those jits' own rules."""

import copy
import dataclasses
import functools
import importlib.util
from types import ModuleType

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis import diagnose
from jupyter_jitmagic.diagnosis.call.unwrapping import carried, unwrapped
from jupyter_jitmagic.diagnosis.proof.carrying import carrying
from jupyter_jitmagic.diagnosis.rewrites import propose
from jupyter_jitmagic.display.advice import Context, advice
from jupyter_jitmagic.display.text import to_text
from jupyter_jitmagic.recording.api.jitting import failed_call
from jupyter_jitmagic.sandbox.copies import fresh

X = jnp.arange(4.0)


def failure(fun, *args):
    """The call that a failed trace's traceback names, with JAX's frames in it as under IPython."""
    before = jax.config.jax_traceback_filtering
    jax.config.update("jax_traceback_filtering", "off")
    try:
        with pytest.raises(Exception) as caught:
            fun(*args)
        return failed_call(caught.tb)
    finally:
        jax.config.update("jax_traceback_filtering", before)


def test_under_equinox_every_leaf_that_is_no_array_is_static_already():
    eqx = pytest.importorskip("equinox")

    @eqx.filter_jit
    def sized(x, n):
        return jnp.zeros(n) + x

    assert diagnose(sized, 1.0, 3).kind == "traces"

    @eqx.filter_jit
    def chosen(x, n):
        return x * n if x.sum() > n else x

    call = failure(chosen, X, 2)
    found = diagnose(call.fun, *call.args, **call.kwargs)
    assert found.function.endswith("chosen") and found.kind == "rewrite"
    assert found.sites[0].arguments == ("x",), "n is a number that Python keeps"


def test_a_method_of_an_equinox_module_that_mixes_arrays_and_options():
    eqx = pytest.importorskip("equinox")

    class Layer(eqx.Module):
        w: jax.Array
        keep: int
        act: object

        @eqx.filter_jit
        def go(self, x):
            y = self.act(self.w * x)[: self.keep]
            return y if y.sum() > 0 else -y

    layer = Layer(X, 2, jnp.tanh)
    call = failure(layer.go, X)
    for found in (diagnose(layer.go, X), diagnose(call.fun, *call.args)):
        assert found.kind == "rewrite"
        assert [site.arguments for site in found.sites] == [("self.w", "x")]


def test_nnx_jit_takes_static_arguments_as_jax_does():
    nnx = pytest.importorskip("flax.nnx")

    @nnx.jit
    def tiled(x, n):
        return jnp.tile(x, n)

    call = failure(tiled, X, 2)
    assert diagnose(call.fun, *call.args).static_argnames == ("n",)
    declared = nnx.jit(lambda x, n: jnp.tile(x, n), static_argnums=1)
    assert diagnose(declared, X, 2).kind == "traces"


def test_the_jit_of_a_library_is_told_as_the_user_spells_it():
    """`jax.jit` would refuse its modules; another module of the same library with a jit of its own is not meant."""

    class Jitted:
        def __init__(self, fun, **options):
            functools.update_wrapper(self, fun)
            self.jitted_fn = jax.jit(fun, **options)
            self.lower = self.jitted_fn.lower

    Jitted.__module__ = "layers.deep.compilation"
    flat, deep = ModuleType("layers.flat"), ModuleType("layers.deep")
    flat.jit = deep.jit = Jitted

    def of(**modules):
        namespace = {**modules, "jnp": jnp}
        exec("def f(x, n):\n    return jnp.tile(x, n)\n", namespace)
        return to_text(advice(diagnose(Jitted(namespace["f"]), X, 2), Context()))

    assert '@deep.jit(static_argnames="n")' in of(flat=flat, deep=deep)
    assert '@jit(static_argnames="n")' in of(flat=flat)
    assert '@jit(static_argnames="n")' in of(flat=flat, jit=Jitted)


@pytest.mark.parametrize("frozen", [False, True])
def test_each_run_gets_a_librarys_module_as_the_call_has_it(frozen):
    """One that counts its draws in an attribute: runs would go on from each other's state. What is frozen is handed on."""
    pytest.importorskip("equinox")  # a module that is loaded tells that it is a library's

    @functools.partial(jax.tree_util.register_dataclass, data_fields=["count"], meta_fields=[])
    @dataclasses.dataclass(frozen=frozen)
    class Draws:
        count: jax.Array

    Draws.__module__ = "equinox"
    draws = Draws(X)
    (copied,) = fresh(({"drop": draws},))
    assert (copied["drop"] is draws) == frozen and copied["drop"].count is X


def test_an_object_whose_call_is_jitted():
    class Sized:
        n = 3

        @jax.jit
        def __call__(self, x):
            return jnp.zeros(self.n) + x

    assert diagnose(Sized(), 1.0).static_argnames == ("self",)


def test_an_equinox_module_that_is_called_itself():
    """It has no hash (it is compared by its arrays): its own library's jit takes it, `jax.jit` does not."""
    eqx = pytest.importorskip("equinox")

    class Net(eqx.Module):
        w: jax.Array
        limit: float

        def __call__(self, x):
            y = self.w * x
            if y.sum() > self.limit:
                return jnp.tanh(y)
            return y

    net = Net(X, 0.5)
    for fun in (net, net.__call__, eqx.filter_jit(net)):
        found = diagnose(fun, X)
        assert found.kind == "rewrite" and found.verified and found.rewrites
    refused = diagnose(jax.jit(net), X)
    assert refused.kind == "not_staticness" and "jax.jit(it.__call__)" in refused.reason
    with pytest.raises(TypeError, match="unhashable"):
        jax.jit(net)(X)


def test_a_rewrite_under_equinox_is_traced_and_compared_by_its_rules():
    """The model holds functions, which its jit keeps: where it is returned by both branches, its arrays alone are chosen."""
    eqx = pytest.importorskip("equinox")

    class Layer(eqx.Module):
        w: jax.Array
        act: object
        rate: float = 0.1

        def __call__(self, x):
            return self.act(self.w * x)

    @eqx.filter_jit
    def step(model, x, y):
        loss, grads = eqx.filter_value_and_grad(lambda m: jnp.mean((m(x) - y) ** 2))(model)
        if jnp.isnan(loss):
            return model, loss
        updates = jax.tree.map(lambda g: -model.rate * g, grads)
        return eqx.apply_updates(model, updates), loss

    found = diagnose(step, Layer(X, jnp.tanh), X, X)
    assert found.kind == "rewrite" and found.verified and not found.splits
    assert "b if a is b else jnp.where(" in found.rewrites[0].source
    assert found.rewrites[0].compared.inputs >= 4


def test_rows_that_speak_to_each_other_are_run_as_they_are():
    """What stands behind a vmap with a named axis, as a batch norm, is compared."""

    @jax.jit
    def normed(x):
        out = jax.vmap(lambda v: v - jax.lax.pmean(v, "batch"), axis_name="batch")(x)
        if out.max() > 1:
            out = out / out.max()
        return out

    assert diagnose(normed, X).verified


def test_an_object_that_may_change_is_no_static_argument_of_a_piece():
    """What is compared by identity stays in plain Python, unless the user's own jit takes it as static."""

    class Counter:
        def __init__(self):
            self.seen = 0

        def count(self, x):
            self.seen = self.seen + 1
            return jnp.sin(x) * 2 + 1

    @jax.jit
    def counted(counter, x):
        y = counter.count(x)
        u = jnp.unique(y)
        v = jnp.sin(u) + 1
        return {float(k): k * 2 for k in v}

    for split in diagnose(counted, Counter(), X).splits:
        assert "@jax.jit(" not in split.source.replace('"@jax.jit("', "")


class Param:
    def __init__(self, value):
        self.value = value


class Module:
    """As of a library whose jit knows its modules, which JAX does not."""

    def arrays(self):
        return {name: each.value for name, each in vars(self).items()}


class LibraryJit:
    """As ``nnx.jit``: modules go in as their arrays and are made again inside, and what changed is written back."""

    def __init__(self, fun):
        functools.update_wrapper(self, fun)
        self.modules = []

        def pure(arrays, rest):
            made = [copy.copy(module) for module in self.modules]
            for module, each in zip(made, arrays, strict=True):
                vars(module).update({name: Param(value) for name, value in each.items()})
            return fun(*made, *rest), [module.arrays() for module in made]

        self.jitted_fn = jax.jit(pure)

    def __call__(self, *args):
        self.modules = [each for each in args if isinstance(each, Module)]
        rest = [each for each in args if not isinstance(each, Module)]
        out, changed = self.jitted_fn([each.arrays() for each in self.modules], rest)
        for module, each in zip(self.modules, changed, strict=True):
            for name, value in each.items():
                getattr(module, name).value = value
        return out


class Linear(Module):
    def __init__(self):
        self.w, self.calls = Param(jnp.ones((4, 4))), Param(jnp.zeros(()))

    def __call__(self, x):
        self.calls.value = self.calls.value + 1
        return self.w.value @ x


def library_step(model, x, scale):
    y = model(x)
    if y.sum() > 0:
        y = y * scale
    return y


def test_a_librarys_own_modules_are_its_business():
    """No argument of it is called static, its state is as it was, and the user's function is what is rewritten."""
    step, model = LibraryJit(library_step), Linear()
    with pytest.raises(jax.errors.TracerBoolConversionError):
        step(model, X, 2.0)
    found = diagnose(step, model, X, 2.0)
    assert found.function == "library_step" and found.kind == "rewrite" and found.static_argnames == ()
    assert found.sites[0].code == "if y.sum() > 0:" and "x" in found.sites[0].arguments
    assert "jnp.where(y.sum() > 0, y * scale, y)" in found.rewrites[0].source
    assert "Plain Python fails" not in found.reason and float(model.calls.value) == 0


def test_of_jits_within_each_other_the_users_own_is_the_failed_one():
    eqx = pytest.importorskip("equinox")

    @eqx.filter_jit
    def inner(x):
        return x if x > 0 else -x

    @jax.jit
    def outer(x):
        return inner(x) + 1

    assert failure(outer, 1.0).fun.__name__ == "outer"


def test_a_message_before_an_early_return_of_a_model_is_told_by_itself():
    """The other side's model holds functions, which `cond` cannot give back."""
    eqx = pytest.importorskip("equinox")

    @eqx.filter_jit
    def step(model, x):
        loss = (model(x) ** 2).mean()
        if loss > 100.0:
            print("too large:", loss)
            return model, loss
        return eqx.tree_at(lambda m: m.layers[0].bias, model, replace_fn=lambda b: b - loss), loss

    model = eqx.nn.MLP(4, 1, 3, 1, key=jax.random.PRNGKey(0))
    call = failure(step, model, X)
    found = diagnose(call.fun, *call.args, **call.kwargs)
    assert 'debug.print("too large: {loss}", loss=loss)' in found.rewrites[0].source and found.verified
    assert "jnp.where(pred, a, b)" in found.rewrites[0].source


class Counter:
    """An object with a state that a call changes in place, taken apart by JAX as flax's modules are."""

    def __init__(self, total, calls):
        self.total, self.calls = total, calls

    def add(self, value):
        self.total = self.total + value
        self.calls = self.calls + 1


jax.tree_util.register_pytree_node(Counter, lambda c: ((c.total, c.calls), None), lambda _, held: Counter(*held))


def test_state_that_a_jit_carries_out_is_part_of_what_is_compared():
    """A rewrite under nnx.jit is verified only if the objects hold afterwards what plain Python makes them hold."""

    def step(counter, x):
        loss = (x * x).sum()
        if loss > 10.0:
            loss = loss * 0.5
        counter.add(loss)
        return loss

    counter = Counter(jnp.array(1.0), jnp.array(0))
    assert not propose(step, (counter, X), {}).rewrites
    found = propose(step, (counter, X), {}, seconds=30, carried=frozenset({"counter"}))
    assert "counter.add(loss)" in found.rewrites[0].source
    assert (float(counter.total), int(counter.calls)) == (1.0, 0), "the user's object stays as it was"

    also = carrying(step, {"counter"})
    _, state = also(counter, X / 10)
    assert [float(each) for each in state["counter"]] == [float(1 + (X * X).sum() / 100), 1.0]
    assert int(counter.calls) == 0


def test_what_a_call_changes_in_objects_that_share_an_array_is_not_compared():
    """A copy would have two arrays in the place of one; where nothing is changed that makes no difference."""

    def step(pair, x):
        loss = (x * x).sum()
        if loss > 10.0:
            loss = loss * 0.5
        one, other = pair
        one.add(loss)
        return loss + other.total

    def looked_at(pair, x):
        return x * 2 if x.sum() > pair[0].total else x

    shared = jnp.array(1.0)
    pair = Counter(shared, jnp.array(0)), Counter(shared, jnp.array(1))
    found = propose(step, (pair, X), {}, seconds=30, carried=frozenset({"pair"}))
    assert not found.rewrites and "two hold one array" in found.unverified[0].reason
    assert propose(looked_at, (pair, X), {}, seconds=30, carried=frozenset({"pair"})).rewrites
    apart = pair[0], Counter(jnp.array(1.0), jnp.array(1))
    assert propose(step, (apart, X), {}, seconds=30, carried=frozenset({"pair"})).rewrites


def test_objects_of_a_state_within_a_container_are_carried_too():
    """A training state that is a tuple was verified without what the call leaves in it."""
    state = Counter(jnp.array(1.0), jnp.array(0))
    given = [("one", state), ("pair", (state, X)), ("held", {"a": [state]}), ("x", X), ("nothing", None), ("many", [X, None])]
    assert carried(given) == {"one", "pair", "held"}


def test_a_training_step_of_nnx_that_changes_its_optimizer_is_verified():
    """Model and optimizer are compared as they are after the step, and the user's are as before."""
    nnx, optax = pytest.importorskip("flax.nnx"), pytest.importorskip("optax")

    @nnx.jit
    def step(model, opt, x, y):
        loss, grads = nnx.value_and_grad(lambda model: jnp.mean((model(x) - y) ** 2))(model)
        if loss > 10.0:
            loss = loss * 0.5
        opt.update(model, grads)
        return loss

    model = nnx.Linear(4, 1, rngs=nnx.Rngs(0))
    opt = nnx.Optimizer(model, optax.adam(1e-3), wrt=nnx.Param)
    before = [each.copy() for each in jax.tree.leaves((model, opt))]
    call = unwrapped(step, (model, opt, jnp.ones((8, 4)), jnp.ones((8, 1))), {})
    assert call.carried == {"model", "opt"}
    found = propose(call.fun, call.args, call.kwargs, seconds=120, carried=call.carried)
    assert "opt.update(model, grads)" in found.rewrites[0].source
    assert not any("kernel" in each for each in found.rewrites[0].compared.not_reached), "no weights without the others"
    assert all(map(jnp.array_equal, before, jax.tree.leaves((model, opt))))


def loss_of(model, x, y):
    return jnp.mean((model(x) - y) ** 2)


def test_no_run_for_an_answer_trains_the_users_model():
    """A helper's first call was looked for in a run on the user's own objects: a step of training that nobody asked for."""
    nnx, optax = pytest.importorskip("flax.nnx"), pytest.importorskip("optax")

    @nnx.jit
    def step(model, opt, x, y):
        loss, grads = nnx.value_and_grad(loss_of)(model, x, y)
        opt.update(model, grads)
        if jnp.isnan(loss):
            print("nan")
        return float(loss)

    model = nnx.Linear(4, 1, rngs=nnx.Rngs(0))
    opt = nnx.Optimizer(model, optax.adam(1e-3), wrt=nnx.Param)
    before = [each.copy() for each in jax.tree.leaves((model, opt))]
    diagnose(step, model, opt, jnp.ones((8, 4)), jnp.ones((8, 1)))
    assert all(map(jnp.array_equal, before, jax.tree.leaves((model, opt))))


def test_variables_within_a_named_tuple_are_copied_for_a_run():
    """An optimizer's state is a named tuple of what changes in place."""
    import typing

    class State(typing.NamedTuple):
        count: Counter

    state = (State(Counter(jnp.array(1.0), jnp.array(0))),)
    made = fresh(state)
    made[0].count.add(1.0)
    assert type(made[0]) is State and int(state[0].count.calls) == 0


def module_of(path, text):
    """A module of the user's that holds this text."""
    path.write_text("import jax.numpy as jnp\nfrom flax import nnx\n\n\n" + text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize(
    "rest",
    [
        "    if not jnp.isnan(loss):\n        opt.update(model, grads)\n    return loss\n",
        "    if jnp.isnan(loss):\n        return loss\n    opt.update(model, grads)\n    return loss\n",
        "    if jnp.isnan(loss):\n        print('no')\n        return loss\n    opt.update(model, grads)\n    return loss\n",
    ],
)
def test_a_step_that_updates_only_where_data_allows_it_is_a_cond_of_nnx(tmp_path, rest):
    """What it writes, run under nnx.jit, leaves the objects as plain Python does, whichever side is taken."""
    nnx, optax = pytest.importorskip("flax.nnx"), pytest.importorskip("optax")
    begin = (
        "@nnx.jit\ndef step(model, opt, x, y):\n"
        "    loss, grads = nnx.value_and_grad(lambda m: jnp.mean((m(x) - y) ** 2))(model)\n"
    )
    step = module_of(tmp_path / "steps.py", begin + rest).step
    model = nnx.Linear(4, 1, rngs=nnx.Rngs(0))
    opt = nnx.Optimizer(model, optax.adam(1e-3), wrt=nnx.Param)
    x, y = jnp.ones((8, 4)), jnp.ones((8, 1))
    call = unwrapped(step, (model, opt, x, y), {})
    found = propose(call.fun, call.args, call.kwargs, seconds=120, carried=call.carried)
    assert "nnx.cond(" in found.rewrites[0].source
    made = module_of(tmp_path / "rewritten.py", found.rewrites[0].source).step
    for data in (x, x * jnp.nan):
        want, got = fresh((model, opt)), fresh((model, opt))
        loss = call.fun(*want, data, y)
        assert jnp.allclose(made(*got, data, y), loss, equal_nan=True)
        assert all(map(jnp.allclose, jax.tree.leaves(want), jax.tree.leaves(got)))


@pytest.mark.usefixtures("unhurried")
def test_a_split_under_nnx_jit_leaves_no_jit_around_the_line_of_plain_python(tmp_path):
    """Its pieces are under nnx.jit, which carries out what they change in the model."""
    nnx = pytest.importorskip("flax.nnx")
    steps = module_of(
        tmp_path / "steps.py",
        "@nnx.jit\ndef step(model, x):\n"
        "    y = model(x)\n    y = y + jnp.tanh(y) * jnp.exp(y)\n    names = sorted({str(float(each)) for each in y[:, 0]})\n"
        "    return (y * len(names)).sum() + jnp.sin(y).mean()\n",
    )
    (split,) = diagnose(steps.step, nnx.Linear(4, 1, rngs=nnx.Rngs(0)), jnp.ones((8, 4))).splits
    assert "jax.jit" not in split.source and split.source.count("@nnx.jit") == len(split.pieces)
