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

    ================  =============  =============================  ========================
    regularizer       loss           size of the problem            optimizer
    ================  =============  =============================  ========================
    smooth (L2)       any            a Newton step costs little     ``Newton()``
    smooth (L2)       smooth         up to 1,000 parameters         ``Newton(warm_up=30)``
    smooth (L2)       smooth         more parameters                ``Newton(warm_up=100)``
    smooth (L2)       with kinks     up to 1,000 parameters         ``Newton()``
    smooth (L2)       with kinks     more parameters                ``LBFGS()``
    with kinks        any            any                            ``ProximalGradient()``
    ================  =============  =============================  ========================

    "Little" means, for the p parameters and n samples, n p^2 + p^3 / 3 below 5e7 multiplications,
    some milliseconds. The first steps of L-BFGS (the warm-up) are enough for most fits; small alpha
    and correlated features are left to Newton's method. A hinge with few parameters goes without
    them: it is minimised through smooth objectives, each starting close to its minimum.

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
    direct = n_params <= Newton().max_direct
    little = len(objective.samples.y) * n_params**2 + n_params**3 / 3 < 5e7
    if objective.loss.smooth and not little:
        return Newton(warm_up=30 if direct else 100)
    return Newton() if direct else LBFGS()
