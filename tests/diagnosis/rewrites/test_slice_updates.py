"""Updates of a part of an array whose place is data, and slices that are spelled by calls."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define, offered

M = jnp.arange(24.0).reshape(6, 4)
A, B = jnp.array(1), jnp.array(3)
LENGTHS = jnp.array([1, 4, 0, 2, 3, 1])


@pytest.mark.parametrize(
    "body",
    [
        "return x.at[a:b, a:b].set(0.0)",
        "return x.at[:, a:b].set(y[:, a:b])",
        "return x.at[a:b].set(0.5 * x[a:b] + 0.5 * y[a:b])",
        "return x.at[a : a + 2, b - 2 : b].add(1.0)",
        pytest.param("return x.at[2, a:b].multiply(3.0)", marks=pytest.mark.slow),
        pytest.param("return x.at[a:, :b].min(5.0)", marks=pytest.mark.slow),
    ],
)
def test_a_box_whose_sides_are_data_is_updated(body):
    source = f"def f(x, y, a, b):\n    {body}\n"
    ends = [(A, B), (jnp.array(0), jnp.array(9)), (jnp.array(3), jnp.array(2))]
    calls = [(x, -x, a, b) for x in (M, M.astype(int), M[:3]) for a, b in ends]
    if "a + 2" in body:
        calls = [(M, -M, A, B), (M.astype(int), -M, A, B)]
    check(source, *calls)


def test_each_row_up_to_its_own_length_is_updated_in_a_loop():
    source = (
        "def f(x, lengths):\n    for k in range(x.shape[0]):\n        x = x.at[k, lengths[k]:].set(-jnp.inf)\n    return x\n"
    )
    check(source, (M, LENGTHS), (M[:2], LENGTHS[:2]))


def test_a_wider_value_makes_no_wider_array():
    """`.set` keeps the array's own dtype."""
    check("def f(x, y, a, b):\n    return x.at[a:b].set(y[a:b])\n", (M, -M, A, B), (M.astype(int), -M, A, B))


@pytest.mark.parametrize(
    "body",
    [
        "part = lax.dynamic_slice_in_dim(x, a, b)\n    return jnp.tanh(part).sum(axis=0)",
        "return x.at[:b].get().sum()",
        pytest.param("return lax.dynamic_slice(x, (a, 1), (b, 2)).max()", marks=pytest.mark.slow),
        pytest.param("return lax.dynamic_slice_in_dim(x, 0, b, axis=1).mean()", marks=pytest.mark.slow),
    ],
)
def test_a_slice_spelled_by_a_call(body):
    """With a size that is data; a start near the end is moved as JAX moves it."""
    check(f"def f(x, a, b):\n    {body}\n", (M, A, B), (M, jnp.array(5), B), (M[:4], A, jnp.array(2)))


@pytest.mark.parametrize(
    "body",
    [
        "return x.at[:2, x[0] > 1].set(0)",
        "return x.at[x[:, 0] > 1, 1:3].set(x[x[:, 0] > 1, 1:3] * 2)",
        "return x.at[1, x[1] > 1].add(a)",
        pytest.param("return x.at[:, x[0] > 1].multiply(a)", marks=pytest.mark.slow),
        pytest.param("return x.at[x[:, 0] > 1, a].set(x.max())", marks=pytest.mark.slow),
        pytest.param("return x[..., None].at[x > 1].set(0)", marks=pytest.mark.slow),
        pytest.param("return x[..., None].at[x[:, 1] > 1, :2].set(0)", marks=pytest.mark.slow),
    ],
)
def test_a_mask_beside_slices_and_numbers_is_updated(body):
    calls = [(x, a) for x in (M, M.astype(int), M[:3] - 2) for a in (A, B)]
    check(f"def f(x, a):\n    {body}\n", *calls)


def test_values_in_the_order_of_the_selected_places_are_not_broadcast():
    """`x.at[m, 1].set(v)` gives the first of v to the first place of the mask, wherever that is."""
    namespace = define("def f(x, v):\n    return x.at[x[:, 0] > 1, 1].set(v)\n")
    assert not propose(namespace["f"], (M, jnp.arange(5.0)), {}).rewrites


def test_floats_put_among_integers_at_a_mask_are_integers_as_in_the_update():
    """`.at[mask].set` keeps the array's dtype, and `where` would not."""
    source = "def f(x, t):\n    m = x > t\n    return x.at[m].set(x[m] * t)\n"
    whole = jnp.array([3, 2, -2, 1])
    found = check(source, (whole, 1.5), (whole, 9.0))
    assert ".astype(x.dtype)" in found.rewrites[0].source
    assert "astype" not in check(source, (whole * 1.0, 1.5)).rewrites[0].source


