"""Random draws from what was selected: the same numbers as plain Python's."""

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

LOGITS = jnp.array([0.5, 2.0, -1.0, 0.1, 1.0])
KEYS = [jax.random.PRNGKey(seed) for seed in (0, 1, 2)]
NUCLEUS = """
def f(key, logits, p=0.8):
    order = jnp.argsort(-logits)
    probs = jax.nn.softmax(logits)[order]
    n = jnp.argmax(jnp.cumsum(probs) >= p) + 1
    probs = probs[:n] / probs[:n].sum()
    return order[jax.random.choice(key, n, p=probs)]
"""
AMONG_THE_LIKELIEST = """
def f(key, logits, p=0.8):
    order = jnp.argsort(-logits)
    kept = order[:jnp.searchsorted(jnp.cumsum(jax.nn.softmax(logits[order])), p) + 1]
    return kept[jax.random.categorical(key, logits[kept])]
"""


@pytest.mark.parametrize("source", [NUCLEUS, AMONG_THE_LIKELIEST])
def test_a_token_of_the_nucleus(source):
    calls = [(key, logits) for key in KEYS for logits in (LOGITS, -LOGITS, LOGITS[:3])]
    check(source, *calls, (KEYS[0], LOGITS, 0.2))


@pytest.mark.parametrize(
    "drawn",
    [
        "jax.random.choice(key, x[x > 0], shape=(3,))",
        "jax.random.choice(key, x[x > 0], p=x[x > 0] / x[x > 0].sum())",
        pytest.param("jax.random.categorical(key, x[x > 0])", marks=pytest.mark.slow),
    ],
)
def test_an_element_of_a_selection(drawn):
    check(f"def f(key, x):\n    return {drawn}\n", *[(key, x) for key in KEYS for x in (LOGITS, LOGITS[::-1], -LOGITS)])


@pytest.mark.parametrize(
    "drawn", ["data[jax.random.choice(key, size, (4,))]", "data[jax.random.choice(key, jnp.arange(size))]"]
)
def test_a_row_below_a_count_that_is_data(drawn):
    """As a replay buffer is sampled, as far as it is filled."""
    source = f"def f(key, data, size):\n    return {drawn}\n"
    check(source, *[(key, LOGITS, jnp.array(size)) for key in KEYS for size in (1, 3, 5)])


@pytest.mark.parametrize("drawn", ["data[:size][idx]", "jax.random.choice(key, data[:size], (4,))"])
def test_rows_of_the_part_of_a_buffer_that_is_filled(drawn):
    """Whole rows; an index beyond the last one is the last one, as for JAX."""
    source = f"def f(key, data, size):\n    idx = jax.random.randint(key, (4,), 0, size)\n    return {drawn}\n"
    check(source, *[(key, jnp.arange(10.0).reshape(5, 2), jnp.array(size)) for key in KEYS for size in (1, 3, 5)])


@pytest.mark.parametrize("make", [jax.random.PRNGKey, jax.random.key])
def test_a_branch_that_is_drawn_is_taken_both_ways(make):
    """Keys were varied to one other, with which every second call took the same side."""
    source = "def f(key, img):\n    if jax.random.uniform(key) > 0.3:\n        return img\n    return img[::-1]\n"
    for seed in range(4):
        compared = propose(define(source)["f"], (make(seed), LOGITS), {}).rewrites[0].compared
        assert compared.branches == "both branches" and not compared.not_reached


BOOTSTRAP = """def f(x, rounds, seed=3):
    rng = {made}
    kept = []
    for _ in range(rounds):
        chosen = x[{drawn}]
        if chosen.std() > 0:
            kept.append(chosen.mean())
    return jnp.array(kept).mean(), len(kept)
"""
DRAWN = "rng.integers(0, len(x), len(x))"


@pytest.mark.parametrize(
    ("made", "drawn"),
    [
        ("np.random.default_rng(0)", DRAWN),
        ("np.random.default_rng(seed)", DRAWN),
        ("np.random.default_rng(seed=7)", DRAWN),
        ("np.random.RandomState(0)", "rng.randint(0, len(x), len(x))"),
    ],
)
def test_numbers_of_a_generator_that_is_made_from_a_seed_are_the_same_in_each_run(made, drawn):
    """Each was said to use host randomness, which no two runs can be compared on."""
    x = jnp.array([1.0, 2.0, 4.0, 3.0])
    source = BOOTSTRAP.format(made=made, drawn=drawn)
    assert check(source, (x, 6), (jnp.ones(4), 6), (-x, 6), static=("rounds",), seconds=30.0).rewrites[0].verified


SUMMED = "s = 0.0\n    for v in x:\n        if v > 0:\n            s = s + v{factor}\n    return s{end}"


@pytest.mark.parametrize(
    ("seed", "lines"),
    [
        ("", SUMMED.format(factor="", end=" + rng.normal()")),
        ("None", SUMMED.format(factor="", end=" + rng.normal()")),
        ("0", SUMMED.format(factor=" * rng.normal()", end="")),
        ("0", "s = x[0]\n    while s < 3:\n        s = s + rng.random()\n    return s"),
    ],
)
def test_without_a_seed_or_where_data_tells_how_often_is_drawn_they_are_not(seed, lines):
    source = f"def f(x):\n    rng = np.random.default_rng({seed})\n    {lines}\n"
    found = propose(define(source)["f"], (jnp.array([1.0, -1.0, 2.0]),), {})
    assert not any(each.verified for each in found.rewrites)
