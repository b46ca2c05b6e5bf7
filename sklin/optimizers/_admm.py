"""The alternating direction method: losses with kinks, minimised as they are."""

from __future__ import annotations

import itertools
import math

import numpy as np

from sklin._component import check_number
from sklin.optimizers._base import Optimizer, Stall, Step
from sklin.optimizers._preconditioner import Preconditioner


class ADMM(Optimizer):
    r"""The alternating direction method of multipliers, in the metric of the data.

    Scores and weights are minimised by turns: the weights for given scores, which is least squares
    and one solve with ``rho Cov(x) + 2 alpha I``, a Cholesky factor that serves every turn; the
    scores for given weights, which is the prox of the loss, sample by sample. Multipliers ``beta``,
    one a score, bring the two together. No kink is rounded. With G the mean of ``beta x'`` a turn
    is

    .. math:: W^+ &= W - (\rho X'X/n + 2 \alpha I)^{-1} (2 \alpha W + G) \\
              \beta^+ &= \text{slope of the loss at its prox, } 1/\rho
              \text{ from } X(2 W^+ - W)' + \beta/\rho

    followed by going ``relaxation`` times as far: two passes over the data. The multipliers are
    slopes of the loss, so every turn proves a lower bound.

    The gap splits into what scores and multipliers lack of each other (the loss's part), and
    ``|2 alpha W + G|^2 / (4 alpha)`` (the weights' part, with what an intercept lacks). A large rho
    shrinks the first soon and a small one the second: where one part is larger and falls slowly,
    rho is changed in its favour.

    Parameters
    ----------
    rho : float, default=1.0
        Penalty on the difference of scores and their twins to begin with, for a margin of one.
    relaxation : float, default=1.8
        How far to go along each step, between 0 and 2; more than 1 is mostly sooner.
    adaptive : bool, default=True
        Whether rho is changed on the way.
    turns : int, default=5
        Turns that make one iteration, as ``max_iter``, callbacks and loss curves count them. A fit
        ends at the turn at which its gap is proven.

    References
    ----------
    S. Boyd, N. Parikh, E. Chu, B. Peleato and J. Eckstein, "Distributed optimization and
    statistical learning via the alternating direction method of multipliers", Foundations and
    Trends in Machine Learning 3, 2011. A. Chambolle and T. Pock, "A first-order primal-dual
    algorithm for convex problems with applications to imaging", JMIV 40, 2011 (the form above).
    L. Condat, "A primal-dual splitting method for convex optimization", JOTA 158, 2013 (the
    relaxation).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklin import LinearSVMClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> model = LinearSVMClassifier(alpha=1e-3, optimizer="admm", tol=1e-3).fit(X / 16, y)
    >>> bool(model.duality_gap_ <= 1e-3 * model.objective_)
    True
    """

    needs = ("proximable loss", "squared norm")
    in_span = True

    def __init__(self, rho=1.0, relaxation=1.8, adaptive=True, turns=5):
        self.rho = rho
        self.relaxation = relaxation
        self.adaptive = adaptive
        self.turns = turns

    def check_parameters(self):
        check_number("rho", self.rho, low=0, closed="neither")
        check_number("relaxation", self.relaxation, low=0, high=2, closed="neither")
        check_number("turns", self.turns, low=1, integer=True)

    def steps(self, objective, params, tol, rng):
        loss, samples = objective.loss, objective.samples
        rho = self.rho / getattr(loss, "margin", 1.0)
        metric = metric_of(objective, rho)
        balance = Balance()
        certificate = objective.certificate()
        point = objective.evaluate(params)
        scores, dual, total = point.scores, point.dual, point.data_gradient
        gap = point.value - certificate.add(point)
        yield Step(params, point.value, gap)
        stall = Stall(300)
        for turn in itertools.count(1):
            slope = objective.add_penalty_gradient(params, total.copy())
            new = objective.evaluate(params - metric(slope))
            dtype = new.scores.dtype.type
            ahead = 2 * new.scores - scores
            ahead += dual / dtype(rho)
            new_dual = loss.proximal_slope(ahead, samples.y, 1 / rho, start=dual)
            new_total = samples.weighted_sum(new_dual)
            conjugate = float(samples.weight @ loss.conjugate(new_dual, samples.y))
            plane = objective.plane_at(new_dual, new_total, new.noise, conjugate)
            gap = new.value - certificate.add_plane(plane)
            if turn % self.turns == 0 or gap <= tol * abs(new.value):
                yield Step(new.params, new.value, gap)
            # The iterates circle about the minimum, ever slower: at the end of a run the gap can
            # stand still for a third of it, and fall again.
            if stall(new.value, gap, new.noise) and stall.idle >= turn / 2:
                reason = f"No step improves the objective at the accuracy of {new.scores.dtype}."
                yield Step(new.params, new.value, gap, reason)
                return
            if self.adaptive and plane is not None:
                product = np.einsum("ij,ij->i", new_dual, new.scores)
                of_loss = new.data_value + conjugate - float(samples.weight @ product)
                of_weights = new.value - objective.bound_of(plane) - of_loss
                factor = balance(of_loss, of_weights)
                if factor != 1.0:
                    rho *= factor
                    metric = metric_of(objective, rho)
            far = dtype(self.relaxation)
            params = params + self.relaxation * (new.params - params)
            total = total + self.relaxation * (new_total - total)
            scores = scores + far * (new.scores - scores)
            dual = dual + far * (new_dual - dual)


class Balance:
    """Says by which factor to change rho, from the two parts of the gap at each turn.

    They are judged over windows of turns that grow with each change, so that changes come to an
    end. A part that is larger than the other and still halves in ten turns is left to fall: at
    first the weights' part is large whatever rho is. Balancing at once (Boyd's section 3.4.1) took
    rho from 1, the best, to 0.03 on pixels and thrice the turns. The ratio of the distances
    that scores and multipliers have gone (the primal weight of PDLP) took it to the right place as
    well, but slowly, where samples beyond the margin, which matter to no multiplier, still move.
    """

    def __init__(self):
        self.parts = []
        self.half = 5

    def __call__(self, of_loss, of_weights):
        self.parts.append([math.log(max(part, 1e-300)) for part in (of_loss, of_weights)])
        if len(self.parts) < 2 * self.half:
            return 1.0
        self.parts = self.parts[-2 * self.half :]
        before, now = np.reshape(self.parts, (2, self.half, 2)).mean(axis=1)
        larger = int(now[1] > now[0])
        lead = abs(now[1] - now[0])
        if lead < 1.0 or 10 * (now - before)[larger] < -0.8 * self.half:
            return 1.0
        self.parts, self.half = [], math.ceil(1.3 * self.half)
        factor = min(math.exp(lead / 4), 2.5)
        return 1 / factor if larger else factor


class Bounded:
    """A multiple of the identity that stands in for samples of too many features for a factor."""

    def __init__(self, objective, rho):
        # The estimate is from below.
        self.curvature = 1.1 * rho * objective.samples.largest_moment
        self.samples = objective.samples
        self.ridge = objective.alpha * objective.regularizer.curvature

    def __call__(self, gradient):
        direction = gradient / self.curvature
        coef = self.samples.coef(direction)
        coef *= self.curvature / (self.curvature + self.ridge)
        return direction


def metric_of(objective, rho):
    """Inverse of ``rho`` times the second moments of the samples plus the penalty's curvature.

    For sparse and very wide samples, of a bound on it: the iterations converge, slowly.
    """
    return (Preconditioner if objective.samples.is_dense else Bounded)(objective, rho)
