"""Matrices that are taken apart and convolutions: by SciPy and NumPy what JAX gives, nothing is compiled for their sizes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jupyter_jitmagic.diagnosis.uncompiled import running as uncompiled
from jupyter_jitmagic.sandbox.clock import Deadline

RANDOM = np.random.default_rng(0)
WITH_MATRICES = {
    "solve": lambda a, b: jnp.linalg.solve(a, b),
    "solve beside a vector": lambda a, b: jnp.linalg.solve(a, b[:, 0]),
    "inv": lambda a, b: jnp.linalg.inv(a) @ b,
    "slogdet": lambda a, b: jnp.linalg.slogdet(a),
    "cholesky": lambda a, b: jnp.linalg.cholesky(a),
    "cho_solve": lambda a, b: jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(a), b),
    "lu": lambda a, b: jax.scipy.linalg.lu(a),
    "lu of rows": lambda a, b: jax.scipy.linalg.lu_factor(b),
    "triangular": lambda a, b: jax.scipy.linalg.solve_triangular(a, b, lower=True),
    "transposed": lambda a, b: jax.scipy.linalg.solve_triangular(a, b, trans=1, unit_diagonal=True),
    "from the right": lambda a, b: lax.linalg.triangular_solve(a, b.T, left_side=False),
    "several": lambda a, b: jnp.linalg.solve(jnp.stack([a, a + 1]), jnp.stack([b, b])),
}
KINDS = ("definite", "any", "singular", "with NaN")


def matrices(kind, size):
    a = RANDOM.normal(size=(size, size)).astype(np.float32)
    a = a @ a.T + np.eye(size, dtype=np.float32) if kind == "definite" else a
    a = a * 0 if kind == "singular" else a
    if kind == "with NaN":
        a[-1, 0] = np.nan
    return jnp.array(a), jnp.array(RANDOM.normal(size=(size, 2)), jnp.float32)


def same(got, want):
    for one, other in zip(jax.tree_util.tree_leaves(got), jax.tree_util.tree_leaves(want), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5)
        assert one.dtype == other.dtype


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", WITH_MATRICES)
def test_matrices_give_what_they_give_in_jax(how, kind):
    """Also those that are refused: not definite, singular, with NaN."""
    for size in (1, 4):
        given = matrices(kind, size)
        same(uncompiled.run(WITH_MATRICES[how], given, {}, Deadline(60)), WITH_MATRICES[how](*given))


@pytest.mark.parametrize("padding", ["SAME", "VALID", [(2, 0), (0, 3)]])
@pytest.mark.parametrize("names", [("NHWC", "HWIO", "NHWC"), ("NCHW", "OIHW", "NHWC")])
@pytest.mark.parametrize("settings", [{}, {"window_strides": (2, 3)}, {"rhs_dilation": (2, 1)}, {"feature_group_count": 2}])
def test_convolutions_give_what_they_give_in_jax(names, padding, settings):
    """Images in either order of axes; in steps, dilated and in groups."""
    groups = settings.get("feature_group_count", 1)
    sizes = {"N": 2, "H": 8, "W": 9, "C": 4, "I": 4 // groups, "O": 6}
    image, kernel = (
        RANDOM.normal(size=[{**sizes, **own}[axis] for axis in order]).astype(np.float32)
        for order, own in ((names[0], {}), (names[1], {"H": 3, "W": 2}))
    )

    def convolved(image, kernel):
        options = {"window_strides": (1, 1), **settings}
        return lax.conv_general_dilated(image, kernel, padding=padding, dimension_numbers=names, **options)

    given = jnp.array(image), jnp.array(kernel)
    same(uncompiled.run(convolved, given, {}, Deadline(60)), convolved(*given))


@pytest.mark.parametrize(
    "fun",
    [
        lambda a, b: jnp.linalg.solve(a, b),
        lambda a, b: jnp.linalg.cholesky(a),
        lambda a, b: jnp.convolve(a[0], b[:, 0]),
        lambda a, b: lax.top_k(a, 2),
    ],
)
def test_other_sizes_compile_nothing(fun):
    compiled = []

    def hear(event, duration, **_):
        if "backend_compile" in event:
            compiled.append(event)

    few, many = matrices("definite", 3), matrices("definite", 11)
    uncompiled.run(fun, few, {}, Deadline(60))
    jax.monitoring.register_event_duration_secs_listener(hear)
    try:
        uncompiled.run(fun, many, {}, Deadline(60))
    finally:
        jax.monitoring.unregister_event_duration_listener(hear)
    assert compiled == []
