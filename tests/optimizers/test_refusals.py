"""What cannot be done is refused in a sentence that names what can, and that can be done."""

import itertools
import re

import numpy as np
import pytest

from sklin.losses import CrammerSinger, CrossEntropy, Loss, WestonWatkins
from sklin.optimizers import (
    ADMM,
    LBFGS,
    NEEDS,
    OPTIMIZERS,
    SGD,
    AdaGrad,
    Adam,
    GradientDescent,
    Newton,
    Optimizer,
    ProximalGradient,
    RandomLocalSearch,
    RandomSearch,
    Step,
    choose,
    serving,
)
from sklin.regularizers import L1, L2, Dropout, ElasticNet, GroupL2, MaxNorm, Regularizer


class Worst(Loss):
    """A user's loss with kinks and nothing but a subgradient: the largest violation."""

    smooth = False

    def value_and_gradient(self, scores, y, out=None):
        index = np.arange(len(y))
        z = scores + 1 - scores[index, y][:, None]
        z[index, y] = 0
        worst = z.argmax(axis=1)
        gradient = np.zeros_like(scores)
        gradient[index, worst] += 1
        gradient[index, y] -= 1
        return z[index, worst], gradient


class Neighbours(Regularizer):
    """A user's smooth regularizer: no prox, no conjugate."""

    smooth = True

    def value(self, coef):
        return float(np.square(np.diff(coef, axis=1)).sum())

    def gradient(self, coef):
        step = 2 * np.diff(coef, axis=1)
        return np.pad(step, [(0, 0), (1, 0)]) - np.pad(step, [(0, 0), (0, 1)])


class Kinked(Neighbours):
    """A user's regularizer with kinks and nothing but a subgradient."""

    smooth = False

    def value(self, coef):
        return float(np.abs(np.diff(coef, axis=1)).sum())

    def gradient(self, coef):
        step = np.sign(np.diff(coef, axis=1))
        return np.pad(step, [(0, 0), (1, 0)]) - np.pad(step, [(0, 0), (0, 1)])


class Mute(Regularizer):
    """A user's regularizer that gives its value, and nothing else."""

    def value(self, coef):
        return float(np.abs(coef).max())


LOSSES = [CrossEntropy(), WestonWatkins(), CrammerSinger(), Worst()]
REGULARIZERS = [
    *[L2(), L1(), ElasticNet(0), ElasticNet(), GroupL2(), MaxNorm(), Dropout()],
    *[Neighbours(), Kinked(), Mute()],
]
EVERY = [
    *[kind() for kind in OPTIMIZERS.values()],
    *[GradientDescent(0.01), Newton(max_direct=0), SGD(0.01, nesterov=True)],
]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=repr)
every_regularizer = pytest.mark.parametrize("regularizer", REGULARIZERS, ids=repr)


def in_a_line(component):
    return " ".join(repr(component).split())


@pytest.mark.parametrize("optimizer", EVERY, ids=repr)
@every_loss
def test_every_pair_is_served_or_refused_in_a_sentence(problem, optimizer, loss):
    for regularizer in REGULARIZERS:
        assert_served_or_refused(problem, optimizer, loss, regularizer)


def assert_served_or_refused(problem, optimizer, loss, regularizer):
    objective = problem(loss, regularizer, badly_scaled=False)
    missing = optimizer.missing(loss, regularizer)
    if not missing:
        result = optimizer.minimize(objective, max_iter=2, tol=0, random_state=0)
        assert np.isfinite(result.history).all()
        return
    with pytest.raises(ValueError) as caught:
        optimizer.minimize(objective, max_iter=2)
    sentence = str(caught.value)
    assert sentence.startswith(f"optimizer {in_a_line(optimizer)} ")
    culprits = [in_a_line(part) for part in (loss, regularizer) if in_a_line(part) in missing]
    assert len(culprits) == 1
    assert missing in sentence and sentence.endswith(".") and "\n" not in sentence
    names = re.findall(r"'(\w+)'", sentence.split("Use optimizer=")[-1])
    if names:
        assert names[0] == "auto"
        others = [OPTIMIZERS[name]() for name in names[1:]]
        for other in (choose(objective), *others):
            other.minimize(objective, max_iter=1, random_state=0)
    elif GradientDescent(0.01).missing(loss, regularizer):
        assert "No optimizer by name serves the two together" in sentence
    else:
        assert "Use optimizer=GradientDescent(learning_rate=...)" in sentence
    if "Give it a learning_rate" in sentence:  # the remedy
        GradientDescent(0.01).minimize(objective, max_iter=2)


@every_loss
@every_regularizer
def test_auto_serves_whatever_anyone_by_name_serves(problem, loss, regularizer):
    names = serving(loss, regularizer)
    assert {"random_search", "random_local_search"} <= {*names} or regularizer.needs_batches
    objective = problem(loss, regularizer)
    if set(names) - {"random_search", "random_local_search"}:
        chosen = choose(objective)
        assert not chosen.missing(loss, regularizer)
        assert np.isfinite(chosen.minimize(objective, max_iter=1, random_state=0).value)


