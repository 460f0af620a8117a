"""What `jax_internals` takes from JAX's inside is there in this JAX, and each public fallback gives what it says."""

from __future__ import annotations

import subprocess
import sys
import traceback

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from checkout import ROOT

from jupyter_jitmagic.base import jax_frames
from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.sandbox.rerun import OutOfTime, rerun


def test_the_fast_trace_state_is_in_use_and_says_what_the_public_one_says() -> None:
    assert not isinstance(internals.TRACE, internals._Plain)
    fallback = internals._Plain()
    seen: list[tuple[bool, bool]] = []

    def look(x):
        seen.append((internals.TRACE.value is internals.IDLE, fallback.value))
        return x

    look(1.0)
    jax.jit(look)(1.0)
    jax.grad(look)(1.0)
    jax.vmap(look)(jnp.ones(2))
    assert seen == [(True, True), (False, False), (False, True), (False, True)]
    with jax.disable_jit():
        assert not fallback.value


def test_the_aval_of_an_array_is_had_without_a_look_at_anything_else() -> None:
    asked: list[str] = []

    class Nosy:
        def __getattribute__(self, name: str) -> object:
            asked.append(name)
            return object.__getattribute__(self, name)

    aval_of, x = internals.AVAL_OF_ARRAY, jnp.ones(3)
    assert aval_of is not None and aval_of(x) is x.aval
    for other in (Nosy(), 1.0, x.__array__(), x.aval, jax.random.key(0)):
        with pytest.raises(TypeError):
            aval_of(other)
    assert asked == []


def test_arrays_of_keys_are_told_by_the_array_below_and_all_else_by_itself() -> None:
    keys = jax.random.split(jax.random.key(0), 3)
    assert internals.told_by(keys).is_ready() in (True, False) and internals.told_by(keys) is internals.told_by(keys)
    traced: list[bool] = []
    jax.vmap(lambda key: traced.append(internals.told_by(key) is key))(keys)
    assert traced == [True]
    for other in (jnp.ones(3), jax.random.PRNGKey(0), 1.0, "keys", None):
        assert internals.told_by(other) is other


@pytest.mark.parametrize(
    "transform, name",
    [
        (lambda f: f(1.0), ""),
        (lambda f: jax.grad(f)(1.0), "grad"),
        (lambda f: jax.vmap(f)(jnp.ones(2)), "vmap"),
        (lambda f: jax.jvp(f, (1.0,), (1.0,)), "jvp"),
        (lambda f: jax.vmap(jax.grad(f))(jnp.ones(2)), "vmap of grad"),
        (lambda f: jax.grad(lambda x: jax.vmap(f)(x).sum())(jnp.ones(2)), "grad of vmap"),
        (lambda f: jax.jit(f)(1.0), None),
        (lambda f: jax.jit(jax.grad(f))(1.0), None),
    ],
)
def test_eager_transformations_have_names_and_a_trace_has_none(transform, name) -> None:
    seen = []
    transform(lambda x: (seen.append(internals.transformations()), x)[1])
    assert seen == [name]


def test_disabling_jit_is_heard_in_every_way() -> None:
    heard: list[bool] = []
    follower = internals._DisableJitFollower()
    before = internals.DISABLE_JIT._update_global_hook, internals.DISABLE_JIT._update_thread_local_hook
    try:
        follower.follow(heard.append)
        with jax.disable_jit():
            assert heard[-1] is True
        assert heard[-1] is False
        jax.config.update("jax_disable_jit", True)
        assert heard[-1] is True
        jax.config.update("jax_disable_jit", False)
        assert heard[-1] is False
    finally:
        internals.DISABLE_JIT._update_global_hook, internals.DISABLE_JIT._update_thread_local_hook = before


def test_the_cache_size_counts_calls_answered_alone_and_jit_options_are_resolved() -> None:
    f = jax.jit(lambda x, n: x * n, static_argnames="n")
    assert internals.cache_size(f) == 0
    f(1.0, n=2)
    assert internals.cache_size(f) == 1
    assert internals.cache_size(len) is None
    assert jax_frames.jit_options(f).static_argnums == (1,) and jax_frames.jit_options(f).static_argnames == ("n",)
    assert jax_frames.jit_options(len, {"static_argnums": 1, "donate_argnames": "x"}) == ((1,), (), (), ("x",))


