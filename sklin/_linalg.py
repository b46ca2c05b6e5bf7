"""Linear algebra that several rooms need."""

from contextlib import nullcontext
from functools import cache
from threading import Lock

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


class _OneThread:
    """Context in which the BLAS has one thread, for the whole process, as it only can.

    Fits in several threads of Python overlap: the first that enters notes how many there were, the
    last that leaves brings them back. Each for itself would bring back what another had set.
    """

    def __init__(self):
        self.lock = Lock()
        self.inside = 0
        self.limit = None

    def __enter__(self):
        with self.lock:
            if self.inside == 0:
                self.limit = _controller().limit(limits=1, user_api="blas")
                _let_others_set()
            self.inside += 1

    def __exit__(self, *exception):
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                self.limit.restore_original_limits()
                self.limit = None
                _let_others_set()


def _let_others_set():
    """Give up the say over OpenBLAS's threads that setting their number has brought.

    threadpoolctl 3.8 lets the first thread that sets it, as long as it lives, be the only one
    that can, until a limit taken by ``with`` ends. Without this the thread that leaves last could
    not bring back what the first had lowered: BLAS stayed on one thread.
    """
    with _controller().limit(limits=None):
        pass


one_thread = _OneThread()


def threads_for(n_samples, n_features, n_classes):
    """Context in which small products run on one thread.

    Threads of a BLAS wait for each other by spinning. On products of a few million multiplications
    they gain nothing, and beside another busy process they lost all: a grid search on 1,000 x 200
    features took 157 s on two threads and 11 on one.
    """
    small = n_samples * n_features * n_classes < 2e7 and n_samples * n_features**2 < 2e9
    return one_thread if small else nullcontext()
