"""A KeyError for a key that is not in the dict, whatever is static. (A KeyError can be about staticness when the key is a tracer;
here it is a plain string.)"""

import jax.numpy as jnp


def predict(params, x, scale):
    h = jnp.tanh(x @ params["w1"] + params["b1"])
    return scale * (h @ params["w2"] + params["bias2"])


P = {"w1": jnp.eye(2), "b1": jnp.zeros(2), "w2": jnp.ones(2), "b2": jnp.array(0.5)}

FUNCTION = "predict"
CALLS = [((P, jnp.ones(2), 1), {}), ((P, jnp.zeros(2), 2), {})]
KIND = "not_staticness"
SITES = ['return scale * (h @ params["w2"] + params["bias2"])']
CATEGORY = "key error"
