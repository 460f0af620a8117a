"""Windows with a traced start and a known length."""

import jax
import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, check, define, offered

X = jnp.arange(12.0)
M = jnp.arange(24.0).reshape(6, 4)


@pytest.mark.parametrize(
    ("body", "array"),
    [
        ("return x[i : i + 3]", X),
        ("return x[i - 1 : i + 2] * 2", X),
        pytest.param("size = 2\n    return x[i * size : (i + 1) * size]", X, marks=pytest.mark.slow),
        pytest.param("return x[:, i : i + 2]", M, marks=pytest.mark.slow),
        pytest.param("return x[i : i + 2, 1:3]", M, marks=pytest.mark.slow),
        pytest.param("return x[i : i + 2, i : i + 2]", M, marks=pytest.mark.slow),
    ],
)
def test_a_window_that_leaves_becomes_a_dynamic_slice_which_does_not_serve_the_end(body, array):
    found = propose(define(f"def f(x, i):\n    {body}\n")["f"], (array, jnp.array(1)), {})
    assert not found.rewrites and "dynamic_slice" in found.unverified[0].patterns
    assert "past the end" in found.unverified[0].reason


BUFFER = "from typing import NamedTuple\n\nclass Buffer(NamedTuple):\n    data: object\n    size: object\n\n"


@pytest.mark.parametrize(
    ("data", "size"),
    [("buffer.data", "buffer.size"), ('buffer["data"]', 'buffer["size"]'), ("buffer.data", "buffer.data.shape[0] - n")],
)
@pytest.mark.parametrize("end", [".sum()", "[idx]"])
def test_a_bound_that_is_a_field_beside_its_array(data, size, end):
    """A field that is called `size` is no array's size; an array's own shape is none of its data."""
    namespace = define(f"{BUFFER}def f(buffer, idx, n):\n    return {data}[:{size}]{end}\n")
    make = namespace["Buffer"] if "[" not in data else lambda data, size: {"data": data, "size": size}
    idx = jnp.array([0, 2, 1])
    found = propose(namespace["f"], (make(X, jnp.array(5)), idx, jnp.array(3)), {})
    assert [each.patterns[-1] for each in found.rewrites] == ["where"]
    for filled in (3, 12):
        given = make(X, jnp.array(filled)), idx, jnp.array(filled - 2)
        wanted = namespace["f"](*given)
        with applied(found, namespace):
            assert jnp.allclose(jax.jit(namespace["f"])(*given), wanted)


@pytest.mark.parametrize(
    "body",
    [
        "return x.at[i : i + 3].set(7.0)",
        "return x.at[i : i + 3].add(jnp.ones(3))",
        pytest.param("return x.at[:i].set(0.0)", marks=pytest.mark.slow),
        pytest.param("return x.at[i:].multiply(2.0)", marks=pytest.mark.slow),
    ],
)
def test_an_update_of_a_window(body):
    check(f"def f(x, i):\n    {body}\n", (X, jnp.array(2)), (X, jnp.array(5)))


def test_windows_that_are_longer_than_a_short_array_are_said_to_fail_there():
    """Plain Python's loop has no round then; the window is traced all the same."""
    source = (
        "def f(x, t):\n    s = 0\n    total = 0.0\n    while s + 3 <= len(x):\n        part = x[s:s + 3]\n"
        "        if part.max() > t:\n            total = total + part.sum()\n            s = s + 3\n"
        "        else:\n            s = s + 1\n    return total\n"
    )
    first = propose(define(source)["f"], (X, jnp.array(3.0)), {}).rewrites[0]
    assert any("fails" in said and "on a single row" in said for said in first.compared.differences)


IMAGE = jnp.sin(jnp.arange(56.0)).reshape(8, 7)


@pytest.mark.parametrize(
    "expression",
    [
        "x[i - 2 : i + 2].mean()",
        "x[i - k : i + k + 1].sum()",
        "x[i - k // 2 : i + k // 2 + 1].sum()",
        "x[max(i - 2, 0) : i + 3].mean()",
        "jnp.max(x[i - 1 : i + 2], initial=-9.0)",
    ],
)
def test_a_window_around_a_place_is_a_mask_of_the_whole(expression):
    """For the first places Python counts its begin from the end and takes nothing; the last are cut off."""
    x = jnp.cos(jnp.arange(9.0))
    found = check(f"def f(x, i, k=2):\n    return {expression}\n", *((x, jnp.array(i)) for i in (4, 0, 1, 7, 8)), static=("k",))
    assert "where" in found.rewrites[0].patterns


