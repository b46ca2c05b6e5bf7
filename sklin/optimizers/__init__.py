"""Optimizers: ways of minimising an objective, known only by its protocol."""

from sklin.optimizers._base import Optimizer, Result, Step
from sklin.optimizers._gradient import SGD, GradientDescent
from sklin.optimizers._newton import LBFGS, NewtonCG
from sklin.optimizers._proximal import ProximalGradient

__all__ = [
    "LBFGS",
    "OPTIMIZERS",
    "SGD",
    "GradientDescent",
    "NewtonCG",
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
    "newton_cg": NewtonCG,
    "proximal_gradient": ProximalGradient,
}


def choose(objective):
    """The optimizer that "auto" stands for: deterministic, full-batch, with a certificate.

    ===================  ==================  ====================================
    loss                 regularizer         optimizer
    ===================  ==================  ====================================
    smooth, or a hinge   smooth (L2)         `LBFGS`
    smooth, or a hinge   with kinks          `ProximalGradient`
    ===================  ==================  ====================================

    Parameters
    ----------
    objective : Objective
        What will be minimised.

    Returns
    -------
    Optimizer
        A new optimizer with default parameters.
    """
    return LBFGS() if objective.regularizer.smooth else ProximalGradient()
