"""An elif chain without else, over a name set before; one branch is `pass`. A comment and a docstring stand between."""

import jax.numpy as jnp


def grade_curve(score, mean):
    """Lift low scores, leave the middle, cap the top."""
    result = score
    gap = score - mean
    if gap < -20.0:
        # far below: half of the gap is forgiven
        result = mean + gap / 2
    elif gap < 20.0:
        pass
    elif gap < 40.0:
        result = mean + 20.0
    return result, gap


def grade_curve_fixed(score, mean):
    gap = score - mean
    top = jnp.where((gap >= 20.0) & (gap < 40.0), mean + 20.0, score)
    return jnp.where(gap < -20.0, mean + gap / 2, top), gap


FUNCTION = "grade_curve"
CALLS = [((jnp.array(v), 60.0), {}) for v in (65.0, 20.0, 90.0, 120.0)] + [((jnp.array(10.0),), {"mean": jnp.array(29.0)})]
KIND = "rewrite"
FIXED = "grade_curve_fixed"
SITES = ["if gap < -20.0:", "elif gap < 20.0:"]
CATEGORY = "elif"