def test_a_box_is_set_to_the_same_box_of_other_rows():
    """As a patch of one picture is pasted into another: `y[::-1, a:b]` at `[:, a:b]`; elsewhere in it is another box."""
    calls = [(M, -M, A, B), (M, -M, jnp.array(0), jnp.array(9)), (M[:2], -M[:2], B, A)]
    check("def f(x, y, a, b):\n    return x.at[:, a:b].set(y[::-1, a:b])\n", *calls)
    rows = "def f(x, y, a, b):\n    order = jnp.argsort(-x[:, 0])\n    return x.at[:, a:b].set(0.5 * y[order, a:b])\n"
    check(rows, *calls)


@pytest.mark.parametrize("other", ["y[::2, a:b]", "y[:, b:a]", "y[0, a:b]"])
def test_another_box_is_not_taken_for_the_same(other):
    """What is read has to be as large as what is set, row by row, or it is broadcast by plain Python alone."""
    from .helpers import applied

    namespace = define(f"def f(x, y, a, b):\n    return x.at[:, a:b].set({other})\n")
    args = (M, -M, A, B)
    proposals = propose(namespace["f"], args, {})
    if proposals.rewrites:
        want = namespace["f"](*args)
        with applied(proposals, namespace):
            assert jnp.array_equal(namespace["f"](*args), want)


@pytest.mark.parametrize(
    "body",
    [
        "v = x[a:, 0]\n    v = v / jnp.linalg.norm(v)\n    return x.at[a:, 0].set(v)",
        "return x.at[a:, b].set(x[a:, b] / 2)",
        "v = x[a:, 0]\n    return x.at[a:].set(x[a:] - jnp.outer(v, v @ x[a:]))",
        pytest.param("w = x[b, a:]\n    return x.at[b, a:].add(w - w.sum())", marks=pytest.mark.slow),
        pytest.param("return x.at[a:, :b].subtract(jnp.sum(x[a:, :b]))", marks=pytest.mark.slow),
    ],
)
def test_a_part_is_set_to_what_was_computed_of_such_a_part(body):
    """As each step of a factorization does: rows, and a column or a row from the diagonal on."""
    calls = [(M[2:], A, B), (M - 2, jnp.array(3), jnp.array(2)), (M[:3] + 1, jnp.array(0), jnp.array(1))]
    check(f"def f(x, a, b):\n    {body}\n", *calls)


def test_a_part_of_a_longer_array_is_set_to_what_was_computed_of_a_shorter_one():
    """Its elements stand where they stood, which is another array's place."""
    source = "def f(x, y, a):\n    u = x[:a, 0] * 2\n    return y.at[:a].set(jnp.sqrt(u)), u.sum()\n"
    check(source, (M, jnp.ones(6), B), (M, jnp.ones(9), B), (M, jnp.ones(4), B))


def test_a_row_of_a_mask_is_set_up_to_a_length_that_may_count_from_the_end():
    """Where integers are all that the function is given, some of them are below 0 in what is compared: as bounds they count
    from the end, and the mask of a batch had no rewrite."""
    source = (
        "def f(lengths, size=6):\n    mask = np.zeros((len(lengths), size))\n    for k, n in enumerate(lengths):\n"
        "        mask[k, : int(n)] = 1.0\n    return jnp.array(mask)\n"
    )
    check(source, (LENGTHS,), (-LENGTHS,), (LENGTHS * 3,))


@pytest.mark.parametrize(
    "body",
    [
        "m = jnp.isnan(X[:, j])\n        if m.any():\n            X = X.at[m, j].set(X[~m, j].mean())",
        "bad = X[:, j] < 0\n        good = X[~bad, j]\n        if good.size == 0:\n            continue\n"
        "        X = X.at[bad, j].set(jnp.median(good))",
    ],
)
def test_what_a_column_lacks_is_filled_from_what_was_selected_of_it(body):
    """The update stands behind the selection, whose length is followed there."""
    tables = [[[1.0, jnp.nan], [2, -3], [3, 5]], [[1.0, 2], [2, 3], [3, 5]], [[1.0, -2], [-2, 3], [-3, 5]]]
    source = f"def f(X):\n    for j in range(X.shape[1]):\n        {body}\n    return X\n"
    check(source, *((jnp.array(each),) for each in tables), seconds=20.0)


@pytest.mark.parametrize("place", [":, k", "..., k"])
def test_columns_that_are_selected_are_put_back_where_they_were(place):
    """As rows are: `X.at[k].set(…)`."""
    source = (
        f"def f(x, k):\n    part = x[{place}]\n    part = (part - part.mean(axis=0)) * 2\n    return x.at[{place}].set(part)\n"
    )
    table = jnp.array([[1.0, 2.0, 4.0], [5.0, 3.0, -1.0]])
    found = check(source, *((table, jnp.array(k)) for k in ([True, False, True], [False] * 3, [True] * 3)))
    assert "jnp.where(k, part, x)" in found.rewrites[0].source


