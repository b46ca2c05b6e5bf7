"""The laws of optimizers pass what is right, and tell each planted bug in a sentence."""

import random
import re
import time

import numpy as np
import pytest

from sklin.losses import CrossEntropy
from sklin.optimizers import (
    ADMM,
    LBFGS,
    OPTIMIZERS,
    SGD,
    AdaGrad,
    Adam,
    CosineDecay,
    GradientDescent,
    InverseDecay,
    Newton,
    Optimizer,
    ProximalGradient,
    ProximalNewton,
    RandomLocalSearch,
    RandomSearch,
    Step,
    StepDecay,
)
from sklin.testing import check_optimizer

SENTENCE = r"\A[A-Z]\w*\([^\n]*\): [^\n]*; [^\n]*\.\Z"

# Each optimizer of the package, with what it may leave: a search is no descent.
PACKAGE = [
    (ADMM(), {}),
    (ADMM(rho=0.1, relaxation=1.0, adaptive=False, turns=1), {}),
    (LBFGS(), {}),
    (LBFGS(memory=2), {}),
    (Newton(), {}),
    (Newton(max_direct=0), {}),
    (Newton(warm_up=3), {}),
    (ProximalGradient(), {}),
    (ProximalNewton(), {}),
    (GradientDescent(), {}),
    (GradientDescent(StepDecay(0.4, every=100)), {}),
    (GradientDescent(0.3, gradient="numerical"), dict(max_iter=40, share=0.05)),
    (SGD(0.05, batch_size=16), {}),
    (SGD(InverseDecay(0.3, decay=0.3), batch_size=1, momentum=0), dict(max_iter=60)),
    (SGD(0.05, batch_size=16, nesterov=True), {}),
    (SGD(0.3, batch_size=16, momentum=0, average=True), {}),
    (AdaGrad(0.3, batch_size=16), {}),
    (Adam(CosineDecay(0.05, n_iter=200), batch_size=16), {}),
    (RandomSearch(scale=0.15), dict(share=0.95)),
    (RandomLocalSearch(scale=0.1, start_scale=0.1), dict(share=0.4)),
    (RandomLocalSearch(scale=0.1, start_scale=0.1, acceptance=0.05), dict(share=0.5)),
]


@pytest.mark.parametrize(("optimizer", "options"), PACKAGE)
def test_the_optimizers_of_the_package_pass(optimizer, options):
    assert check_optimizer(optimizer, **options) is None


def test_every_optimizer_of_the_package_is_checked():
    assert {type(optimizer) for optimizer, _ in PACKAGE} == {*OPTIMIZERS.values()}


class Plain(Optimizer):
    """A stranger's descent that is right; the bugs are planted in it."""

    needs = ("gradient",)

    def __init__(self, learning_rate=0.3):
        self.learning_rate = learning_rate

    def steps(self, objective, params, tol, rng):
        while True:
            value, gradient = objective.value_and_gradient(params)
            yield Step(params, value)
            params = self.step(params, gradient, rng)

    def step(self, params, gradient, rng):
        return params - self.learning_rate * gradient


class Momentum(Plain):
    """Right: keeps its state in the loop, ends of itself."""

    needs = ("smooth loss", "smooth regularizer")

    def steps(self, objective, params, tol, rng):
        velocity = 0.0
        for _ in range(400):
            value, gradient = objective.value_and_gradient(params)
            yield Step(params, value)
            velocity = 0.5 * velocity - self.learning_rate * gradient
            params = params + velocity


class Scaled(Plain):
    """Right: a stochastic method of all samples, its first step elsewhere."""

    is_stochastic = True

    def steps(self, objective, params, tol, rng):
        return super().steps(objective, params + 0.1 * rng.standard_normal(params.shape), tol, rng)

    def step(self, params, gradient, rng):
        return params - self.learning_rate * rng.uniform(0.5, 1.0) * gradient


@pytest.mark.parametrize("optimizer", [Plain(), Plain(0.5), Momentum(0.1), Scaled()], ids=repr)
def test_optimizers_of_strangers_pass(optimizer):
    assert check_optimizer(optimizer) is None


# Planted bugs


class Ascending(Plain):
    def step(self, params, gradient, rng):
        return params + self.learning_rate * gradient


class InPlace(Plain):
    def step(self, params, gradient, rng):
        params -= self.learning_rate * gradient
        return params


class Aliasing(Plain):
    """Copies the start, and then goes on in the copy."""

    def steps(self, objective, params, tol, rng):
        params = params.copy()
        while True:
            value, gradient = objective.value_and_gradient(params)
            yield Step(params, value)
            params -= self.learning_rate * gradient


class ValueBefore(Plain):
    """Tells the value of the step before."""

    def steps(self, objective, params, tol, rng):
        before = objective.value(params)
        while True:
            value, gradient = objective.value_and_gradient(params)
            yield Step(params, before)
            before, params = value, params - self.learning_rate * gradient


