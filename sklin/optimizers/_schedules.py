r"""Learning-rate schedules: the step size as a function of time.

Time ``t`` counts iterations, epochs for the mini-batch methods, and runs on within an epoch: so a
schedule means the same for every batch size. An optimizer's ``learning_rate`` takes a number, which
stands for `ConstantRate`, or one of these objects.
"""

from __future__ import annotations

import math
from numbers import Real

from sklin._component import Component, check_number

__all__ = ["ConstantRate", "CosineDecay", "InverseDecay", "Schedule", "StepDecay", "schedule_of"]


class Schedule(Component):
    """A learning rate that depends on time; a subclass gives `rate`.

    Its parameter ``learning_rate`` is the rate at time zero.
    """

    def check_parameters(self):
        check_number("learning_rate", self.learning_rate, low=0, closed="neither")

    def rate(self, t):
        """Learning rate, a positive float, at time ``t`` in iterations."""
        raise NotImplementedError


class ConstantRate(Schedule):
    """The same learning rate for ever.

    Parameters
    ----------
    learning_rate : float, default=0.01
        The rate.

    Examples
    --------
    >>> from sklin.optimizers import ConstantRate
    >>> ConstantRate(0.1).rate(100)
    0.1
    """

    def __init__(self, learning_rate=0.01):
        self.learning_rate = learning_rate

    def rate(self, t):
        return self.learning_rate


class StepDecay(Schedule):
    r"""A learning rate that falls by a factor every so often.

    .. math:: \eta(t) = \eta_0 \, f^{\lfloor t / T \rfloor}

    Parameters
    ----------
    learning_rate : float, default=0.01
        The rate eta_0 at the start.
    factor : float, default=0.5
        What the rate is multiplied by, f, in (0, 1].
    every : float, default=10
        Iterations T between two falls.

    References
    ----------
    CS231n, course notes, "Annealing the learning rate".

    Examples
    --------
    >>> from sklin.optimizers import StepDecay
    >>> [StepDecay(0.1, factor=0.5, every=10).rate(t) for t in (0, 9.9, 10, 25)]
    [0.1, 0.1, 0.05, 0.025]
    """

    def __init__(self, learning_rate=0.01, factor=0.5, every=10):
        self.learning_rate = learning_rate
        self.factor = factor
        self.every = every

    def check_parameters(self):
        super().check_parameters()
        check_number("factor", self.factor, low=0, high=1, closed="right")
        check_number("every", self.every, low=0, closed="neither")

    def rate(self, t):
        return self.learning_rate * self.factor ** math.floor(t / self.every)


class InverseDecay(Schedule):
    r"""A learning rate that falls like a power of the inverse of time.

    .. math:: \eta(t) = \frac{\eta_0}{(1 + k t)^p}

    With p in (1/2, 1] the steps sum up to infinity and their squares do not, the condition under
    which stochastic descent converges (Robbins and Monro).

    Parameters
    ----------
    learning_rate : float, default=0.01
        The rate eta_0 at the start.
    decay : float, default=0.1
        The speed k of the fall, per iteration.
    power : float, default=1.0
        The exponent p.

    References
    ----------
    H. Robbins and S. Monro, "A stochastic approximation method", Annals of Mathematical Statistics
    22, 1951. CS231n, course notes, "Annealing the learning rate".

    Examples
    --------
    >>> from sklin.optimizers import InverseDecay
    >>> [InverseDecay(0.1, decay=1).rate(t) for t in (0, 1, 4)]
    [0.1, 0.05, 0.02]
    """

    def __init__(self, learning_rate=0.01, decay=0.1, power=1.0):
        self.learning_rate = learning_rate
        self.decay = decay
        self.power = power

    def check_parameters(self):
        super().check_parameters()
        check_number("decay", self.decay, low=0)
        check_number("power", self.power, low=0)

    def rate(self, t):
        return self.learning_rate / (1 + self.decay * t) ** self.power


class CosineDecay(Schedule):
    r"""A learning rate that falls along half a cosine, slowly at first and at last.

    .. math:: \eta(t) = \eta_1 + \frac{\eta_0 - \eta_1}{2}
              \Bigl(1 + \cos \frac{\pi \min(t, T)}{T}\Bigr)

    Parameters
    ----------
    learning_rate : float, default=0.01
        The rate eta_0 at the start.
    n_iter : float, default=100
        Iterations T until it has fallen; it stays there.
    final : float, default=0.0
        The rate eta_1 at the end.

    References
    ----------
    I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.

    Examples
    --------
    >>> from sklin.optimizers import CosineDecay
    >>> [round(CosineDecay(0.1, n_iter=20).rate(t), 3) for t in (0, 10, 20, 30)]
    [0.1, 0.05, 0.0, 0.0]
    """

    def __init__(self, learning_rate=0.01, n_iter=100, final=0.0):
        self.learning_rate = learning_rate
        self.n_iter = n_iter
        self.final = final

    def check_parameters(self):
        super().check_parameters()
        check_number("n_iter", self.n_iter, low=0, closed="neither")
        check_number("final", self.final, low=0)

    def rate(self, t):
        share = min(t / self.n_iter, 1.0)
        return self.final + (self.learning_rate - self.final) / 2 * (1 + math.cos(math.pi * share))


def schedule_of(learning_rate):
    """The checked schedule that a parameter ``learning_rate`` stands for.

    Parameters
    ----------
    learning_rate : float or Schedule
        A constant rate, or a schedule.

    Returns
    -------
    Schedule
        The schedule.

    Raises
    ------
    TypeError, ValueError
        If it is neither, or a parameter of it is bad.
    """
    if isinstance(learning_rate, Real) and not isinstance(learning_rate, bool):
        learning_rate = ConstantRate(learning_rate)
    elif not isinstance(learning_rate, Schedule):
        raise TypeError(
            "learning_rate must be a number in (0, inf) or a schedule such as InverseDecay(0.1); "
            f"got {learning_rate!r}, a {type(learning_rate).__name__}."
        )
    learning_rate.check_parameters()
    return learning_rate
