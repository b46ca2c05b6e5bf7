"""Optimizers: ways of minimising an objective, known only by its protocol."""

from sklin.optimizers._admm import ADMM
from sklin.optimizers._base import NEEDS, Optimizer, Result, Step
from sklin.optimizers._compatibility import (
    OPTIMIZERS,
    Cell,
    compatibility,
    compatibility_table,
    serving,
)
from sklin.optimizers._gradient import GradientDescent
from sklin.optimizers._minibatch import SGD, AdaGrad, Adam, MiniBatch, State
from sklin.optimizers._newton import LBFGS, Newton
from sklin.optimizers._proximal import ProximalGradient
from sklin.optimizers._proximal_newton import ProximalNewton
from sklin.optimizers._schedules import (
    ConstantRate,
    CosineDecay,
    InverseDecay,
    Schedule,
    StepDecay,
)
from sklin.optimizers._search import RandomLocalSearch, RandomSearch

__all__ = [
    "ADMM",
    "LBFGS",
    "NEEDS",
    "OPTIMIZERS",
    "SGD",
    "AdaGrad",
    "Adam",
    "Cell",
    "ConstantRate",
    "CosineDecay",
    "GradientDescent",
    "InverseDecay",
    "MiniBatch",
    "Newton",
    "Optimizer",
    "ProximalGradient",
    "ProximalNewton",
    "RandomLocalSearch",
    "RandomSearch",
    "Result",
    "Schedule",
    "State",
    "Step",
    "StepDecay",
    "choose",
    "choose_batches",
    "compatibility",
    "compatibility_table",
    "serving",
]


def choose(objective):
    """The optimizer that "auto" stands for: deterministic, full-batch, with a certificate.

    ================  ================  ===========================  ========================
    regularizer       loss              size of the problem          optimizer
    ================  ================  ===========================  ========================
    smooth            any (*)           a Newton step costs little   ``Newton()``
    smooth            smooth            up to 1,000 parameters       ``Newton(warm_up=30)``
    smooth            smooth            more parameters              ``Newton(warm_up=100)``
    squared norm      with kinks (+)    more, dense or wide          ``ADMM()``
    smooth            with kinks (*)    up to 1,000 and moderate     ``Newton()``
    smooth            with kinks (*)    larger                       ``LBFGS()``
    separable prox    smooth            any                          ``ProximalNewton()``
    another prox      any (*)           any                          ``ProximalGradient()``
    `Dropout`         any               any                          ``Adam()``
    ================  ================  ===========================  ========================

    (*) A loss of the user's own that has kinks and lacks ``smoothed`` or ``conjugate`` is left to
    mini-batches as dropout is, which do not reach the minimum to ``tol``; see `choose_batches`.
    (+) A loss with ``proximal_slope``, and alpha above zero.

    "Little" means, for the p parameters and n samples, n p^2 + p^3 / 3 below 5e7 multiplications,
    some milliseconds, and "moderate" below 2e9. The first steps of L-BFGS (the warm-up) are enough
    for most fits; small alpha and correlated features are left to Newton's method. Hinges are
    minimised as they are by the alternating direction method; those that cannot (under a penalty
    that is no squared norm, on sparse samples) through smooth objectives, each starting close to
    its minimum. The second derivatives of the losses are held for all samples at once, so
    Newton's directions are found by conjugate gradients where they would take above 150 MB.

    Parameters
    ----------
    objective : Objective
        What will be minimised.

    Returns
    -------
    Optimizer
        A new optimizer with default parameters.
    """
    loss, regularizer = objective.loss, objective.regularizer
    if Newton().missing(loss, regularizer):
        exact = [ProximalNewton(), ProximalGradient()]
        serving = [each for each in exact if not each.missing(loss, regularizer)]
        return serving[0] if serving else choose_batches(objective)
    n_samples, n_classes = len(objective.samples.y), objective.shape[0]
    width = objective.shape[1]
    if objective.is_wide:
        width = min(width, n_samples + objective.samples.fit_intercept)
    n_params = n_classes * width
    work = n_samples * n_params**2 + n_params**3 / 3
    # The second derivatives of the losses are held for all samples at once: 150 MB at most.
    direct = n_params <= Newton().max_direct and n_samples * n_classes**2 <= 2**25
    if direct and work < 5e7:
        return Newton()
    if loss.smooth:
        return Newton(warm_up=30) if direct else Newton(warm_up=100, max_direct=0)
    dense = objective.is_wide or objective.samples.is_dense
    if dense and objective.alpha > 0 and not ADMM().missing(loss, regularizer):
        return ADMM()
    # At 20,000 x 10 with 50 classes, 6e9, L-BFGS took 1.1 s and Newton's method 32.
    return Newton() if direct and work < 2e9 else LBFGS()


def choose_batches(objective):
    """The mini-batch method that "auto" stands for in ``partial_fit``.

    ``Adam()``, whose default rate served CIFAR-10 pixels in every scale (standardised, 0 to 1,
    bytes), where those of `SGD` and `AdaGrad` served one or two; ``SGD()`` for regularizers
    that `Adam` cannot serve.

    Parameters
    ----------
    objective : Objective
        What will be minimised.

    Returns
    -------
    MiniBatch
        A new optimizer with default parameters.
    """
    return SGD() if Adam().missing(objective.loss, objective.regularizer) else Adam()
