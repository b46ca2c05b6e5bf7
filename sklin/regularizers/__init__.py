r"""Regularizers: the weights in, R(W) and its gradient or proximal operator out.

A regularizer has no strength of its own: the objective adds ``alpha * R(W)``, and ``alpha`` stands
once, on the estimator. It sees the coefficients, shape (n_classes, n_features), never the
intercept. The *proximal operator* ``prox(V, step)`` is the W that minimises
``R(W) + |W - V|^2 / (2 step)``; the *conjugate* ``R*(U) = sup_W <U, W> - R(W)`` serves lower
bounds.
"""

from sklin.regularizers._base import Regularizer
from sklin.regularizers._limits import Dropout, MaxNorm
from sklin.regularizers._norms import L1, L2, ElasticNet, GroupL2

__all__ = [
    "L1",
    "L2",
    "REGULARIZERS",
    "Dropout",
    "ElasticNet",
    "GroupL2",
    "MaxNorm",
    "Regularizer",
]

REGULARIZERS = {
    "l2": L2,
    "l1": L1,
    "elasticnet": ElasticNet,
    "group_l2": GroupL2,
    "max_norm": MaxNorm,
    "dropout": Dropout,
}
