"""Viterbi with int() around argmax in the backtracking: the path's entries are indices, and traced indices are fine."""

import jax.numpy as jnp


def viterbi(log_init, log_trans, log_emit):
    score = log_init + log_emit[0]
    back = []
    for t in range(1, log_emit.shape[0]):
        cand = score[:, None] + log_trans
        back.append(jnp.argmax(cand, axis=0))
        score = jnp.max(cand, axis=0) + log_emit[t]
    state = int(jnp.argmax(score))
    path = [state]
    for pointers in reversed(back):
        state = int(pointers[state])
        path.append(state)
    return jnp.array(path[::-1]), float(score.max())


def viterbi_fixed(log_init, log_trans, log_emit):
    score = log_init + log_emit[0]
    back = []
    for t in range(1, log_emit.shape[0]):
        cand = score[:, None] + log_trans
        back.append(jnp.argmax(cand, axis=0))
        score = jnp.max(cand, axis=0) + log_emit[t]
    state = jnp.argmax(score)
    path = [state]
    for pointers in reversed(back):
        state = pointers[state]
        path.append(state)
    return jnp.stack(path[::-1]), score.max()


init = jnp.log(jnp.array([0.6, 0.4]))
trans = jnp.log(jnp.array([[0.7, 0.3], [0.2, 0.8]]))
emit = jnp.log(jnp.array([[0.5, 0.1], [0.1, 0.6], [0.2, 0.3], [0.7, 0.1]]))

FUNCTION = "viterbi"
CALLS = [((init, trans, emit), {}), ((init[::-1], trans, emit[::-1]), {}), ((init, trans[::-1], emit[:1]), {})]
KIND = "rewrite"
FIXED = "viterbi_fixed"
SITES = ["state = int(jnp.argmax(score))", "state = int(pointers[state])", "return jnp.array(path[::-1]), float(score.max())"]
CATEGORY = "real_world"
