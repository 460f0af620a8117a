"""NumPy's and SciPy's functions, told by the object that is called."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import HEADER, applied, check, define

IMPORTS = """\
import scipy
from scipy import special, stats
from scipy.special import erf, expit, gammaln as log_gamma, logsumexp
from scipy.stats import norm
from numpy import exp as e_to_the, maximum
from numpy.linalg import norm as length
"""
SPELLED = [
    ("erf(x / 1.5)", "jax.scipy.special.erf(x / 1.5)"),
    ("log_gamma(x + 1)", "jax.scipy.special.gammaln(x + 1)"),
    ("expit(x).sum()", "jax.scipy.special.expit(x).sum()"),
    ("logsumexp(x, b=x)", "jax.scipy.special.logsumexp(x, b=x)"),
    ("special.xlogy(x, x)", "jax.scipy.special.xlogy(x, x)"),
    ("special.psi(x)", "jax.scipy.special.digamma(x)"),
    ("scipy.special.betaln(x, x)", "jax.scipy.special.betaln(x, x)"),
    ("norm.cdf(x)", "jax.scipy.stats.norm.cdf(x)"),
    ("stats.norm.logpdf(x, 0.5, scale=2.0)", "jax.scipy.stats.norm.logpdf(x, 0.5, scale=2.0)"),
    ("stats.gamma.logpdf(x, 2.0).sum()", "jax.scipy.stats.gamma.logpdf(x, 2.0).sum()"),
    ("stats.gamma.logpdf(x, 2.0)", "jax.scipy.stats.gamma.logpdf(x, 2.0)"),
    ("np.maximum.accumulate(x)", "jnp.maximum.accumulate(x)"),
    ("maximum.reduce(x)", "jnp.maximum.reduce(x)"),
    ("np.subtract.outer(x, x)", "jnp.subtract.outer(x, x)"),
    ("e_to_the(-x)", "jnp.exp(-x)"),
    ("np.float32(x.sum()) * 2", "jnp.float32(x.sum()) * 2"),
    ("x * np.int32(x[0])", "jnp.int32(x[0])"),
    ("np.float64(x.mean())", "jnp.asarray(x.mean(), float)"),
    ("np.interp(0.75, np.sort(x), x)", "jnp.interp(0.75, jnp.sort(x), x)"),
    ("length(np.exp(x))", "jnp.linalg.norm(jnp.exp(x))"),
]


@pytest.mark.parametrize(("expression", "expected"), SPELLED)
def test_a_host_function_becomes_jax_own_however_it_is_spelled(expression, expected):
    source = f"def f(x):\n    return {expression}\n"
    namespace = define(source, HEADER + IMPORTS)
    x = jnp.array([0.5, 1.0, 2.0])
    proposals = propose(namespace["f"], (x,), {})
    assert expected in proposals.rewrites[0].source
    want = namespace["f"](x)
    with applied(proposals, namespace):
        assert jnp.allclose(namespace["f"](x), jnp.asarray(want), rtol=1e-4, atol=1e-5)


def test_what_jax_lacks_is_said_by_its_public_name():
    namespace = define("def f(x):\n    return special.struve(1, x)\n", HEADER + IMPORTS)
    assert (
        propose(namespace["f"], (jnp.ones(3),), {}).why_not
        == "jax.scipy has no special.struve, which SciPy computes on the host"
    )


def test_a_users_function_of_the_same_name_is_not_taken_for_scipys():
    """What reaches NumPy inside it is rewritten there."""
    source = "def erf(x):\n    return np.tanh(x)\n\ndef f(x):\n    return erf(x)\n"
    assert "jnp.tanh(x)" in check(source, (jnp.array([0.5, 2.0]),)).rewrites[0].source


def test_a_buffer_updated_by_a_ufunc_becomes_an_array_of_jax():
    source = (
        "def f(g, x):\n    sums = np.zeros(3)\n    np.add.at(sums, g, x)\n    np.maximum.at(sums, g, x)\n    return sums / 2\n"
    )
    g, x = jnp.array([0, 2, 0, 1]), jnp.array([1.0, 2.0, 3.0, -1.0])
    first = check(source, (g, x), (g[::-1], -x)).rewrites[0].source
    assert "sums = jnp.zeros(3)" in first and "sums = sums.at[g].add(x)" in first and "sums = sums.at[g].max(x)" in first


def test_a_list_that_numpy_takes_and_jax_does_not():
    for body in ("a, b = np.percentile(x, [10, 90])\n    return (x - a) / (b - a)", "return np.convolve(x, w, mode='same')"):
        check(f"def f(x):\n    w = [1.0, 2.0, 1.0]\n    {body}\n", (jnp.array([0.0, 1.0, 5.0, 2.0]),), (jnp.array([3.0, 1.0]),))


def test_argsort_of_numpy_is_found_though_it_traces():
    """`np.argsort(x)` calls the tracer's own method with an option that is traced and does not compile: it was said that
    nothing is wrong. `jnp.argsort` and NumPy's of a known array are left."""
    import jupyter_jitmagic as jm

    source = "def f(x):\n    k = np.argsort(np.array([3, 1, 2]))\n    return x[np.argsort(-x)][k[0]]\n"
    namespace = define(source)
    x = jnp.array([0.5, 1.0, 2.0])
    diagnosis = jm.diagnose(namespace["f"], x)
    assert diagnosis.kind == "rewrite" and [site.operation for site in diagnosis.sites] == ["numpy"]
    assert "x[jnp.argsort(-x)]" in check(source, (x,), (x[::-1],)).rewrites[0].source
    fine = define("def f(x):\n    return x[jnp.argsort(-x)][np.argsort([3, 1, 2])[0]]\n")
    assert jm.diagnose(fine["f"], x).kind == "traces"


