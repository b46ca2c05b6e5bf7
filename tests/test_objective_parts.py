"""What mini-batches, searches and constraints ask of the objective."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sklin.losses import CrammerSinger, CrossEntropy, Loss, OneVsRest, WestonWatkins
from sklin.objective import Objective, Samples
from sklin.optimizers import ProximalGradient
from sklin.regularizers import L1, L2, Dropout, ElasticNet, GroupL2, MaxNorm, Regularizer

LOSSES = [
    CrossEntropy(),
    WestonWatkins(),
    WestonWatkins(loss="squared_hinge", margin=0.5),
    OneVsRest(),
    CrammerSinger(),
    CrammerSinger(loss="squared_hinge", smoothing=0.5),
]
REGULARIZERS = [L2(), ElasticNet(0), L1(), ElasticNet(0.5), GroupL2(), MaxNorm(0.4)]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=repr)
every_regularizer = pytest.mark.parametrize("regularizer", REGULARIZERS, ids=repr)
intercept = pytest.mark.parametrize("fit_intercept", [True, False], ids=["b", "no b"])
kinds = pytest.mark.parametrize("kind", ["dense", "csr", "weights", "csr weights"])


def make(loss=None, regularizer=None, alpha=0.1, kind="dense", fit_intercept=True, n=15):
    rng = np.random.RandomState(0)
    y = np.arange(n) % 3
    X = rng.standard_normal((n, 3)) + np.eye(3)[y]
    weight = None
    if "weights" in kind:
        weight = np.random.RandomState(1).uniform(0.1, 3, n)
        weight[3] = 0
    if "csr" in kind:
        X = sparse.csr_array(np.where(np.abs(X) > 0.4, X, 0))
    samples = Samples(X, y, 3, sample_weight=weight, fit_intercept=fit_intercept)
    return Objective(samples, loss or CrossEntropy(), regularizer or L2(), alpha)


def draw(objective, seed=0, scale=1.0):
    return scale * np.random.RandomState(seed).standard_normal(objective.shape)


def rows_of(samples):
    X = samples.X.toarray() if sparse.issparse(samples.X) else samples.X
    return [tuple(row) for row in X]


# Mini-batches


@kinds
@intercept
def test_shuffled_is_a_permutation_with_labels_and_weights_at_their_rows(kind, fit_intercept):
    objective = make(WestonWatkins(), L1(), 0.3, kind, fit_intercept)
    samples = objective.samples
    kept = rows_of(samples), list(samples.y), list(samples.weight)
    shuffled = objective.shuffled(np.random.RandomState(0))
    before = sorted(triple for triple in zip(*kept, strict=True) if triple[2] > 0)
    new = shuffled.samples
    after = list(zip(rows_of(new), new.y, new.weight, strict=True))
    for (row, y, weight), (old_row, old_y, old_weight) in zip(sorted(after), before, strict=True):
        assert (row, y) == (old_row, old_y)
        assert weight == pytest.approx(old_weight)
    assert after != sorted(after)
    assert (rows_of(samples), list(samples.y), list(samples.weight)) == kept
    assert (shuffled.loss, shuffled.regularizer) == (objective.loss, objective.regularizer)
    params = draw(objective)
    assert shuffled.alpha == objective.alpha and shuffled.shape == objective.shape
    assert shuffled.value(params) == pytest.approx(objective.value(params))


def test_shuffled_takes_its_order_from_rng():
    orders = [
        make(n=30).shuffled(np.random.RandomState(seed)).samples.X[:, 0] for seed in (0, 0, 1)
    ]
    assert_array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2])


@every_loss
@every_regularizer
@kinds
@intercept
def test_batch_slope_is_that_of_the_objective_on_its_rows(loss, regularizer, kind, fit_intercept):
    """Times the weight in the batch by its share of the samples; kinks are left to the prox."""
    objective = make(loss, regularizer, 0.3, kind, fit_intercept)
    params = objective.feasible(draw(objective))
    for index in (slice(2, 9), np.array([7, 0, 12, 4]), slice(5, 6), slice(0, 15)):
        assert_batch_slope(objective, params, index, weighted="weights" in kind)


def assert_batch_slope(objective, params, index, weighted):
    loss, regularizer = objective.loss, objective.regularizer
    value, gradient, share = objective.batch_slope(params, index)
    rows = Objective(objective.samples.rows(index), loss, regularizer, 0.3).evaluate(params)
    assert share == pytest.approx(len(rows.scores) / 15)
    lift = objective.samples.weight[index].sum() / share
    assert value == pytest.approx(lift * rows.data_value, abs=1e-12)
    expected = lift * rows.data_gradient
    if regularizer.smooth:
        objective.add_penalty_gradient(params, expected)
    assert_allclose(gradient, expected, atol=1e-12)
    if regularizer.smooth and not weighted:
        assert lift == pytest.approx(1)
        assert_allclose(gradient, rows.gradient, atol=1e-12)


@kinds
@pytest.mark.parametrize("size", [1, 4, 6, 15])
@pytest.mark.parametrize("regularizer", [L2(), L1()], ids=repr)
def test_batches_of_a_partition_make_the_whole(kind, size, regularizer):
    """Weighted by their shares, whatever their sizes and weights are."""
    objective = make(WestonWatkins(), regularizer, 0.2, kind)
    params = draw(objective)
    parts = [
        objective.batch_slope(params, slice(start, min(start + size, 15)))
        for start in range(0, 15, size)
    ]
    assert sum(share for _, _, share in parts) == pytest.approx(1)
    whole = objective.evaluate(params)
    value = sum(share * value for value, _, share in parts)
    assert value == pytest.approx(whole.data_value)
    gradient = sum(share * gradient for _, gradient, share in parts)
    expected = whole.gradient if regularizer.smooth else whole.data_gradient
    assert_allclose(gradient, expected, atol=1e-13)


@pytest.mark.parametrize("to", [np.asarray, sparse.csr_array], ids=["dense", "csr"])
def test_batch_slope_of_float32_is_float32(to):
    exact = make(kind="weights")
    X = exact.samples.X.astype(np.float32)
    samples = Samples(to(X), exact.samples.y, 3, sample_weight=exact.samples.weight)
    single = Objective(samples, exact.loss, exact.regularizer, exact.alpha)
    params = draw(exact)
    kept = params.astype(np.float32)
    value, gradient, _ = single.batch_slope(kept, slice(0, 8))
    right = exact.batch_slope(params, slice(0, 8))
    assert gradient.dtype == np.float32
    assert_allclose(gradient, right[1], rtol=1e-5, atol=1e-6)
    assert value == pytest.approx(right[0], rel=1e-5)
    assert_array_equal(kept, params.astype(np.float32))


def test_a_batch_costs_no_copy_of_its_samples():
    objective, met = make(), []

    class Looking(L2):
        def corrupt(self, X, rng):
            met.append(X)
            return X

    looking = Objective(objective.samples, objective.loss, Looking(), 0.1)
    looking.batch_slope(draw(looking), slice(2, 5))
    assert np.shares_memory(met[0], objective.samples.X)


@pytest.mark.parametrize("rate", [0.25, 0.5])
@pytest.mark.parametrize("loss", [CrossEntropy(), WestonWatkins()], ids=repr)
@pytest.mark.parametrize("kind", ["weights", "csr weights"])
def test_dropout_estimates_the_expected_noisy_loss_without_bias(loss, rate, kind):
    """The expectation is summed over all patterns of dropped features, exactly."""
    objective = make(loss, Dropout(rate), 0.3, kind, n=6)
    samples, params = objective.samples, draw(objective)
    X = samples.X.toarray() if sparse.issparse(samples.X) else samples.X
    value, gradient = 0.0, 0.0
    for kept in product([0, 1], repeat=3):
        chance = np.prod([1 - rate if k else rate for k in kept])
        noisy = np.column_stack([X * kept / (1 - rate), np.ones(6)])
        losses, dual = loss.value_and_gradient(noisy @ params.T, samples.y)
        value += chance * samples.weight @ losses
        gradient = gradient + chance * (dual * samples.weight[:, None]).T @ noisy
    rng = np.random.RandomState(0)
    found = [objective.batch_slope(params, slice(0, 6), rng)[:2] for _ in range(1000)]
    values, gradients = (np.array(part) for part in zip(*found, strict=True))
    error = values.std() / np.sqrt(len(values))
    assert abs(values.mean() - value) < 5 * error
    assert values.std() > 0
    error = gradients.std(axis=0) / np.sqrt(len(gradients))
    assert (np.abs(gradients.mean(axis=0) - gradient) < 5 * error + 1e-12).all()


def test_dropout_of_nothing_and_outside_of_batches_is_none():
    noisy, plain = make(regularizer=Dropout(0.5), alpha=0.3), make(alpha=0.0)
    params = draw(plain)
    assert noisy.value(params) == plain.value(params)
    assert_array_equal(noisy.evaluate(params).gradient, plain.evaluate(params).gradient)
    still = make(regularizer=Dropout(0), alpha=0.3)
    slopes = [o.batch_slope(params, slice(3, 9), np.random.RandomState(0)) for o in (still, plain)]
    assert_allclose(slopes[0][1], slopes[1][1], rtol=1e-12)


# Candidates


@kinds
@intercept
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_scores_of_all_are_the_scores_one_by_one(kind, fit_intercept, dtype):
    objective = make(kind=kind, fit_intercept=fit_intercept)
    objective.samples.X = objective.samples.X.astype(dtype)
    candidates = np.stack([draw(objective, seed) for seed in range(4)])
    kept = candidates.copy()
    found = objective.scores_of_all(candidates)
    assert len(found) == 4
    tol = 1e-12 if dtype == np.float64 else 1e-5
    for params, scores in zip(candidates, found, strict=True):
        assert scores.shape == (15, 3) and scores.dtype == dtype
        assert_allclose(scores, objective.samples.scores(params), rtol=tol, atol=tol)
    assert_array_equal(candidates, kept)


@every_loss
@every_regularizer
def test_value_of_given_scores(loss, regularizer):
    objective = make(loss, regularizer, kind="weights")
    params = objective.feasible(draw(objective))
    scores = objective.samples.scores(params)
    assert objective.value(params, scores) == objective.value(params)
    other = 0.5 * scores
    expected = objective.samples.weight @ loss.value(other, objective.samples.y)
    assert objective.value(params, other) == pytest.approx(expected + objective.penalty(params))


# Constraints


@pytest.mark.parametrize("alpha", [0.0, 1e-3, 7.0])
@every_loss
def test_a_constraint_has_no_strength(loss, alpha):
    """Alpha plays no part, zero neither: not in values, gradients, projections or bounds."""
    objective, plain = (make(loss, MaxNorm(0.4), a) for a in (alpha, 1.0))
    inside, outside = plain.feasible(draw(plain)), draw(plain, scale=3.0)
    assert objective.value(inside) == plain.value(inside) == plain.evaluate(inside).data_value
    assert objective.value(outside) == np.inf
    for step in (0.01, 100.0):
        assert_array_equal(objective.prox(outside, step), plain.feasible(outside))
    bounds = [o.lower_bound(o.evaluate(inside)) for o in (objective, plain)]
    assert bounds[0] == bounds[1] > -np.inf
    twin = objective.shuffled(np.random.RandomState(0))
    assert twin.value(inside) == pytest.approx(plain.value(inside))


@every_regularizer
@intercept
def test_feasible_projects_onto_a_constraint_and_leaves_all_else(regularizer, fit_intercept):
    objective = make(regularizer=regularizer, fit_intercept=fit_intercept)
    params = draw(objective, scale=5.0)
    new = objective.feasible(params)
    if not isinstance(regularizer, MaxNorm):
        assert new is params
        return
    assert_allclose(np.linalg.norm(new[:, :3], axis=1), 0.4)
    assert_array_equal(new[:, 3:], params[:, 3:])
    assert_allclose(objective.feasible(new), new, rtol=1e-15)
    assert np.isfinite(objective.value(new))


def test_noise_is_finite_outside_of_a_constraint():
    """Where accelerated steps look ahead; and it is that of the loss."""
    objective = make(regularizer=MaxNorm(0.4))
    evaluation = objective.evaluate(draw(objective, scale=3.0))
    assert evaluation.value == np.inf
    assert 0 < evaluation.noise < 1e-12
    assert np.isfinite(evaluation.data_value) and np.isfinite(evaluation.data_gradient).all()
    assert np.isfinite(objective.lower_bound(evaluation))


# Bounds


class BareLoss(Loss):
    def value_and_gradient(self, scores, y, out=None):
        return CrossEntropy().value_and_gradient(scores, y, out)


class BareRegularizer(Regularizer):
    smooth = True

    def value(self, coef):
        return L2().value(coef)

    def gradient(self, coef):
        return L2().gradient(coef)


@pytest.mark.parametrize(
    "loss, regularizer",
    [(BareLoss(), L2()), (CrossEntropy(), BareRegularizer()), (BareLoss(), BareRegularizer())],
    ids=["no loss's", "no regularizer's", "neither"],
)
def test_without_a_conjugate_of_both_nothing_is_proven(loss, regularizer):
    objective, twin = make(loss, regularizer), make()
    evaluation = objective.evaluate(draw(objective))
    assert objective.lower_bound(evaluation) == -np.inf
    assert evaluation.value == twin.value(evaluation.params)
    assert np.isfinite(twin.lower_bound(twin.evaluate(evaluation.params)))


class Towards(Regularizer):
    """Sum of (w - 0.3)^2: not the same for W and -W, as sklin's own are."""

    smooth = True

    def value(self, coef):
        return float(np.square(coef - 0.3).sum())

    def gradient(self, coef):
        return 2 * (coef - 0.3)

    def prox(self, coef, step):
        return (coef + 2 * step * 0.3) / (1 + 2 * step)

    def conjugate(self, dual):
        return float(np.square(dual).sum() / 4 + 0.3 * dual.sum())


