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

    ================  ================================  ==================
    regularizer       size of the problem               optimizer
    ================  ================================  ==================
    smooth (L2)       a Newton step costs little        `Newton`
    smooth (L2)       larger                            `LBFGS`
    with kinks        any                               `ProximalGradient`
    ================  ================================  ==================

    "Little" means, for the p parameters and n samples, n p^2 + p^3 / 3 below 5e7 multiplications,
    some milliseconds; for hinges, p up to 1,000, since their last digits are hard to come by with
    gradients alone. Hinges are served by all three, which round their kinks.

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
    work = len(objective.samples.y) * n_params**2 + n_params**3 / 3
    little = work < 5e7 if objective.loss.smooth else n_params <= Newton().max_direct
    return Newton() if little else LBFGS()