def test_a_whole_number_of_nan_is_no_difference():
    """NumPy makes the least number of 64 bits of NaN, XLA another; that a rewrite gives other numbers elsewhere is seen."""
    source = "def f(x):\n    return np.round(np.exp(x - x.max()) / (x.max() - x.min())).astype(int)\n"
    x = jnp.array([0.5, 1.0, 2.0])
    assert check(source, (x,), (x[::-1],)).rewrites[0].verified


def test_an_int_for_a_float_is_made_one():
    """`jax.scipy.stats.norm.ppf` takes floats alone: a rewrite was refused because SciPy's takes an int."""
    namespace = define("def f(x, a):\n    return x * stats.norm.ppf(a)\n", HEADER + IMPORTS)
    x = jnp.array([0.5, 1.0])
    proposals = propose(namespace["f"], (x, 0.9), {}, seconds=20.0)
    wanted = [namespace["f"](x, a) for a in (0.9, 1, jnp.array(0.2))]
    with applied(proposals, namespace):
        for a, want in zip((0.9, 1, jnp.array(0.2)), wanted, strict=True):
            assert jnp.allclose(namespace["f"](x, a), jnp.asarray(want), rtol=1e-4)


@pytest.mark.parametrize("expression", ["stats.norm.logpdf(x[:, None], loc=m, scale=s).sum()", "norm.pdf(x, m[0], s[0])"])
def test_a_scale_that_is_not_positive_is_told(expression):
    """SciPy makes NaN of it and JAX a number: of sums no answer was given for that, and of arrays it was not said."""
    namespace = define(f"def f(x, m, s):\n    return {expression}\n", HEADER + IMPORTS)
    x, m, s = jnp.array([0.1, 0.5, 2.0]), jnp.array([0.0, 1.0]), jnp.array([1.0, 2.0])
    proposals = propose(namespace["f"], (x, m, s), {})
    assert "a scale that is not positive, of which SciPy makes NaN" in proposals.rewrites[0].compared.differences


@pytest.mark.parametrize("call", ["cholesky(s)", "eigh(s)[0]", "eigvalsh(s)", "eigvalsh(s,)"])
def test_one_half_of_a_symmetric_matrix_is_read_as_numpy_reads_it(call):
    """jnp takes the mean of both halves: no answer was given for a matrix that is an argument, which need not be symmetric."""
    s = jnp.array([[2.0, 0.3], [0.3, 1.0]])
    found = check(f"def f(s):\n    return np.linalg.{call}\n", (s,), (jnp.array([[2.0, 0.9], [0.3, 1.0]]),)).rewrites[0]
    assert "symmetrize_input=False" in found.source
    product = check(f"def f(x):\n    s = x.T @ x\n    return np.linalg.{call}\n", (s,)).rewrites[0]
    assert "symmetrize_input" not in product.source  # a person would not write it


def test_a_fit_to_numbered_points_is_one_to_floats():
    """`jnp.polyfit` refuses integers, of which NumPy's makes floats: no answer was given."""
    source = "def f(y):\n    t = np.arange(len(y))\n    return np.polyfit(t, y, 1)[0]\n"
    found = check(source, (jnp.array([3.0, 1.0, 4.0]),), (jnp.array([1.0, 2.0]),))
    assert "jnp.polyfit(jnp.asarray(t, float), y, 1)" in found.rewrites[0].source


@pytest.mark.parametrize("compared", ["np.array_equal(x, y)", "np.array_equiv(x, y)"])
def test_what_numpy_says_of_no_tracer_is_asked_of_jax(compared):
    """It catches what a tracer raises, and says that nothing is equal: no error tells of it."""
    source = f"def f(x, y):\n    if x.sum() > 0:\n        x = x + 1\n    return x, {compared}\n"
    one, two = jnp.array([1.0, 2.0]), jnp.array([2.0, 3.0])
    check(source, (one, two), (one, one), (-one, -one), (-one, two))


@pytest.mark.parametrize(
    "joined", ["np.concatenate([[0], x, (9, 9)])", "np.hstack([[0], x])", "np.r_[0, x, 9]", "np.stack([x, [1.0, 2.0, 3.0]])"]
)
def test_a_list_among_what_is_joined_is_an_array_of_jax(joined):
    """NumPy takes lists beside arrays, jnp none."""
    check(f"def f(x):\n    return np.diff({joined}) * 2\n", (jnp.array([0.0, 1.0, 5.0]),), (jnp.array([3.0, 1.0, 1.0]),))


def test_what_numpy_makes_a_whole_number_of_nan_refuses_no_rewrite():
    """It is whatever the processor gives, here a place below all others; as an index XLA makes another of it."""
    source = (
        "def f(t, y, period):\n"
        "    phase = np.asarray(t / period) % 1.0\n"
        "    slot = np.minimum((phase * 3).astype(int), 2)\n"
        "    means = np.full(3, -1.0)\n"
        "    for k in range(3):\n"
        "        inside = y[slot == k]\n"
        "        if len(inside) > 0:\n"
        "            means[k] = inside.mean()\n"
        "    return means\n"
    )
    t, y = jnp.array([0.1, 0.7, 1.3, 1.9]), jnp.array([1.0, 1.4, 0.8, 1.1])
    answer = check(source, (t, y, jnp.array(1.3)), (2 * t, y, jnp.array(0.4)))
    assert any("different whole numbers" in each for each in answer.rewrites[0].compared.differences)
