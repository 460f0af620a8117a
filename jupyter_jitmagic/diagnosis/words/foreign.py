"""Data of other libraries among the arguments, which jit does not take: what to pass instead."""

from __future__ import annotations

from jupyter_jitmagic.diagnosis.call.calls import Call, leaves_of

# By the library that defines it and the class: what it is, and what is passed in its place ("{}": the argument)
_FOREIGN: dict[tuple[str, str], tuple[str, str]] = {
    ("pandas", "DataFrame"): ("a pandas DataFrame", '`{}["column"].to_numpy()` for each column, or `{}.to_numpy()`'),
    ("pandas", "Series"): ("a pandas Series", "`{}.to_numpy()`"),
    ("pandas", "Index"): ("a pandas Index", "`{}.to_numpy()`"),
    ("polars", "DataFrame"): ("a polars DataFrame", '`{}["column"].to_numpy()` for each column, or `{}.to_numpy()`'),
    ("polars", "Series"): ("a polars Series", "`{}.to_numpy()`"),
    ("xarray", "DataArray"): ("an xarray DataArray", "`{}.values`"),
    ("xarray", "Dataset"): ("an xarray Dataset", '`{}["name"].values` for each variable'),
    ("torch", "Tensor"): ("a torch Tensor", "`jnp.asarray({})`"),
    ("tensorflow", "Tensor"): ("a TensorFlow Tensor", "`{}.numpy()`"),
    ("PIL", "Image"): ("a PIL Image", "`np.asarray({})`"),
    ("scipy", "_spbase"): (
        "a sparse matrix of SciPy's",
        "`{}.toarray()`, or `jax.experimental.sparse.BCOO.from_scipy_sparse({})`",
    ),
    ("numpy", "MaskedArray"): ("a masked array of NumPy's", "`{}.filled(0)`, and its mask as another array"),
}


def for_foreign(call: Call) -> str:
    """A sentence where an argument is, or holds, another library's data; "" where none is."""
    for argument in call.arguments:
        if argument.name in call.declared:
            continue
        for place, leaf in leaves_of(argument.value):
            for kind in type(leaf).__mro__:
                found = _FOREIGN.get((kind.__module__.partition(".")[0], kind.__name__))
                if found is not None:
                    (what, instead), path = found, argument.name + place
                    return f"{path} is {what}, which jit does not take: pass {instead.replace('{}', path)}."
    return ""