@every_loss
@pytest.mark.parametrize(
    "regularizer, alpha",
    [
        (Towards(), 0.1),
        (MaxNorm(0.4), 0.0),
        (MaxNorm(0.8), 1.0),
        (GroupL2(), 0.1),
        (GroupL2([0, 1, 0]), 0.3),
    ],
    ids=repr,
)
def test_the_bound_is_below_all_and_tight_at_the_minimum(loss, regularizer, alpha):
    objective = make(loss, regularizer, alpha, "weights")
    tol = 1e-6 if loss.smooth else 2e-2
    result = ProximalGradient().minimize(objective, tol=tol, max_iter=20_000)
    assert result.converged  # by the gap: it is tight there
    assert 0 <= result.gap + 1e-12 and result.gap <= tol * result.value
    rng = np.random.RandomState(1)
    found = [result.params]
    for size in (1e-4, 1e-2, 0.1, 1.0):
        near = result.params + size * rng.standard_normal(objective.shape)
        found += [near, objective.feasible(near)]
    lowest = min(objective.value(params) for params in found)
    for params in found:
        bound = objective.lower_bound(objective.evaluate(params))
        assert bound <= lowest + 1e-12
        assert not np.isnan(bound)
    if loss.smooth:
        bound = objective.lower_bound(objective.evaluate(result.params))
        assert bound >= result.value - 1e-5 * max(result.value, 1e-2)


