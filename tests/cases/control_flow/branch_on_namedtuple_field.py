"""A NamedTuple state with _replace in one branch and a method of its own: the fields are data, so the path names a field."""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Account(NamedTuple):
    cash: jax.Array
    debt: jax.Array
    defaults: jax.Array

    def solvent(self):
        return self.cash + 1.0 > self.debt


def settle(acc, income):
    acc = acc._replace(cash=acc.cash + income)
    if acc.solvent():
        acc = acc._replace(cash=acc.cash - acc.debt, debt=0.0 * acc.debt)
    else:
        acc = acc._replace(debt=1.1 * acc.debt, defaults=acc.defaults + 1)
    return acc


def settle_fixed(acc, income):
    cash = acc.cash + income
    ok = cash + 1.0 > acc.debt
    return Account(
        jnp.where(ok, cash - acc.debt, cash),
        jnp.where(ok, 0.0, 1.1 * acc.debt),
        jnp.where(ok, acc.defaults, acc.defaults + 1),
    )


def _acc(cash, debt):
    return Account(jnp.array(cash), jnp.array(debt), jnp.array(0))


FUNCTION = "settle"
CALLS = [((_acc(1.0, 2.0), 3.0), {}), ((_acc(1.0, 9.0), jnp.array(3.0)), {}), ((_acc(0.0, 0.5),), {"income": -1.0})]
KIND = "rewrite"
FIXED = "settle_fixed"
SITES = ["if acc.solvent():"]
CATEGORY = "NamedTuple"
