"""math.log, math.sqrt, math.exp and math.erf on market data: each converts to a Python float. jnp and jax.scipy have them all."""

import math

import jax.numpy as jnp
from jax.scipy.special import erf


def normal_cdf(x):
    return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))


def call_price(spot, strike, rate, vol, maturity):
    d1 = (math.log(spot / strike) + (rate + 0.5 * vol**2) * maturity) / (vol * math.sqrt(maturity))
    d2 = d1 - vol * math.sqrt(maturity)
    return spot * normal_cdf(d1) - strike * math.exp(-rate * maturity) * normal_cdf(d2)


def call_price_fixed(spot, strike, rate, vol, maturity):
    cdf = lambda x: 0.5 * (1.0 + erf(x / math.sqrt(2.0)))
    d1 = (jnp.log(spot / strike) + (rate + 0.5 * vol**2) * maturity) / (vol * jnp.sqrt(maturity))
    d2 = d1 - vol * jnp.sqrt(maturity)
    return spot * cdf(d1) - strike * jnp.exp(-rate * maturity) * cdf(d2)


FUNCTION = "call_price"
CALLS = [
    ((jnp.array(100.0), jnp.array(95.0), jnp.array(0.03), jnp.array(0.2), jnp.array(0.5)), {}),
    ((jnp.array(80.0), 95.0, 0.01, jnp.array(0.4), jnp.array(2.0)), {}),
    ((jnp.array(1.0), 1.0), {"rate": 0.0, "vol": jnp.array(0.1), "maturity": jnp.array(1.0)}),
]
KIND = "rewrite"
FIXED = "call_price_fixed"
SITES = [
    "d1 = (math.log(spot / strike) + (rate + 0.5 * vol**2) * maturity) / (vol * math.sqrt(maturity))",
    "d2 = d1 - vol * math.sqrt(maturity)",
    "return spot * normal_cdf(d1) - strike * math.exp(-rate * maturity) * normal_cdf(d2)",
    "return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))",
]
CATEGORY = "math"
