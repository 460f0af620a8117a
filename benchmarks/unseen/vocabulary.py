"""Names as the people have them who write such functions."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """A trade: what its arrays, limits and numbers are called."""

    name: str
    vectors: tuple[str, ...]
    matrices: tuple[str, ...]
    limits: tuple[str, ...]
    rates: tuple[str, ...]
    groups: tuple[str, ...]
    items: tuple[str, ...]
    subjects: tuple[str, ...]


FIELDS = (
    Field(
        "economics",
        ("returns", "prices", "income", "wages", "spending"),
        ("panel", "holdings", "X"),
        ("cutoff", "floor", "poverty_line", "target"),
        ("rate", "discount", "tax", "alpha"),
        ("sector", "country", "decile"),
        ("r", "price", "w", "value"),
        ("portfolio", "household", "drawdown", "welfare"),
    ),
    Field(
        "learning",
        ("scores", "logits", "losses", "x", "grads"),
        ("batch", "features", "X", "W"),
        ("threshold", "margin", "max_norm", "tau"),
        ("lr", "decay", "temperature", "beta"),
        ("labels", "classes", "assignments"),
        ("s", "score", "g", "v"),
        ("hinge", "clipped_loss", "accuracy", "update"),
    ),
    Field(
        "physics",
        ("energies", "x", "field", "positions", "signal"),
        ("grid", "coords", "A"),
        ("cut", "e_min", "radius", "tol_level"),
        ("dt", "mass", "gamma", "step"),
        ("species", "shell", "cells"),
        ("e", "u", "p", "sample"),
        ("spectrum", "potential", "flux", "relaxation"),
    ),
    Field(
        "biology",
        ("counts", "lengths", "expression", "weights", "abundance"),
        ("counts_table", "plots", "M"),
        ("min_count", "detection_limit", "limit", "threshold"),
        ("growth", "mortality", "k", "mu"),
        ("site", "cluster", "treatment"),
        ("c", "length", "w", "obs"),
        ("richness", "survival", "diversity", "fitness"),
    ),
    Field(
        "student",
        ("x", "a", "data", "values", "v"),
        ("A", "mat", "data2d", "B"),
        ("t", "lim", "c", "threshold"),
        ("h", "factor", "p", "scale"),
        ("ids", "group", "bins"),
        ("xi", "elem", "val", "item"),
        ("f", "compute", "my_func", "solution"),
    ),
)


@dataclass
class Names:
    """One function's names, all different."""

    x: str
    y: str
    matrix: str
    limit: str
    upper: str
    rate: str
    group: str
    item: str
    function: str
    helper: str
    kept: str
    mask: str
    index: str
    total: str


def names(chance: random.Random) -> Names:
    field = chance.choice(FIELDS)
    verb = chance.choice(("mean", "robust", "compute", "get", "filtered", "weighted", "simple", "total"))
    x, y = chance.sample(field.vectors, 2)
    subject = chance.choice(field.subjects)
    return Names(
        x=x,
        y=y,
        matrix=chance.choice([name for name in field.matrices if name not in (x, y)]),
        limit=chance.choice([name for name in field.limits if name not in (x, y)]),
        upper=chance.choice(("upper", "high", "top", "hi")),
        rate=chance.choice([name for name in field.rates if name not in (x, y)]),
        group=chance.choice(field.groups),
        item=chance.choice([name for name in field.items if name not in (x, y)]),
        function=f"{verb}_{subject}" if chance.random() < 0.7 else subject,
        helper=chance.choice(("_core", "one", "inner", "helper", "_step")),
        kept=chance.choice(("kept", "valid", "sel", "good", "chosen", "above", "sub")),
        mask=chance.choice(("mask", "m", "ok", "keep", "is_good")),
        index=chance.choice(("idx", "where", "ix", "hits", "inds")),
        total=chance.choice(("total", "acc", "out", "s", "result")),
    )