@pytest.mark.parametrize(
    ("optimizer", "loss", "regularizer", "missing"),
    [
        (
            LBFGS(),
            CrossEntropy(),
            L1(),
            r"LBFGS\(\) needs a smooth regularizer, and L1\(\) is none",
        ),
        (Newton(), CrossEntropy(), ElasticNet(), "needs a smooth regularizer, and ElasticNet"),
        (Newton(), Worst(), L2(), r"needs a loss that is smooth, or .* Worst\(\) has kinks"),
        (GradientDescent(), WestonWatkins(), L2(), "needs a smooth loss, and WestonWatkins"),
        (GradientDescent(), CrossEntropy(), L1(), "needs a smooth regularizer, and L1.*is none"),
        (GradientDescent(0.1), CrossEntropy(), MaxNorm(), "needs a regularizer with a gradient"),
        (ProximalGradient(), CrossEntropy(), Neighbours(), "needs a regularizer with a prox"),
        (SGD(), CrossEntropy(), Kinked(), "is smooth or has a prox, and Kinked.*is neither"),
        (Adam(), CrossEntropy(), GroupL2(), "smooth or has a separable prox, and GroupL2"),
        (AdaGrad(), CrossEntropy(), MaxNorm(), "smooth or has a separable prox, and MaxNorm"),
        (ADMM(), Worst(), L2(), r"needs a loss with `proximal_slope` and .* Worst\(\) lacks"),
        (ADMM(), WestonWatkins(), GroupL2(), "multiple of the squared norm, and GroupL2.* is none"),
        (LBFGS(), CrossEntropy(), Dropout(), "goes by all samples at once, and Dropout"),
        (RandomSearch(), CrossEntropy(), Dropout(), "goes by all samples at once, and Dropout"),
        (RandomLocalSearch(), CrossEntropy(), Dropout(), "Dropout.* works by noise"),
    ],
)
def test_the_sentence_names_who_what_and_which(problem, optimizer, loss, regularizer, missing):
    with pytest.raises(ValueError, match=missing) as caught:
        optimizer.minimize(problem(loss, regularizer))
    assert "auto" in str(caught.value) or isinstance(regularizer, Kinked)


def test_a_line_search_says_how_to_do_without_one(problem):
    with pytest.raises(ValueError, match="Give it a learning_rate"):
        GradientDescent().minimize(problem(WestonWatkins(), L1()))
    result = GradientDescent(0.01).minimize(problem(WestonWatkins(), L1()), max_iter=5, tol=0)
    assert result.value < result.history[0]


@pytest.mark.parametrize("need", NEEDS)
def test_each_need_refuses_what_lacks_it_and_nothing_else(problem, need):
    class Needy(Optimizer):
        needs = (need,)
        uses_batches = True

        def steps(self, objective, params, tol, rng):
            yield Step(params, 1.0, 0.0)

    for loss, regularizer in itertools.product(LOSSES, REGULARIZERS):
        smooth, kinks = isinstance(loss, CrossEntropy), isinstance(loss, Worst)
        even = isinstance(regularizer, (L2, Dropout, Neighbours)) and not isinstance(
            regularizer, Kinked
        )
        even |= repr(regularizer) == "ElasticNet(l1_ratio=0)"
        prox = type(regularizer).__module__.startswith("sklin")
        single = prox and not isinstance(regularizer, (GroupL2, MaxNorm))
        has = {
            "smooth loss": smooth,
            "proximable loss": not kinks,
            "squared norm": type(regularizer) in (L2, Dropout)
            or repr(regularizer) == "ElasticNet(l1_ratio=0)",
            "roundable loss": not kinks,
            "smooth regularizer": even,
            "gradient": not isinstance(regularizer, (MaxNorm, Mute)),
            "prox": prox,
            "separable prox": prox and single,
            "smooth or prox": even or prox,
            "smooth or separable": even or single,
        }[need]
        objective = problem(loss, regularizer)
        if has:
            assert Needy().minimize(objective).status == "converged"
        else:
            with pytest.raises(ValueError, match=rf"Needy\(\) needs {NEEDS[need].what}, and "):
                Needy().minimize(objective)


@pytest.mark.parametrize(
    ("optimizer", "name"),
    [
        (LBFGS(memory=0), "memory"),
        (Newton(warm_up=-1), "warm_up"),
        (Newton(max_direct=1.5), "max_direct"),
        (Newton(max_cg=0), "max_cg"),
        (ProximalGradient(max_finish=-1), "max_finish"),
        (ADMM(rho=0), "rho"),
        (ADMM(relaxation=0), "relaxation"),
        (ADMM(relaxation=2), "relaxation"),
        (SGD(batch_size=0), "batch_size"),
        (GradientDescent(learning_rate=-1), "learning_rate"),
    ],
)
def test_bad_parameters_are_named(problem, optimizer, name):
    with pytest.raises((ValueError, TypeError), match=f"{name} must be"):
        optimizer.minimize(problem())