class LossAlone(Plain):
    def steps(self, objective, params, tol, rng):
        while True:
            point = objective.evaluate(params)
            yield Step(params, point.data_value)
            params = params - self.learning_rate * point.gradient


class PenaltyForgotten(Plain):
    def steps(self, objective, params, tol, rng):
        while True:
            point = objective.evaluate(params)
            yield Step(params, point.value)
            params = params - self.learning_rate * point.data_gradient


class KinkForgotten(Plain):
    """Says that it serves whatever has a prox, and uses none."""

    needs = ("prox",)

    def steps(self, objective, params, tol, rng):
        while True:
            point = objective.evaluate(params)
            yield Step(objective.feasible(params), objective.value(objective.feasible(params)))
            slope = point.data_gradient.copy()
            if objective.regularizer.smooth:
                slope = point.gradient
            params = objective.feasible(params - self.learning_rate * slope)


class Boastful(Plain):
    """States a tenth of the gap."""

    def steps(self, objective, params, tol, rng):
        while True:
            point = objective.evaluate(params)
            yield Step(params, point.value, 0.1 * (point.value - objective.lower_bound(point)))
            params = params - self.learning_rate * point.gradient


class BoastfulAtKinks(Plain):
    """States a small gap where it has none to state."""

    def steps(self, objective, params, tol, rng):
        while True:
            point = objective.evaluate(params)
            gap = np.inf if objective.loss.smooth else 1e-3
            yield Step(params, point.value, gap)
            params = params - self.learning_rate * point.gradient


class GapNotANumber(Plain):
    def steps(self, objective, params, tol, rng):
        for step in super().steps(objective, params, tol, rng):
            yield step._replace(gap=np.nan)


class GlobalNumpy(Plain):
    def step(self, params, gradient, rng):
        return params - self.learning_rate * np.random.uniform(0.5, 1.0) * gradient  # noqa: NPY002


class GlobalPython(Plain):
    def step(self, params, gradient, rng):
        return params - self.learning_rate * random.uniform(0.5, 1.0) * gradient


class Undeclared(Plain):
    def step(self, params, gradient, rng):
        return params - self.learning_rate * rng.uniform(0.5, 1.0) * gradient


class Clock(Plain):
    is_stochastic = True

    def step(self, params, gradient, rng):
        self_made = np.random.RandomState(time.perf_counter_ns() % 2**32)
        return params - self.learning_rate * self_made.uniform(0.5, 1.0) * gradient


class ChangesItsRate(Plain):
    def step(self, params, gradient, rng):
        self.learning_rate *= 0.99
        return super().step(params, gradient, rng)


class Remembers(Plain):
    """Keeps the state of a run on itself."""

    def step(self, params, gradient, rng):
        self.last = gradient
        return super().step(params, gradient, rng)


class UndeclaredProx(Plain):
    needs = ()

    def steps(self, objective, params, tol, rng):
        while True:
            point = objective.evaluate(params)
            yield Step(params, point.value)
            params = objective.prox(params - 0.3 * point.data_gradient, 0.3)


class UndeclaredSmoothness(Plain):
    """Refuses kinks, and does not say beforehand that it will."""

    def steps(self, objective, params, tol, rng):
        if not objective.loss.smooth:
            raise ValueError("a smooth loss, please")
        return super().steps(objective, params, tol, rng)


class NoRefusal(Plain):
    needs = ("smooth loss", "gradient")

    def check_objective(self, objective):
        if not objective.regularizer.has_gradient or objective.regularizer.needs_batches:
            super().check_objective(objective)


class RefusesByType(Plain):
    def check_objective(self, objective):
        if self.missing(objective.loss, objective.regularizer):
            raise TypeError("no")


class DenseOnly(Plain):
    def steps(self, objective, params, tol, rng):
        assert isinstance(objective.samples.X, np.ndarray)
        return super().steps(objective, params, tol, rng)


class WritesToSamples(Plain):
    def steps(self, objective, params, tol, rng):
        objective.samples.weight[...] = 1 / 60
        objective.samples.X[0] = 0
        return super().steps(objective, params, tol, rng)


class StartsElsewhere(Plain):
    def steps(self, objective, params, tol, rng):
        return super().steps(objective, params + 1, tol, rng)


class Flat(Plain):
    def steps(self, objective, params, tol, rng):
        for step in super().steps(objective, params, tol, rng):
            yield step._replace(params=step.params.ravel())


class Pairs(Plain):
    def steps(self, objective, params, tol, rng):
        for step in super().steps(objective, params, tol, rng):
            yield step.params, step.value


class Silent(Plain):
    def steps(self, objective, params, tol, rng):
        return iter(())


