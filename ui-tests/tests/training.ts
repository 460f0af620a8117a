/** A training notebook as people have it, small enough to compile in seconds: a model as a pytree, batches of ever new sizes. */

export const SETUP = `%load_ext jupyter_jitmagic
import jax, jax.numpy as jnp, jupyter_jitmagic as jm
jm.options.tell_after_s = 0
params = {f"layer{i}": {"w": jnp.ones((8, 8)) / 9, "b": jnp.zeros(8)} for i in range(3)}`;

export const FUNCTIONS = `%%jit --static act,rate
def train_step(params, x, y, act="relu"):
    def loss(params):
        h = x
        for layer in params.values():
            h = jnp.maximum(h @ layer["w"] + layer["b"], 0) if act == "relu" else jnp.tanh(h @ layer["w"])
        return jnp.mean((h.sum(1) - y) ** 2)
    value, grads = jax.value_and_grad(loss)(params)
    return jax.tree.map(lambda p, g: p - 0.01 * g, params, grads), value

def decay(step, rate):
    return 0.1 * rate ** step

def normalise(x):
    return (x - x.mean(0)) / (x.std(0) + 1e-6)

def accuracy(logits, labels):
    return (logits.argmax(-1) == labels).mean()

def conditional_double(x, threshold):
    return x * 2 if x > threshold else x`;

export const TRAINING = `for n in (96, 40, 32, 17, 24, 64, 33, 21, 50):
    params, loss = train_step(params, jnp.ones((n, 8)), jnp.ones(n))
for step in range(5):
    decay(step, 0.5 + step / 10)
x = normalise(jnp.ones((32, 8)))
for _ in range(50):
    x = normalise(x)
accuracy(x, jnp.ones(32, int))
params, loss = train_step(params, jnp.ones((96, 8)), jnp.ones(96), act="tanh")`;

/** What is not under jm.jit. */
export const PLAIN = `plain = jax.jit(lambda x: x * 3)
for n in (7, 8, 9): plain(jnp.ones(n))`;

export const FAILING = 'conditional_double(jnp.float32(3), 1.0)';