def test_a_failed_call_under_plain_jit_is_found_in_its_traceback() -> None:
    def f(x, n):
        return x[:n]

    previous = jax.config.jax_traceback_filtering
    jax.config.update("jax_traceback_filtering", "off")
    try:
        with pytest.raises(IndexError) as caught:
            jax.jit(f)(jnp.ones(3), 2)
    finally:
        jax.config.update("jax_traceback_filtering", previous)
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    calls = [call for frame in frames if (call := jax_frames.failed_plain_call(frame)) is not None]
    assert [(call.fun, call.args[1]) for call in calls] == [(f, 2)]


def test_the_names_of_jaxs_events_are_right() -> None:
    heard: set[str] = set()

    def listen(event, *_, **__):
        heard.add(event)

    jax.monitoring.register_event_time_span_listener(listen)
    try:
        jax.jit(lambda x: x * 3.25)(jnp.ones(2))
    finally:
        jax.monitoring.unregister_event_time_span_listener(listen)
    assert {internals.TRACE_EVENT, internals.LOWER_EVENT, internals.COMPILE_EVENT} <= heard


WITHOUT = """
import builtins
real = builtins.__import__
def hook(name, globals=None, locals=None, fromlist=(), level=0):
    if name.startswith("jax._src") and str((globals or {}).get("__name__", "")).startswith("jupyter_jitmagic"):
        raise ImportError(name)
    return real(name, globals, locals, fromlist, level)
builtins.__import__ = hook
import jax, jax.numpy as jnp
import jupyter_jitmagic as jm

@jm.jit(static_argnames="k")
def f(x, k=2):
    return x * k if k else x[7, 7]

x = jnp.ones(3)
f(x), f(x), f(jnp.ones(4)), f(x), f(x, k=3)
try:
    f(x, k=0)
except IndexError:
    pass
jax.jit(lambda x: f(x))(x)
with jax.disable_jit():
    f(x)
for _ in range(2):
    jax.grad(lambda x: f(x).sum())(x)
f(x)
f.clear_cache()
f(x)
print(*jm.stats("calls").outcome)
print(*jm.stats("entries").transformation.unique(), sep="|")
print(*jm.stats("misses").cause)
print(jm.faults.details() or "no fault")
"""


def test_without_anything_of_jaxs_inside_calls_are_still_told_apart() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert done.stdout.splitlines() == [
        "miss hit miss hit miss error inlined inlined miss hit hit miss",
        "|a transformation",
        "first_call shape static_value first_call cleared",
        "no fault",
    ], done.stdout + done.stderr


def test_every_option_of_jax_is_told_as_this_thread_has_it() -> None:
    """`keep=True` compares them: also what no cache key of JAX's holds, and what a ``with`` sets for one thread."""
    told = dict(internals.options_set())
    assert {"jax_debug_nans", "jax_default_prng_impl", "jax_platforms", *internals._PUBLIC_OPTIONS} <= told.keys()
    with jax.debug_nans(True):
        assert dict(internals.options_set())["jax_debug_nans"] is True and told["jax_debug_nans"] is False


CONFIGURATIONS = {
    "jax_enable_x64": True, "jax_default_matmul_precision": "highest", "jax_numpy_dtype_promotion": "strict",
    "jax_numpy_rank_promotion": "raise", "jax_threefry_partitionable": False, "jax_default_device": jax.devices()[0],
    "jax_random_seed_offset": 3, "jax_softmax_custom_jvp": True, "jax_explicit_x64_dtypes": "allow", "jax_disable_jit": True,
}  # fmt: skip


def test_every_option_of_a_jit_key_can_be_had_again() -> None:
    """Each that is on or off is switched; of the others those above are set."""
    from jax._src import config

    tried = 0
    for name, value in internals.jit_config():
        state = config.config._value_holders.get(name)
        if state is None or (type(value) is not bool and name not in CONFIGURATIONS):
            continue
        with state(CONFIGURATIONS.get(name, not value)):
            wanted = internals.jit_config()
        before = internals.jit_config()
        with internals.in_config(wanted) as is_so:
            assert is_so, name
            assert dict(internals.jit_config())[name] != value or name == "jax_disable_jit"
        assert internals.jit_config() == before
        tried += 1
    assert tried > 15


