"""Stochastic descent by mini-batches: SGD with momentum, AdaGrad, Adam."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from sklin._component import check_number
from sklin.optimizers._base import Optimizer, Step
from sklin.optimizers._schedules import schedule_of


@dataclass
class State:
    """Where a mini-batch method stands: all that it needs to go on, in plain arrays.

    Parameters
    ----------
    params : ndarray
        The parameters.
    memory : tuple of ndarray
        What the method remembers of past gradients, each of the shape of the parameters.
    average : ndarray or None
        Mean of all parameters so far, if the method averages.
    n_updates : int
        Mini-batches met.
    n_epochs : int
        Passes over samples made.
    method : str
        Name of the method that the memory belongs to.
    rng : numpy.random.RandomState or None
        Source of randomness, where the state is kept between calls.
    """

    params: np.ndarray
    memory: tuple
    average: np.ndarray | None = None
    n_updates: int = 0
    n_epochs: int = 0
    method: str = ""
    rng: np.random.RandomState | None = None

    @property
    def answer(self):
        """The parameters to predict with."""
        return self.params if self.average is None else self.average


class MiniBatch(Optimizer):
    """What the mini-batch methods share; a subclass gives `update`, and its ``n_memories``.

    An iteration is an epoch: every sample is visited once. Samples are shuffled once, in a copy,
    and then read in contiguous mini-batches, in a new order in each epoch. Gathering rows at random
    took half as long again as the products with them; one shuffle converges as well as many
    (Mishchenko, Khaled and Richtarik, "Random reshuffling", NeurIPS 2020).

    A regularizer with kinks or a constraint enters by its proximal operator after each step, and so
    sets weights to exactly zero, or stays inside.
    """

    needs = ("smooth or prox",)
    uses_batches = True
    is_stochastic = True
    n_iter_no_change = 5
    n_memories = 1
    average = False

    def check_parameters(self):
        schedule_of(self.learning_rate)
        check_number("batch_size", self.batch_size, low=1, integer=True)

    def begin(self, params):
        """State to begin from at ``params``, an array of the dtype to compute in."""
        memory = tuple(np.zeros_like(params) for _ in range(self.n_memories))
        average = params.copy() if self.average else None
        return State(params.copy(), memory, average, method=type(self).__name__)

    def can_resume(self, state, objective):
        """Whether a state is one of this method, for parameters of the objective's shape."""
        return (
            state.method == type(self).__name__
            and (state.average is not None) == bool(self.average)
            and state.params.shape == objective.shape
        )

    def batches(self, n_samples):
        """Slices of ``batch_size`` samples at most, whose sizes differ by one at most.

        A small one at the end would count its samples for more than the others.
        """
        cuts = np.linspace(0, n_samples, -(-n_samples // self.batch_size) + 1).astype(int)
        return [slice(*ends) for ends in itertools.pairwise(cuts)]

    def epoch(self, objective, state, batches, rng):
        """Visit mini-batches, updating a state in place.

        Parameters
        ----------
        objective : Objective
            The objective on all the samples.
        state : State
            Where to start and what to update.
        batches : list of slice or ndarray of int
            The mini-batches.
        rng : numpy.random.RandomState
            Source of the noise, where the regularizer works by it.

        Returns
        -------
        float
            Mean loss over the mini-batches as they were met, plus the penalty at the end.
        """
        schedule = schedule_of(self.learning_rate)
        total = 0.0
        for number, index in enumerate(batches):
            rate = schedule.rate(state.n_epochs + number / len(batches))
            value, gradient, share = objective.batch_slope(self.looks_from(state), index, rng)
            state.n_updates += 1
            # Shuffled once, the smaller mini-batches are always the same: with whole steps their
            # samples would count for more, and the minimum be missed.
            self.update(state, gradient, rate * share * len(batches), objective)
            if state.average is not None:
                state.average += (state.params - state.average) / state.n_updates
            total += share * value
        state.n_epochs += 1
        return total + objective.penalty(state.answer)

    def looks_from(self, state):
        """Where the gradient of the next mini-batch is taken."""
        return state.params

    def update(self, state, gradient, rate, objective):
        """Make one step, changing ``state.params`` and ``state.memory`` in place.

        Parameters
        ----------
        state : State
            What to update.
        gradient : ndarray
            Gradient of the loss and a smooth regularizer; may be overwritten.
        rate : float
            The learning rate.
        objective : Objective
            Whose ``prox`` to use, if its regularizer has kinks.
        """
        raise NotImplementedError

    def steps(self, objective, params, tol, rng):
        yield Step(params, objective.value(params))
        objective = objective.shuffled(rng)
        state = self.begin(params.astype(objective.samples.X.dtype))
        batches = self.batches(len(objective.samples.y))
        while True:
            rng.shuffle(batches)
            value = self.epoch(objective, state, batches, rng)
            yield Step(state.answer.copy(), value)


class SGD(MiniBatch):
    r"""Mini-batch stochastic gradient descent with momentum.

    .. math:: v \leftarrow \mu v - \eta \nabla F_B(\theta), \qquad \theta \leftarrow \theta + v

    where ``F_B`` is the objective on a mini-batch B. Nesterov's form takes the gradient ahead, at
    ``theta + mu v``. An iteration is an epoch: every sample is visited once. The value that it
    reports is the mean over its mini-batches, which costs no extra pass.

    Parameters
    ----------
    learning_rate : float or Schedule, default=0.01
        The step eta.
    batch_size : int, default=256
        Samples in a mini-batch; 1 is the lecture's stochastic gradient descent.
    momentum : float, default=0.9
        The share mu of the last step that is kept, in [0, 1); 0 is plain descent.
    nesterov : bool, default=False
        Whether to look ahead.
    average : bool, default=False
        Whether the mean of all parameters met is the answer, which wanders less (Polyak and
        Ruppert).

    Notes
    -----
    Stochastic steps do not reach the minimum, they wander about it: on standardised CIFAR-10 pixels
    the objective stays some per cent above. They are for streams and for teaching; "auto" is
    exact. Sample weights scale the gradients; a weight of two is close to, and not the same as, the
    sample given twice, because the mini-batches differ. The samples are copied once, shuffled.

    A regularizer with kinks enters by its proximal operator: ``theta`` plus its step is replaced by
    ``prox(theta + step, eta alpha)``, and v is the step that was made.

    References
    ----------
    CS231n, lecture 3. B. Polyak, "Some methods of speeding up the convergence of iteration
    methods", USSR Computational Mathematics and Mathematical Physics 4, 1964. I. Sutskever,
    J. Martens, G. Dahl and G. Hinton, "On the importance of initialization and momentum in deep
    learning", ICML 2013. B. Polyak and A. Juditsky, "Acceleration of stochastic approximation by
    averaging", SIAM Journal on Control and Optimization 30, 1992.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklin import SoftmaxClassifier
    >>> from sklin.optimizers import SGD
    >>> X, y = load_digits(return_X_y=True)
    >>> model = SoftmaxClassifier(optimizer=SGD(learning_rate=0.1), tol=1e-3, random_state=0)
    >>> model.fit(X / 16, y).score(X / 16, y) > 0.9
    True
    """

    def __init__(
        self, learning_rate=0.01, batch_size=256, momentum=0.9, nesterov=False, average=False
    ):
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.momentum = momentum
        self.nesterov = nesterov
        self.average = average

    def check_parameters(self):
        super().check_parameters()
        check_number("momentum", self.momentum, low=0, high=1)

    def looks_from(self, state):
        if self.nesterov and state.n_updates:
            return state.params + self.momentum * state.memory[0]
        return state.params

    def update(self, state, gradient, rate, objective):
        (velocity,) = state.memory
        velocity *= self.momentum
        gradient *= rate
        velocity -= gradient
        if objective.regularizer.smooth:
            state.params += velocity
        else:
            new = objective.prox(state.params + velocity, rate)
            np.subtract(new, state.params, out=velocity)
            state.params[...] = new


class AdaGrad(MiniBatch):
    r"""Mini-batch descent with a step of its own for each weight.

    .. math:: a \leftarrow a + g^2, \qquad
              \theta \leftarrow \theta - \frac{\eta}{\sqrt{a} + \epsilon} g,
              \qquad g = \nabla F_B(\theta)

    Weights of features that are rarely active get larger steps.

    Parameters
    ----------
    learning_rate : float or Schedule, default=0.01
        The step eta.
    batch_size : int, default=256
        Samples in a mini-batch.
    average : bool, default=False
        Whether the mean of all parameters met is the answer.
    epsilon : float, default=1e-8
        What keeps the divisor from zero.

    Notes
    -----
    A regularizer with kinks enters by its proximal operator in the metric of the steps, which is
    known if it is a sum over single weights (L1, elastic net). Sample weights and the copy of the
    samples are as in `SGD`.

    References
    ----------
    J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods for online learning and
    stochastic optimization", JMLR 12, 2011.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklin import SoftmaxClassifier
    >>> from sklin.optimizers import AdaGrad
    >>> X, y = load_digits(return_X_y=True)
    >>> model = SoftmaxClassifier(optimizer=AdaGrad(0.1), tol=1e-3, random_state=0)
    >>> model.fit(X / 16, y).score(X / 16, y) > 0.9
    True
    """

    needs = ("smooth or separable",)

    def __init__(self, learning_rate=0.01, batch_size=256, average=False, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.average = average
        self.epsilon = epsilon

    def check_parameters(self):
        super().check_parameters()
        check_number("epsilon", self.epsilon, low=0, closed="neither")

    def update(self, state, gradient, rate, objective):
        (squares,) = state.memory
        squares += np.square(gradient)
        scaled_step(state, gradient, rate / (np.sqrt(squares) + self.epsilon), objective)


class Adam(MiniBatch):
    r"""Mini-batch descent by running means of the gradient and of its square.

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad
              a \leftarrow \beta_2 a + (1 - \beta_2) g^2, \qquad
              \theta \leftarrow \theta - \eta
              \frac{m / (1 - \beta_1^t)}{\sqrt{a / (1 - \beta_2^t)} + \epsilon}

    with ``g`` the gradient of the objective on a mini-batch and t the number of updates.

    Parameters
    ----------
    learning_rate : float or Schedule, default=0.001
        The step eta.
    batch_size : int, default=256
        Samples in a mini-batch.
    beta1, beta2 : float, default=0.9, 0.999
        The shares of the running means that are kept, in [0, 1).
    average : bool, default=False
        Whether the mean of all parameters met is the answer.
    epsilon : float, default=1e-8
        What keeps the divisor from zero.

    Notes
    -----
    A regularizer with kinks enters by its proximal operator in the metric of the steps, which is
    known if it is a sum over single weights (L1, elastic net). Sample weights and the copy of the
    samples are as in `SGD`.

    References
    ----------
    D. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklin import SoftmaxClassifier
    >>> from sklin.optimizers import Adam
    >>> X, y = load_digits(return_X_y=True)
    >>> model = SoftmaxClassifier(optimizer=Adam(0.01), tol=1e-3, random_state=0)
    >>> model.fit(X / 16, y).score(X / 16, y) > 0.9
    True
    """

    needs = ("smooth or separable",)
    n_memories = 2

    def __init__(
        self,
        learning_rate=0.001,
        batch_size=256,
        beta1=0.9,
        beta2=0.999,
        average=False,
        epsilon=1e-8,
    ):
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.beta1 = beta1
        self.beta2 = beta2
        self.average = average
        self.epsilon = epsilon

    def check_parameters(self):
        super().check_parameters()
        check_number("beta1", self.beta1, low=0, high=1)
        check_number("beta2", self.beta2, low=0, high=1)
        check_number("epsilon", self.epsilon, low=0, closed="neither")

    def update(self, state, gradient, rate, objective):
        mean, squares = state.memory
        mean += (1 - self.beta1) * (gradient - mean)
        squares += (1 - self.beta2) * (np.square(gradient) - squares)
        step = rate / (np.sqrt(squares / (1 - self.beta2**state.n_updates)) + self.epsilon)
        scaled_step(state, mean / (1 - self.beta1**state.n_updates), step, objective)


def scaled_step(state, gradient, step, objective):
    """Step against a gradient with a step size for each weight, in place, then the prox if any."""
    state.params -= step * gradient
    if not objective.regularizer.smooth:
        state.params[...] = objective.prox(state.params, step)
