"""Which operation of the table is followed by which consumer."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable

from jupyter_jitmagic.diagnosis.rewrites.both_axes import of_a_square, triangle
from jupyter_jitmagic.diagnosis.rewrites.choosing import sought
from jupyter_jitmagic.diagnosis.rewrites.convolving import convolved
from jupyter_jitmagic.diagnosis.rewrites.fitting import fitted, pseudo_inverse
from jupyter_jitmagic.diagnosis.rewrites.operations import Called
from jupyter_jitmagic.diagnosis.rewrites.ordering import Ordering
from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged

Consumer = Callable[[ast.Call, Called], Ragged | None]


class Operations(Ordering):
    """A consumer for each sort of operation in the table."""

    def consumer(self, known: Called) -> Consumer:
        by_sort: dict[str, Consumer] = {
            "elementwise": self._elementwise,
            "polynomial": self._polynomial,
            "where": self._where,
            "extreme": self._extreme,
            "by nan": self._by_nan,
            "place": self._place,
            "sought": functools.partial(sought, self),
            "pad": self._pad,
            "sort": self._sort,
            "argsort": self._argsort,
            "running": self._running,
            "flat": self._flat,
            "count": self._count,
            "count nonzero": self._count_nonzero,
            "average": self._average,
            "norm": self._norm,
            "softmax": self._softmax,
            "join": self._join,
            "stack": self._stack,
            "powers": self._powers,
            "product": self._dot,
            "outer": self._outer,
            "einsum": self._einsum,
            "square": functools.partial(of_a_square, self),
            "triangle": functools.partial(triangle, self),
            "fit": functools.partial(fitted, self),
            "pseudo inverse": functools.partial(pseudo_inverse, self),
            "convolution": functools.partial(convolved, self),
            "trapezoid": self._trapezoid,
            "histogram": self._histogram,
            "shift": self._shift,
            "like": self._like,
            "flip": self._flip,
            "beside": self._beside,
            "roll": self._roll,
            "expand": self._expand,
            "one hot": self._one_hot,
            "member": self._member,
            "searchsorted": self._searchsorted,
            "interp": self._interp,
            "along": self._along,
            "take": self._take,
            "transpose": self._transpose,
            "reshape": self._reshape,
            "bincount": self._bincount,
            "segment": self._segment,
            "covariance": self._covariance,
            "drawn": self.drawn,
            "chosen": self.chosen,
        }
        return by_sort.get(known.operation.sort, self._nothing_known)