def test_a_mesh_in_context_can_be_had_again_and_what_cannot_is_told() -> None:
    with jax.set_mesh(jax.make_mesh((1,), ("i",))):
        wanted = internals.jit_config()
    with internals.in_config(wanted) as is_so:
        assert is_so
    with internals.in_config([*wanted[:-1], ("nowhere", 1)]) as is_so:
        assert not is_so


def test_a_context_that_a_stopped_run_left_entered_is_left_behind_by_nobody() -> None:
    """The end of a limit can arrive as JAX enters one of its contexts, which then knows nothing to leave."""

    def stopped() -> None:
        jax.enable_x64(True).__enter__()
        jax.numpy_dtype_promotion("strict").__enter__()
        jax.default_matmul_precision("highest").__enter__()
        raise OutOfTime

    before = internals.options_set()
    with jax.debug_infs(True):
        with pytest.raises(OutOfTime):
            rerun(stopped)
        assert jax.config.jax_debug_infs  # of the one who asks
    assert internals.options_set() == before
    assert jax.jit(lambda x: x * np.float32(2) + jnp.int32(1))(1.0).dtype == jnp.float32


def test_options_can_be_had_again_by_the_public_way(monkeypatch: pytest.MonkeyPatch) -> None:
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        wanted = internals.jit_config()
    monkeypatch.setitem(sys.modules, "jax._src.config", None)
    monkeypatch.delattr("jax._src.config")
    with jax.numpy_rank_promotion("warn"), internals.in_config([(n, v) for n, v in wanted if n in internals._PUBLIC_OPTIONS]):
        assert jax.config.jax_enable_x64 and jax.config.jax_default_matmul_precision == "highest"
        assert jax.config.jax_numpy_rank_promotion == "allow"


