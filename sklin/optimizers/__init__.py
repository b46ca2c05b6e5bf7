"""Optimizers: ways of minimising an objective, known only by its protocol."""

from sklin.optimizers._base import Optimizer, Result, Step
from sklin.optimizers._gradient import SGD, GradientDescent
from sklin.optimizers._newton import LBFGS, Newton
from sklin.optimizers._proximal import ProximalGradient

__all__ = [
    "LBFGS",
    "OPTIMIZERS",
    "SGD",
    "GradientDescent",
    "Newton",
    "Optimizer",
    "ProximalGradient",
    "Result",
    "Step",
    "choose",
]

OPTIMIZERS = {
    "gradient_descent": GradientDescent,
    "sgd": SGD,
    "lbfgs": LBFGS,
    "newton": Newton,
    "proximal_gradient": ProximalGradient,
}


def choose(objective):
    """The optimizer that "auto" stands for: deterministic, full-batch, with a certificate.

    ================  ===============================  ========================
    regularizer       size of the problem              optimizer
    ================  ===============================  ========================
    smooth (L2)       a Newton step costs little       ``Newton()``
    smooth (L2)       up to 1,000 parameters           ``Newton(warm_up=30)``
    smooth (L2)       more parameters                  ``LBFGS()``
    with kinks        any                              ``ProximalGradient()``
    ================  ===============================  ========================

    "Little" means, for the p parameters and n samples, n p^2 + p^3 / 3 below 5e7 multiplications,
    some milliseconds. A hinge goes without the L-BFGS steps: it is minimised through smooth
    objectives, each starting close to its minimum, where Newton's method is at its best.

    Parameters
    ----------
    objective : Objective
        What will be minimised.

    Returns
    -------
    Optimizer
        A new optimizer with default parameters.
    """
    if not objective.regularizer.smooth:
        return ProximalGradient()
    n_params = objective.shape[0] * objective.shape[1]
    if n_params > Newton().max_direct:
        return LBFGS()
    work = len(objective.samples.y) * n_params**2 + n_params**3 / 3
    return Newton(warm_up=30 if objective.loss.smooth and work > 5e7 else 0)