@pytest.mark.parametrize(
    "expression",
    [
        "x[r - 1 : r + 2, c - 1 : c + 2].mean()",
        "x[max(r - 1, 0) : r + 2, max(c - 1, 0) : c + 2].sum()",
        "x[r:, :c].sum()",
        "x[r : r + 2, c : c + 3].max()",
    ],
)
def test_a_patch_of_an_image_is_a_mask_of_rows_and_of_columns(expression):
    """Nothing was found where both axes are cut by data, but for windows that begin at a place."""
    calls = [(IMAGE, jnp.array(r), jnp.array(c)) for r, c in ((3, 4), (1, 1), (6, 5), (2, 6))]
    check(f"def f(x, r, c):\n    return {expression}\n", *calls)


def test_a_window_that_is_returned_keeps_its_length():
    """Masked it would be longer than plain Python's: it stays the slice of JAX's own, which is not verified at the ends."""
    found = propose(define("def f(x, i):\n    w = x[i - 1 : i + 2]\n    return w * 2\n")["f"], (IMAGE[0], jnp.array(3)), {})
    assert not found.rewrites and "dynamic_slice_in_dim" in found.unverified[0].source


def test_an_option_that_decides_a_windows_length_is_static_beside_it():
    """It meets data in the bounds, and nothing was found where the call leaves it out."""

    def mean_around(x, i, size=2):
        return x[i - size : i + size].mean()

    def crop(x, r, c, size=2):
        return x[r - size : r + size, c - size : c + size]

    found = jm.diagnose(mean_around, IMAGE[0], jnp.array(3))
    assert found.verified
    found = jm.diagnose(crop, IMAGE, jnp.array(3), jnp.array(4))
    assert found.unverified[0].static_argnames == ("size",) and "dynamic_slice" in found.unverified[0].source


def test_more_than_three_kinds_of_calls_may_be_given_up():
    """A default that may be given, no rows, fewer of one array than of the other: each is said, and the last batch is right."""
    source = (
        "def f(w, X, y, k, size=2):\n    xb = X[k * size : (k + 1) * size]\n    yb = y[k * size : (k + 1) * size]\n"
        "    return jnp.mean((xb @ w - yb) ** 2)\n"
    )
    X, y = jnp.arange(15.0).reshape(5, 3) / 10, jnp.arange(5.0)
    calls = [(jnp.ones(3), X, y, jnp.array(k)) for k in (0, 1, 2)]
    found = check(source, *calls, seconds=30.0).rewrites[0]
    assert found.verified
    assert "where X and y alone are empty" in " ".join(found.compared.differences)


@pytest.mark.parametrize(
    "body",
    [
        "return jnp.mean(x[k:] * x[:-k])",
        "n = len(x) - k\n    return jnp.mean(x[k:] * x[:n]) / n",
        "n = len(x)\n    late, early = x[k:], x[: n - k]\n    return jnp.abs(late - early).sum()",
        "late = x[k:]\n    early = x[:-k]\n    return jnp.corrcoef(late, early)[0, 1]",
        "rows = jnp.outer(x, x[:2])\n    return ((rows[k:] - rows[:-k]) ** 2).sum(1).mean()",
    ],
)
def test_what_follows_meets_what_comes_before(body):
    """`x[k:]` and `x[:-k]` are equally many, each of which stands in another place."""
    x = jnp.array([1.0, 3.0, 2.0, -4.0, 5.0, 6.5, 2.0])
    check(f"def f(x, k):\n    {body}\n", *((x, jnp.array(k)) for k in (2, 1, 3)), seconds=30.0)


def test_a_bound_that_has_changed_since_is_another():
    """As many as x[k:] are x[:-k] of the same k alone."""
    source = "def f(x, k):\n    late = x[k:]\n    k = k + 1\n    early = x[:-k]\n    return (late[1:] * early).sum()\n"
    calls = [(X**2, jnp.array(k)) for k in (2, 1, 3)]
    found = propose(define(source)["f"], calls[0], {}, seconds=5.0)
    assert not found.rewrites  # none is known: one mask for both, as where k stays, would be wrong


def test_an_array_is_turned_by_bounds_from_its_end():
    source = "def f(x):\n    k = int(x[0])\n    return jnp.hstack([x[-k:], x[:-k]])\n"
    check(source, *((jnp.array([k, 3, 1, 2, -2]),) for k in (2, 0, -2, 9, -9)), seconds=10.0)