@pytest.mark.parametrize("public", [False, True])
def test_tracebacks_are_left_whole_in_a_block_and_nothing_is_traced_again_for_it(
    public: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced = []
    jitted = jax.jit(lambda x: traced.append(x) or x + 1)
    jitted(1.0)
    if public:
        monkeypatch.setitem(sys.modules, "jax._src.config", None)
        monkeypatch.delattr("jax._src.config")
        internals._config_holder.cache_clear()
    before = jax.config.jax_traceback_filtering
    with pytest.raises(TypeError) as met, internals.whole_tracebacks():
        jitted(1.0)
        jnp.add("a", 1)
    assert any(jax_frames.is_jax_frame(frame.path.as_posix()) for frame in met.traceback if hasattr(frame.path, "as_posix"))
    assert len(traced) == 1 and jax.config.jax_traceback_filtering == before


def test_jax_shows_for_which_processes_it_compiles_and_what() -> None:
    """Where it lowers, the processes of its devices; where it compiles, the program, too."""
    seen: dict[str, tuple[tuple[int, ...], str]] = {}

    def heard(event: str, value: float, **_: object) -> None:
        if event in (internals.LOWER_EVENT, internals.COMPILE_EVENT):
            frame = sys._getframe(1)
            seen[event] = jax_frames.processes_compiled_for(frame), jax_frames.lowered_text(frame)

    argument = jax.device_put(jnp.ones(3), jax.devices()[0])
    jax.monitoring.register_scalar_listener(heard)
    try:
        jax.jit(lambda x: x * 3)(argument)
    finally:
        jax.monitoring.unregister_scalar_listener(heard)
    assert seen[internals.LOWER_EVENT] == ((0,), "") and seen[internals.COMPILE_EVENT][0] == (0,)
    text = seen[internals.COMPILE_EVENT][1]
    assert "stablehlo.multiply" in text and __file__ not in text
    assert jax_frames.processes_compiled_for(sys._getframe()) == () and jax_frames.lowered_text(sys._getframe()) == ""


def test_the_store_between_processes_is_as_we_ask_it() -> None:
    """A program of one process has none; the client of several has what is called."""
    from jax._src import distributed
    from jax._src.lib import _jax

    assert internals.distributed() is None
    assert {"client", "process_id", "num_processes"} <= set(dir(distributed.global_state))
    for name in ("key_value_set", "key_value_try_get", "key_value_dir_get"):
        assert callable(getattr(_jax.DistributedRuntimeClient, name))


def test_what_a_tracer_of_vmap_or_grad_stands_for_is_had_and_of_a_trace_nothing() -> None:
    """The names that `value_below` reads mean what it takes them for; without them it knows of nothing."""
    found: list = []
    jax.vmap(lambda x: found.append(x) or x, in_axes=1)(jnp.array([[1.0, 2.0], [3.0, 4.0]]))
    jax.grad(lambda x: found.append(x) or x * 2)(5.0)
    jax.jit(lambda x: found.append(x) or x)(6.0)
    first, primal, traced = found
    assert internals.value_below(first).tolist() == [1.0, 3.0] and float(internals.value_below(primal)) == 5.0
    assert internals.value_below(traced) is None and internals.value_below(7.0) == 7.0
    jax.vmap(lambda x: found.append(x) or x)(jnp.zeros((0, 2)))
    assert internals.value_below(found[-1]) is None  # nothing is first


def test_an_array_is_placed_as_another_lies():
    """With its weak type, as `jax.device_put` does not; nothing for another shape or dtype, nor where it lies on a mesh."""
    device = jax.devices()[0]
    for old in (jnp.ones(3), jnp.asarray(1.5), jnp.arange(4, dtype=jnp.int8), jax.device_put(jnp.ones((2, 2)), device)):
        values = np.array(old) * 2
        made = internals.placed_like(old, values)
        assert made is not None
        assert (made.aval, made.sharding, made.committed) == (old.aval, old.sharding, old.committed)
        assert (np.asarray(made) == np.asarray(old) * 2).all() and (made + 1).dtype == (old + 1).dtype
    assert internals.placed_like(jnp.ones(3), np.ones(4, np.float32)) is None
    assert internals.placed_like(jnp.ones(3), np.ones(3)) is None
    over_mesh = jax.sharding.NamedSharding(jax.sharding.Mesh([device], "x"), jax.sharding.PartitionSpec("x"))
    assert internals.placed_like(jax.device_put(jnp.ones(3), over_mesh), np.ones(3, np.float32)) is None
    assert internals.placed_like(np.ones(3, np.float32), np.ones(3, np.float32)) is None


@pytest.mark.parametrize(
    "values", [np.ones((2, 3), np.float32), np.arange(3, dtype=np.int32), np.array(True), np.zeros((0, 2), "f4")]
)
def test_an_array_is_placed_as_device_put_places_it(values: np.ndarray) -> None:
    made, wanted = internals.placed(values), jax.device_put(values)
    assert made is not None
    assert (made.aval, made.sharding, made.committed) == (wanted.aval, wanted.sharding, wanted.committed)
    assert np.array_equal(np.asarray(made), values)


def test_what_device_put_changes_or_puts_elsewhere_is_left_to_it() -> None:
    """Numbers of 64 bits, and another default device; a number of Python's is weak where that is asked for."""
    assert internals.placed(np.ones(3)) is None
    with jax.default_device(jax.devices()[0]):
        assert internals.placed(np.ones(3, np.float32)) is None
    weak = internals.placed(np.float32(2.5), weak_type=True)
    assert weak is not None and weak.aval == jnp.asarray(2.5).aval


def test_jax_reads_no_stack_for_an_error_where_tracebacks_are_left_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a recursion that took a third of an answer; outside the block it reads them as before."""
    from jax._src import traceback_util

    reads, before = [], traceback_util._is_under_reraiser
    extract = traceback_util.traceback.extract_stack
    monkeypatch.setattr(traceback_util.traceback, "extract_stack", lambda *args: reads.append(args) or extract(*args))
    with internals.whole_tracebacks(), pytest.raises(TypeError):
        jax.jit(lambda x: x + "a")(1.0)
    assert not reads and traceback_util._is_under_reraiser is before
    with pytest.raises(TypeError):
        jax.jit(lambda x: x + "a")(1.0)
    assert reads
