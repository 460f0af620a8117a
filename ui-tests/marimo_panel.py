"""The notebook of `marimo.spec.ts`: the panel, functions under jit, and a button whose cell takes some time."""

import marimo

app = marimo.App()


@app.cell
def _():
    import time

    import jax.numpy as jnp
    import marimo as mo

    import jupyter_jitmagic as jm

    jm.options.tell_after_s = 0
    return jm, jnp, mo, time


@app.cell
def _(jm):
    jm.panel()
    return


@app.cell
def _(jm, jnp):
    @jm.jit(static_argnames="n")
    def scaled(x, n):
        return x * n

    for n in range(1, 6):
        scaled(jnp.ones(3), n)
    return (scaled,)


@app.cell
def _(mo):
    button = mo.ui.run_button(label="Compile more")
    button  # noqa: B018 (marimo shows it)
    return (button,)


@app.cell
def _(button, jnp, mo, scaled, time):
    if button.value:
        scaled(jnp.ones(3), 6)
        time.sleep(4)
    mo.md("it has ended" if button.value else "it has not begun")
    return


if __name__ == "__main__":
    app.run()