class Slow(Plain):
    def __init__(self, learning_rate=1e-3):
        self.learning_rate = learning_rate


class UnknownNeed(Plain):
    needs = ("gradient", "a smooth loss")


class NeedInAString(Plain):
    needs = "gradient"


class BadDefault(Plain):
    def check_parameters(self):
        raise ValueError("learning_rate must be good")


class Converting(Plain):
    def __init__(self, learning_rate=0.3):
        self.learning_rate = np.array([learning_rate])


BUGS = [
    (Ascending(), r"the objective must go down; from .* at the start it comes to"),
    (InPlace(), "the start must not be changed; it is, by"),
    (Aliasing(), "the parameters of a step must not be changed by later ones; those of step 0"),
    (ValueBefore(), "the value of a step must be the objective there; .*the value is"),
    (LossAlone(), "the value of a step must be the objective there; .*L2"),
    (PenaltyForgotten(), r"the minimum must be reached; with CrossEntropy\(\) and L2"),
    (KinkForgotten(), r"the minimum must be reached; with CrossEntropy\(\) and L1"),
    (Boastful(), r"a stated gap must be proven: .*; .*in step \d+ with CrossEntropy"),
    (BoastfulAtKinks(), "a stated gap must be proven: .*; .*with WestonWatkins"),
    (GapNotANumber(), "the value and the gap must be numbers; the gap is nan"),
    (GlobalNumpy(), "random numbers must come from rng alone; those of np.random are used"),
    (GlobalPython(), "random numbers must come from rng alone; those of the module random"),
    (Undeclared(), "without is_stochastic, the steps must not depend on random_state; .*in step 1"),
    (Clock(), "two runs must be the same; .*in step 1"),
    (
        ChangesItsRate(),
        "use must not change the optimizer; learning_rate is 0.2.* now, and was 0.3",
    ),
    (Remembers(), "use must not change the optimizer; last is array.* now, and was 'missing'"),
    (UndeclaredProx(), r"what it needs must be enough; with .* and Even\(\) it raises NotImpl"),
    (UndeclaredSmoothness(), "what it needs must be enough; with WestonWatkins.* it raises ValueE"),
    (NoRefusal(), "must be refused by a ValueError; with WestonWatkins.*lack a smooth loss, it se"),
    (RefusesByType(), "must be refused by a ValueError; .* it raises TypeError: no"),
    (DenseOnly(), "sparse, float32 and uncentred samples must be served; .*AssertionError"),
    (WritesToSamples(), "steps must yield steps; .*read-only"),
    (StartsElsewhere(), "the first step must be the start; .*it is .* and differs from the start"),
    (Flat(), r"of the objective's shape; params is of shape \(15,\) and must be .* \(3, 5\)"),
    (Pairs(), "steps must yield steps; it yields a tuple"),
    (Silent(), "steps must yield steps; it yields none"),
    (Slow(), "the minimum must be reached; .* after 300 iterations 0.* is left, where 0.01 is"),
    (UnknownNeed(), "needs must be a tuple of keys .*; 'a smooth loss' is none of 'smooth loss'"),
    (NeedInAString(), "needs must be a tuple of keys .*; it is 'gradient', a str"),
    (BadDefault(), "check_parameters must pass; it raises .*learning_rate must be good"),
    (Converting(), "clone must give an object of equal parameters; it raises"),
]


@pytest.mark.parametrize(("optimizer", "law"), BUGS, ids=lambda x: type(x).__name__)
def test_a_bug_in_an_optimizer_is_told(optimizer, law):
    with pytest.raises(AssertionError, match=law) as caught:
        check_optimizer(optimizer)
    assert re.search(SENTENCE, str(caught.value))


@pytest.mark.parametrize("thing", [Plain, "sgd", None, CrossEntropy()], ids=repr)
def test_only_an_instance_of_an_optimizer_is_checked(thing):
    with pytest.raises(TypeError, match="An instance of Optimizer can be checked; got") as caught:
        check_optimizer(thing)
    assert ("It is a class: give an instance of it." in str(caught.value)) == (thing is Plain)


def test_max_iter_and_share_are_what_is_asked():
    with pytest.raises(AssertionError, match=r"after 3 iterations .* where 0\.01 is allowed"):
        check_optimizer(Plain(), max_iter=3)
    check_optimizer(Plain(), max_iter=3, share=0.9)
    with pytest.raises(AssertionError, match=r"where 1e-09 is allowed"):
        check_optimizer(Plain(), max_iter=10, share=1e-9)


def test_the_checks_leave_no_trace():
    state = np.random.get_state()  # noqa: NPY002
    optimizer = SGD(0.05, batch_size=16)
    check_optimizer(optimizer)
    assert vars(optimizer) == vars(SGD(0.05, batch_size=16))
    assert (np.random.get_state()[1] == state[1]).all()  # noqa: NPY002
