"""A name that stands for an array first and for a list of rows from a round on."""

import jax.numpy as jnp

from .helpers import check, offered

X = jnp.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0], [6.0, 5.0], [5.0, 6.0]])
KMEANS = """
def f(x, centers, max_iter=20, tol=1e-3):
    for it in range(max_iter):
        labels = []
        for row in x:
            distances = [jnp.linalg.norm(row - c) for c in centers]
            labels.append(distances.index(min(distances)))
        new = []
        for k in range(len(centers)):
            members = [row for row, label in zip(x, labels) if label == k]
            if members == []:
                new.append(centers[k])
            else:
                new.append(sum(members) / len(members))
        shift = sum(jnp.linalg.norm(a - b) for a, b in zip(new, centers))
        centers = new
        if shift < tol:
            break
    return {end}, jnp.array(labels), it + 1
"""
CALLS = [(X, X[:2]), (X, jnp.array([[0.0, 0.0], [5.0, 5.0], [90.0, 90.0]])), (X, X[:1])]


def test_means_that_a_beginner_keeps_in_lists():
    # a group may be empty, the centers go on as an array
    check(KMEANS.format(end="jnp.array(centers)"), *CALLS, seconds=30.0)


def test_what_adds_to_the_list_keeps_it():
    # a list and a list are joined, arrays are added
    source = """
def f(x, rows):
    for i in range(2):
        new = []
        for row in rows:
            new.append(row * 2 if row[0] > 0 else row)
        rows = new
        both = rows + [x[0]]
    return jnp.array(both)
"""
    assert "rows" not in offered(source, X, X[1:3])