# Moments


@pytest.mark.parametrize("columns", [None, [4, 0, 2], []])
@pytest.mark.parametrize("used", [0, 1, 2, 30])
@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_moments_are_weighted_sums_of_products(dtype, order, equal, used, columns):
    rng = np.random.default_rng(0)
    X = np.asarray(rng.standard_normal((30, 5)), dtype=dtype, order=order)
    kept = X.copy()
    weight = np.zeros(30)
    weight[rng.permutation(30)[:used]] = 0.7 if equal else rng.uniform(0.1, 2, used)
    columns = None if columns is None else np.array(columns, dtype=int)
    moments = Samples(X, np.arange(30) % 2, 2).moments(weight, columns)
    part = X if columns is None else X[:, columns]
    expected = np.tril((part.T * weight) @ part)
    assert moments.dtype == dtype and moments.flags.f_contiguous
    assert_allclose(np.tril(moments), expected, rtol=1e-5, atol=1e-5)
    assert_array_equal(X, kept)


def test_moments_are_summed_over_blocks_of_samples():
    X = np.random.default_rng(0).standard_normal((9000, 1024)).astype(np.float32)
    weight = np.linspace(0.5, 1.5, 9000)  # three blocks of 4,096 rows
    moments = Samples(X, np.arange(9000) % 2, 2).moments(weight)
    some = np.arange(0, 1024, 100)
    expected = (X[:, some].T * weight) @ X[:, some]
    assert_allclose(np.tril(moments[np.ix_(some, some)]), np.tril(expected), rtol=1e-3, atol=0.1)
