"""`jnp.repeat(x, counts)`: what depends on no order is computed of x, each element as often as it comes."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis import diagnose

from .helpers import check, define

X = jnp.array([2.0, 2.0, 3.0, -2.0, 0.1, -0.3])
COUNTS = jnp.array([0, 1, 3, 2, 1, 0])
CALLS = [(X, COUNTS), (-X, COUNTS[::-1]), (X[:3], jnp.array([2, 2, 2])), (X[:1], jnp.array([1]))]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("return len(s), s.size + 1, s.shape[0] > 3", id="length"),
        pytest.param("return s.sum(), s.mean(), (s > 0).sum()", id="sum"),
        pytest.param("return s.std(), jnp.var(s, ddof=1)", id="spread"),
        pytest.param("return jnp.median(s), jnp.quantile(s, 0.3), jnp.percentile(s, 80)", id="ranks"),
        pytest.param("s = (s - s.mean()) ** 2\n    return jnp.max(s), jnp.linalg.norm(s)", id="elementwise"),
        pytest.param("s = s[s < 2.5]\n    return s.sum(), len(s)", id="masked"),
        pytest.param(
            "low = jnp.compress(s < 2.5, s)\n    return jnp.extract(s > s.mean(), s).sum(), low.size", id="compressed"
        ),
        pytest.param("s = jnp.sort(s * 2)[::-1]\n    return s[0] - s[-1], s.std(), jnp.median(s)", id="sorted"),
        pytest.param("return s[0] + 2 * s[-1], jnp.flip(s[s < 2.5]).mean()", id="ends"),
    ],
)
def test_each_element_counts_as_often_as_it_comes(body):
    source = f"def f(x, counts):\n    s = jnp.repeat(x, counts)\n    {body}\n"
    proposals = check(source, *CALLS, seconds=30.0)
    assert "repeat" not in proposals.rewrites[0].source


def test_numpy_s_and_the_method_are_repeats_as_well():
    check("def f(x, counts):\n    return np.repeat(x, counts).sum() + x.repeat(counts).max()\n", *CALLS, seconds=30.0)


def test_where_equal_elements_come_differently_often_the_gradient_of_the_largest_is_said_to_be_another():
    found = diagnose(define("def f(x, counts):\n    return jnp.repeat(x, counts).max()\n")["f"], X, COUNTS)
    assert "its gradient is another at a tie" in str(found)


@pytest.mark.parametrize(
    "end",
    [
        "jnp.cumsum(s)[-2]",
        "s[jnp.argsort(s)][0]",
        "jnp.diff(s).sum()",
        "s @ s",
        "jnp.concatenate([s, x]).sum()",
        "(s * s[::-1]).sum()",
        "s[::2].sum()",
    ],
)
def test_what_depends_on_the_order_or_a_neighbour_is_not_taken_for_known(end):
    found = diagnose(define(f"def f(x, counts):\n    s = jnp.repeat(x, counts)\n    return {end}\n")["f"], X, COUNTS)
    assert not found.rewrites


@pytest.mark.parametrize(
    "end",
    [
        "s[1], s[(len(s) - 1) // 2], s[-2]",
        "s[s < 2.5][1] + s[jnp.sum(counts) // 2]",
        "s[jnp.array([2, 0, -1])]",
        "jnp.sort(s)[2] - jnp.flip(s)[1]",
    ],
)
def test_a_place_is_found_by_how_many_come_before(end):
    """Those that come never are passed over; past the end it is the last one, as JAX takes it."""
    calls = [*CALLS[:3], (X, COUNTS.at[4].set(0)), (X[:2], jnp.array([0, 1]))]
    assert (
        "repeat"
        not in check(f"def f(x, counts):\n    s = jnp.repeat(x, counts)\n    return {end}\n", *calls).rewrites[0].source
    )


def test_counts_of_billions_are_not_tried():
    """Plain Python would make arrays of gigabytes of them, in one operation that looks at no clock."""
    f = define("def f(x, counts):\n    s = jnp.repeat(x, counts)\n    return len(s)\n")["f"]
    assert diagnose(f, X, COUNTS).rewrites


def test_a_histogram_and_what_is_made_of_its_results():
    ends = "jnp.histogram(s, bins=3, range=(-2.5, 2.5))[0][1] + len(s)"
    check(f"def f(x, counts):\n    s = jnp.repeat(x, counts)\n    return {ends}\n", *CALLS, seconds=30.0)