def test_an_image_without_channels_is_updated_as_one_with():
    """`img.shape[:2]` is asked of images of either kind: the mask was made for three axes, and another call failed."""
    box = "y : jnp.clip(y + 2, 0, h), x : jnp.clip(x + 3, 0, w)"
    source = f"def f(img, y, x):\n    h, w = img.shape[:2]\n    return img.at[{box}].set(0.0)\n"
    image = jnp.arange(60.0).reshape(4, 5, 3) + 1
    check(source, (image, A, B), (image[..., 0], B, A), (image[:2, :2], A, A))


@pytest.mark.parametrize("body", ["x.at[i : i + len(v)].set(v)", "x.at[i : len(v) + i].add(v)", "x[i : i + len(v)] * v"])
def test_a_window_as_long_as_another_array_has_a_known_length(body):
    """`len(v)` was taken for data, where `v.shape[0]` was not."""
    source = f"def f(x, v, i):\n    return {body}\n"
    check(source, *((jnp.arange(8.0), jnp.ones(n) * 7, jnp.array(i)) for n in (2, 3) for i in (0, 4)))


def test_a_window_as_long_as_a_selection_has_no_known_length():
    source = "def f(x, i):\n    v = x[x > 2]\n    return x[i : i + len(v)].sum()\n"
    assert "dynamic_slice" not in offered(source, jnp.arange(5.0), A)


@pytest.mark.parametrize(
    "body",
    ["out[k:] = x[:-k]", "out[: len(x) - k] = x[k:]", "out[:k] = x[:k] * 2", "out[k:] = x[k:] - x[: len(x) - k]"],
)
def test_a_buffer_of_numpy_is_set_to_a_part_that_data_cuts(body):
    """The place was looked at alone that is read, and it has no known length."""
    source = f"def f(x, k):\n    out = np.zeros(len(x))\n    {body}\n    return out\n"
    check(source, *((jnp.arange(1.0, 7.0), jnp.array(k)) for k in (2, 1, 5)))


def test_one_element_that_is_left_for_all_is_said():
    """Of a window past the end plain Python takes a single element for all: a right rewrite was refused for it."""
    source = "def f(x, v, i):\n    w = x[i : i + len(v)]\n    return (w * v).sum()\n"
    found = check(source, (jnp.arange(8.0), jnp.ones(2), A), (jnp.arange(8.0), jnp.ones(3), B)).rewrites[0]
    assert any("the one element that is left for all" in each for each in found.compared.differences)


@pytest.mark.parametrize("last", ["w.sum() + v.sum()", "(w * v).sum() + w.max()"])
def test_a_window_that_may_be_shorter_is_still_driven_past_the_end(last):
    source = f"def f(x, v, i):\n    w = x[i : i + len(v)]\n    return {last}\n"
    found = propose(define(source)["f"], (jnp.arange(8.0), jnp.ones(2), A), {})
    assert not any("dynamic_slice" in each.source for each in found.rewrites)


@pytest.mark.parametrize(
    "source",
    [
        "def f(x, v, i):\n    w = x[i : i + 2]\n    y = v[i : i + 2]\n    return (w * y).sum()\n",
        "def cut(v, i):\n    return v[i : i + 2]\n\ndef f(x, v, i):\n    y = cut(v, i)\n    return (x[i : i + 2] * y).sum()\n",
        "def near(x, y, i):\n    return (x[i : i + 2] * y).sum()\n\ndef f(x, v, i):\n    return near(x, v[i : i + 2], i)\n",
        "def f(x, v, i):\n    y = jnp.sqrt(v[i : i + 2])\n    return (x[i : i + 2] * y).sum()\n",
    ],
)
def test_two_windows_grow_shorter_together(source):
    """Plain Python computes with the one pair that is left, which is no element that stands for all."""
    x, v = jnp.arange(1.0, 6.0), jnp.array([2.0, 3.0, 5.0, 7.0, 11.0])
    namespace = define(source)
    for found in propose(namespace["f"], (x, v, A), {}, seconds=8.0).rewrites:
        text = dict(namespace)
        exec("\n".join(found.sources.values()), text)
        assert text["f"](x, v, jnp.array(4)) == namespace["f"](x, v, jnp.array(4))


def test_a_box_of_an_image_is_told_of_one_with_channels():
    """Asked with one without: that the mask has two axes was not said."""
    source = "def f(img, r, c):\n    return img.at[r : r + 2, c:].set(1.0)\n"
    found = check(source, (jnp.arange(20.0).reshape(4, 5), A, B), seconds=10.0).rewrites[0]
    text = dict(define(source))
    exec(found.source, text)
    image = jnp.arange(60.0).reshape(4, 5, 3)
    try:
        alike = bool((text["f"](image, 1, 2) == define(source)["f"](image, 1, 2)).all())
    except ValueError:
        alike = False
    assert alike != any("on arrays of 3 axes" in each for each in found.compared.differences)
