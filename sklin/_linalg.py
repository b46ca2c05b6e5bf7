"""Linear algebra that several rooms need."""

from contextlib import nullcontext
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController


def inner(a, b):
    """Inner product of two matrices of one shape, a float.

    Not `numpy.vdot`: its threads, on 30,000 numbers and beside another busy process, took 8 ms
    where this takes 0.01.
    """
    return float(np.einsum("ij,ij->", a, b, dtype=np.float64))


@cache
def _controller():
    return ThreadpoolController()


def threads_for(n_samples, n_features, n_classes):
    """Context in which small products run on one thread.

    Threads of a BLAS wait for each other by spinning. On products of a few million multiplications
    they gain nothing, and beside another busy process they lost all: a grid search on 1,000 x 200
    features took 157 s on two threads and 11 on one.
    """
    small = n_samples * n_features * n_classes < 2e7 and n_samples * n_features**2 < 2e9
    return _controller().limit(limits=1, user_api="blas") if small else nullcontext()