def test_an_area_below_a_selection_over_points_that_are_as_many():
    source = "def f(x):\n    y = x[x > 0]\n    return jnp.trapezoid(y, jnp.linspace(0, 1, y.size))\n"
    check(
        source, *((jnp.array(x),) for x in ([1.0, -2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 5.0], [-1.0, -2.0, 3.0, -4.0])), seconds=10.0
    )


def test_a_window_whose_size_is_left_out_is_no_slice_again():
    """Where the size is given it is a tracer, and a `dynamic_slice` refuses it: it was made a slice again, which became a
    `dynamic_slice`, and so on."""
    source = """
def f(key, img, crop=3):
    i, j = jax.random.randint(key, (2,), 0, img.shape[0] - crop + 1)
    return img[i : i + crop, j : j + crop]
"""
    namespace = define(source)
    image, keys = jnp.arange(36.0).reshape(6, 6), [jax.random.PRNGKey(seed) for seed in range(4)]
    found = jm.diagnose(namespace["f"], keys[0], image)
    assert found.rewrites[0].static_argnames == ("crop",) and "clip" not in found.rewrites[0].source
    wanted = [namespace["f"](key, image, crop) for key in keys for crop in (2, 3, 6)]
    with applied(found, namespace):
        fixed = jax.jit(namespace["f"], static_argnames="crop")
        got = [fixed(key, image, crop) for key in keys for crop in (2, 3, 6)]
    assert all(map(jnp.array_equal, got, wanted))


LISTS = """
DAYS = [31, 28, 31, 30, 31, 30]
WEIGHTS = (0.5, -0.25, 2.0, 1.5, 3.0, 0.75)
HOST = np.array([3.0, 1.0, 2.0, 5.0, 4.0])
ROWS = [jnp.ones(2), jnp.arange(2.0), jnp.full(2, 3.0)]

def before(table, k):
    return sum(table[:k])

"""
PARTS = {
    "the sum": "sum(DAYS[: k - 1]) + k",
    "between": "sum(WEIGHTS[1:k]) + len(DAYS[k:]) + len(DAYS[k - 1 : k + 1])",
    "the largest": "max(DAYS[:k]) + min(WEIGHTS[:k])",
    "a default": "max(DAYS[k:], default=0)",
    "two of them": "sum(a * b for a, b in zip(DAYS[:k], WEIGHTS[:k]))",
    "NumPy's": "HOST[:k].sum() + sum(HOST[k:])",
    "written there": "sum([31, 28, 31][:k]) + (1, 2, 4, 8)[:k][-1]",
    "in a helper": "before(DAYS, k) - before(WEIGHTS, k)",
    "made an array": "jnp.prod(jnp.array(WEIGHTS[:k])) + jnp.sum(jnp.asarray(DAYS[k:]))",
    "rows": "sum(ROWS[:k])",
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_a_list_of_numbers(part):
    """Nothing was found, or a split."""
    check(f"{LISTS}def f(k):\n    return {PARTS[part]}\n", *((jnp.array(k),) for k in (2, 1, 4, 5, 9)))


@pytest.mark.parametrize("weights", [[jnp.array(1.0), jnp.array(-2.0), jnp.array(4.0)], (0.5, 1.5, 2.5)])
def test_a_part_of_a_list_that_is_given(weights):
    body = "part = weights[:k]\n    return sum(part) / max(len(part), 1)"
    check(f"def f(weights, k):\n    {body}\n", *((weights, jnp.array(k)) for k in (2, 0, 1, 3, 7)))


def test_the_array_of_a_list_is_made_once():
    source = f"{LISTS}def f(k):\n    return sum(DAYS[: k - 1]) / len(DAYS[:k])\n"
    found = propose(define(source)["f"], (jnp.array(3),), {}).rewrites[0]
    assert found.source.count("jnp.array(DAYS)") == 1 and "    days = jnp.array(DAYS)\n" in found.source


@pytest.mark.parametrize("body", ["len(DAYS[:k] * 2)", "sum(DAYS[:k] + DAYS[:2])", "sum([2**30, 2**30, 2**30][:k]) * 1.0"])
def test_what_an_array_would_answer_otherwise_stays_a_list(body):
    """It is repeated, put beside another one, or its sum is larger than an array's numbers are."""
    assert "array" not in offered(f"{LISTS}def f(k):\n    return {body}\n", jnp.array(3))
