"""All pairs of two selections, and boxes of images, whose extents are data."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

S = jnp.array([0.9, 0.2, 0.6, 0.6, 0.1, 0.7])
Y, Z = jnp.array([1, 0, 1, 0, 0, 1]), jnp.array([0, 1, 1, 1, 0, 1])
P = jnp.stack([S, S[::-1] * 2], 1)
IMAGE = jnp.arange(6 * 7 * 3.0).reshape(6, 7, 3) % 11

PAIRS = {
    "a sum": "    pos, neg = x[y > 0], x[y <= 0]\n    return sum(jnp.log1p(jnp.exp(n - p)) for p in pos for n in neg)\n",
    "a list": "    d = [p - n for p in x[y == 1] for n in x[y == 0]]\n    return jnp.mean(jnp.array(d))\n",
    "the least": "    return jnp.min(jnp.array([abs(p - n) for p in x[y == 1] for n in x[y == 0]]))\n",
    "of itself": "    a = x[y == 1]\n    return sum(u > v for u in a for v in a)\n",
}


@pytest.mark.parametrize("how", PAIRS)
def test_pairs_in_a_comprehension_are_a_table(how):
    found = check("def f(x, y):\n" + PAIRS[how], (S, Y), (S[::-1], Z))
    assert found.rewrites[0].verified and "pairs" in found.rewrites[0].patterns


def test_what_is_no_number_of_each_pair_stays_a_comprehension():
    """The product of two rows is no product of tables."""
    source = "def f(x, y):\n    a, b = x[y == 1], x[y == 0]\n    return sum(jnp.dot(u, v) for u in a for v in b)\n"
    found = propose(define(source)["f"], (P, Y), {})
    assert not any("pairs" in each.patterns for each in (*found.rewrites, *found.unverified))


POINTS = {
    "squares": "    return jnp.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).sum(-1).min())\n",
    "norms": "    d = jnp.linalg.norm(a[:, None] - b[None], axis=-1)\n    return jnp.maximum(d.min(1).max(), d.min(0).max())\n",
    "a kernel": "    return jnp.exp(-((a[:, None] - b[None]) ** 2).sum(2)).mean()\n",
}


@pytest.mark.parametrize("how", POINTS)
def test_distances_of_points_keep_both_masks(how):
    found = check("def f(p, y):\n    a, b = p[y == 0], p[y == 1]\n" + POINTS[how], (P, Y), (P * 3, Z))
    assert found.rewrites[0].verified


BOXES = {
    "all of it": "img[y0:y1, x0:x1].mean()",
    "each channel": "img[y0:y1, x0:x1].mean(axis=(0, 1))",
    "the largest": "img[y0:y1, x0:x1, :].max(axis=(0, 1)) - img[y0:y1, x0:x1, :].min(axis=(0, 1))",
    "the middle": "jnp.median(img[y0:y1, x0:x1])",
    "logarithms": "jnp.log(img[y0:y1, x0:x1] + 1).sum()",
}


@pytest.mark.parametrize("how", BOXES)
def test_boxes_of_images_with_channels_keep_a_mask(how):
    numbers = [tuple(map(jnp.array, each)) for each in ((1, 4, 2, 5), (0, 6, 3, 5))]
    source = f"def f(img, y0, y1, x0, x1):\n    return {BOXES[how]}\n"
    found = check(source, *((IMAGE, *each) for each in numbers), (IMAGE * 3 % 7, *numbers[0]))
    assert found.rewrites[0].verified


def test_rows_and_columns_of_an_image_are_chosen_by_masks():
    rows, columns = jnp.array([1, 0, 1, 1, 0, 0], bool), jnp.array([1, 0, 1, 0, 1, 0, 0], bool)
    source = "def f(img, r, c):\n    return img[r][:, c].mean(axis=(0, 1))\n"
    check(source, (IMAGE, rows, columns), (IMAGE, ~rows, ~columns))


def test_how_many_numbers_such_a_box_has_is_not_taken_from_its_mask():
    """The mask has one place for all channels."""
    rows, columns = jnp.array([1, 0, 1, 1, 0, 0], bool), jnp.array([1, 0, 1, 0, 1, 0, 0], bool)
    source = "def f(img, r, c):\n    return img[r][:, c].size\n"
    assert not propose(define(source)["f"], (IMAGE, rows, columns), {}).rewrites


@pytest.mark.parametrize(
    "body",
    [
        "return -p[m, c[m]].mean()",
        "return p[c > 0, c[c > 0]].sum()",
        "return p[m, m].max()",
        "t = p[m, c[m]]\n    return jnp.sqrt((t**2).mean()), len(t)",
    ],
)
def test_a_mask_beside_what_it_selects_is_its_places(body):
    """`p[m, c[m]]` takes the elements in pairs."""
    p, m, c = jnp.arange(12.0).reshape(4, 3) / 7, jnp.array([True, False, False, True]), jnp.array([1, 0, 2, 1])
    p = jnp.concatenate([p, p * 2], axis=1)[:, :4]
    source = f"def f(p, m, c):\n    {body}\n"
    assert check(source, (p, m, c), (-p, ~m, c[::-1]), (p**2, m | True, c * 0 + 1)).rewrites[0].verified


@pytest.mark.parametrize(
    "body",
    [
        "return x[:n] @ (jnp.ones(n) / n)",
        "return jnp.linspace(0, 1, n) @ x[:n]",
        "return p[jnp.arange(n), c[:n]].sum()",
        "w = jnp.full(n, 2.0)\n    return (x[:n] ** w).mean()",
    ],
)
def test_a_size_beside_a_slice_is_the_slices_length(body):
    """No array has a traced size; that of the slice is at most the array's."""
    p, c, x = jnp.arange(12.0).reshape(4, 3), jnp.array([1, 0, 2, 1]), jnp.array([3.0, 1.0, 2.0, 5.0])
    source = f"def f(x, p, c, n):\n    {body}\n"
    calls = [(x, p, c, jnp.array(n)) for n in (3, 1, 4, 2)]
    assert check(source, *calls).rewrites[0].verified


@pytest.mark.parametrize(
    "body",
    [
        "n = int(lengths.max())\n    m = jnp.arange(n)[None] < lengths[:, None]\n    return (t[:, :n] * m).sum(1)",
        "t = t[:, :int(lengths.max())]\n    return e[t].mean(axis=1)",
        "m = jnp.arange(lengths.max())[None] < lengths[:, None]\n    return (e[t[:, :lengths.max()]] * m[..., None]).sum()",
    ],
)
def test_a_batch_is_cut_to_its_longest_row(body):
    """`jnp.arange(n)` stands before the slice that says how long it is at most, and places of two axes were no index. A lone
    column is stretched by plain Python to a length that lies past it, where two columns are refused: said."""
    e, t = jnp.arange(21.0).reshape(7, 3) / 7, jnp.array([[1, 2, 0, 0], [3, 4, 5, 0], [6, 0, 0, 0]])
    source = f"def f(e, t, lengths):\n    {body}\n"
    calls = [(e, t, jnp.array(each)) for each in ([2, 3, 1], [4, 1, 1], [1, 1, 1])]
    found = check(source, *calls, seconds=20.0).rewrites[0]
    assert found.verified
    if "m = " in body:
        assert any("single element" in each for each in found.compared.differences)
