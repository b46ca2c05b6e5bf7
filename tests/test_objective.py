"""The objective against formulas written out, and bounds against minima found by scipy."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import logsumexp

from sklin.gradient_check import numerical_gradient
from sklin.losses import CrammerSinger, CrossEntropy, OneVsRest, WestonWatkins
from sklin.objective import Objective, Samples
from sklin.regularizers import L1, L2, ElasticNet

LOSSES = [
    CrossEntropy(),
    WestonWatkins(),
    WestonWatkins(loss="squared_hinge", margin=0.5),
    WestonWatkins(smoothing=0.5),
    OneVsRest(),
    OneVsRest(loss="squared_hinge"),
    CrammerSinger(),
    CrammerSinger(loss="squared_hinge"),
    CrammerSinger(smoothing=0.5),
    CrammerSinger(loss="squared_hinge", smoothing=0.5),
]
SMOOTH = [loss for loss in LOSSES if loss.smooth]
REGULARIZERS = [L2(), L1(), ElasticNet(0), ElasticNet(0.5), ElasticNet(1)]

every_loss = pytest.mark.parametrize("loss", LOSSES, ids=repr)
smooth_loss = pytest.mark.parametrize("loss", SMOOTH, ids=repr)
every_regularizer = pytest.mark.parametrize("regularizer", REGULARIZERS, ids=repr)
intercept = pytest.mark.parametrize("fit_intercept", [True, False], ids=["b", "no b"])
kinds = pytest.mark.parametrize("kind", ["dense", "fortran", "csr", "weights", "csr weights"])


def data(seed=0, n=15, n_features=3, n_classes=3):
    rng = np.random.RandomState(seed)
    y = np.arange(n) % n_classes
    X = rng.standard_normal((n, n_features)) + np.eye(n_classes, n_features)[y]
    return X, y


def make_samples(kind="dense", fit_intercept=True, **shape):
    X, y = data(**shape)
    weight = None
    if "weights" in kind:
        weight = np.random.RandomState(1).uniform(0.1, 3, len(y))
        weight[3] = 0
    if "csr" in kind:
        X = sparse.csr_array(np.where(np.abs(X) > 0.4, X, 0))
    if kind == "fortran":
        X = np.asfortranarray(X)
    n_classes = y.max() + 1
    return Samples(X, y, n_classes, sample_weight=weight, fit_intercept=fit_intercept)


def make(loss=None, regularizer=None, alpha=0.1, **options):
    samples = make_samples(**options)
    return Objective(samples, loss or CrossEntropy(), regularizer or L2(), alpha)


def draw(objective, seed=0, scale=1.0):
    return scale * np.random.RandomState(seed).standard_normal(objective.shape)


def dense(samples):
    """The samples as plain numbers: X with a column of ones if there is an intercept."""
    X = samples.X.toarray() if sparse.issparse(samples.X) else samples.X
    return np.column_stack([X, np.ones(len(X))]) if samples.fit_intercept else X


# Value and derivatives


def hinge(z):
    return max(0.0, z)


FORMULAS = [
    (CrossEntropy(), lambda s, y: logsumexp(s) - s[y]),
    (WestonWatkins(), lambda s, y: sum(hinge(v - s[y] + 1) for v in np.delete(s, y))),
    (OneVsRest(), lambda s, y: hinge(1 - s[y]) + sum(hinge(1 + v) for v in np.delete(s, y))),
    (CrammerSinger(), lambda s, y: hinge(max(np.delete(s, y)) - s[y] + 1)),
]
PENALTIES = [
    (L2(), lambda w: w**2),
    (L1(), lambda w: abs(w)),
    (ElasticNet(0.3), lambda w: 0.3 * abs(w) + 0.7 * w**2),
]


@pytest.mark.parametrize("loss, formula", FORMULAS, ids=["softmax", "ww", "ovr", "cs"])
@pytest.mark.parametrize("regularizer, penalty", PENALTIES, ids=["l2", "l1", "elasticnet"])
@kinds
@intercept
def test_value_is_the_formula(
    loss, formula, regularizer, penalty, kind, fit_intercept, monkeypatch
):
    monkeypatch.setattr("sklin.objective._objective.BLOCK", 12)  # numbers: four rows at a time
    objective = make(loss, regularizer, 0.7, kind=kind, fit_intercept=fit_intercept)
    samples, params = objective.samples, draw(objective)
    X = dense(samples)
    weight = np.random.RandomState(1).uniform(0.1, 3, len(X)) if "weights" in kind else np.ones(15)
    weight[3] *= "weights" not in kind
    losses = [formula(params @ x, y) for x, y in zip(X, samples.y, strict=True)]
    coef = params[:, :3]
    expected = (weight * losses).sum() / weight.sum() + 0.7 * sum(map(penalty, coef.ravel()))
    assert objective.value(params) == pytest.approx(expected, rel=1e-12)
    before = samples.n_passes
    assert objective.precise_value(params) == pytest.approx(expected, rel=1e-12)
    assert samples.n_passes == before + 1
    evaluation = objective.evaluate(params)
    assert evaluation.value == objective.value(params)
    assert evaluation.data_value + objective.penalty(params) == pytest.approx(expected, rel=1e-12)


@every_loss
@every_regularizer
@kinds
@intercept
def test_gradient_is_the_slope(loss, regularizer, kind, fit_intercept):
    objective = make(loss, regularizer, 0.3, kind=kind, fit_intercept=fit_intercept)
    params = draw(objective, 2)
    value, gradient = objective.value_and_gradient(params)
    assert value == objective.value(params)
    assert gradient.shape == objective.shape == (3, 3 + fit_intercept)
    assert_allclose(gradient, numerical_gradient(objective.value, params), rtol=1e-7, atol=1e-8)


@smooth_loss
@pytest.mark.parametrize("regularizer", [L2(), ElasticNet(0.5)], ids=repr)
@kinds
@intercept
def test_hessian_is_the_slope_of_the_gradient(loss, regularizer, kind, fit_intercept):
    objective = make(loss, regularizer, 0.3, kind=kind, fit_intercept=fit_intercept)
    params = draw(objective, 3, 0.5)
    evaluation = objective.evaluate(params)
    hessian = evaluation.hessian()
    columns = []
    for unit in np.eye(params.size):
        step = 1e-6 * unit.reshape(params.shape)
        ahead, behind = (objective.evaluate(params + s).gradient for s in (step, -step))
        columns.append((ahead - behind).ravel() / 2e-6)
    assert_allclose(hessian, np.transpose(columns), rtol=1e-6, atol=1e-7)
    assert_allclose(hessian, hessian.T, atol=1e-14)
    direction = draw(objective, 4)
    product = evaluation.hessian_product(direction)
    assert_allclose(product.ravel(), hessian @ direction.ravel(), rtol=1e-10, atol=1e-12)


def test_hessian_sums_over_row_blocks():
    """Of 2^22 numbers: one more than the block holds."""
    n = 2**20 + 5
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((n, 1)), rng.randint(2, size=n)
    X[-5:] *= 1000
    evaluation = Objective(Samples(X, y, 2), CrossEntropy(), L2(), 0.1).evaluate(np.eye(2) / 1e3)
    direction = np.array([[1.0, 2.0], [-1.0, 0.5]])
    product = evaluation.hessian_product(direction).ravel()
    assert_allclose(evaluation.hessian() @ direction.ravel(), product, rtol=1e-10)


@every_loss
@every_regularizer
def test_along_a_direction(loss, regularizer):
    objective = make(loss, regularizer, kind="weights")
    params, direction = draw(objective, 5), draw(objective, 6)
    step = objective.evaluate(params).along(direction)
    for t in (0.0, 0.3, -1.7):
        there, slope = step(t)
        direct = objective.evaluate(params + t * direction)
        assert_allclose(there.params, direct.params)
        assert_allclose(there.scores, direct.scores, atol=1e-12)
        assert_allclose(there.value, direct.value, rtol=1e-12)
        assert_allclose(there.gradient, direct.gradient, atol=1e-12)
        assert_allclose(slope, (direct.gradient * direction).sum(), rtol=1e-10)
        ahead, behind = (objective.value(params + (t + h) * direction) for h in (1e-6, -1e-6))
        assert_allclose(slope, (ahead - behind) / 2e-6, rtol=1e-6, atol=1e-7)


@every_loss
def test_beyond_and_under(loss):
    objective = make(loss)
    here, there = (objective.evaluate(draw(objective, seed)) for seed in (7, 8))
    beyond = there.beyond(here, 0.4)
    direct = objective.evaluate(there.params + 0.4 * (there.params - here.params))
    assert_allclose(beyond.params, direct.params)
    assert_allclose(beyond.value, direct.value, rtol=1e-12)
    assert_allclose(beyond.gradient, direct.gradient, atol=1e-12)
    assert there.beyond(here, 0) is there
    other = Objective(objective.samples, OneVsRest(), L1(), 2.0)
    assert there.under(other).value == other.value(there.params)
    assert there.under(other).objective is other


@every_loss
def test_convex(loss):
    objective = make(loss, ElasticNet(0.5))
    for seed in range(20):
        a, b = draw(objective, seed), draw(objective, seed + 50, 3.0)
        chord = 0.3 * objective.value(a) + 0.7 * objective.value(b)
        assert objective.value(0.3 * a + 0.7 * b) <= chord + 1e-12


def test_alpha_zero_is_the_loss_alone():
    objective = make(alpha=0.0)
    evaluation = objective.evaluate(draw(objective))
    assert evaluation.value == evaluation.data_value
    assert_array_equal(evaluation.gradient, evaluation.data_gradient)
    assert objective.lower_bound(evaluation) == -np.inf


@every_regularizer
@intercept
def test_prox_leaves_the_intercept(regularizer, fit_intercept):
    objective = make(regularizer=regularizer, alpha=0.3, fit_intercept=fit_intercept)
    params = draw(objective, 9)
    kept = params.copy()
    new = objective.prox(params, 2.0)
    assert_array_equal(params, kept)
    assert_array_equal(new[:, 3:], params[:, 3:])
    assert_allclose(new[:, :3], regularizer.prox(params[:, :3], 0.6))


def test_smoothed_shares_the_samples():
    objective = make(WestonWatkins(margin=0.5), alpha=0.3)
    smooth = objective.smoothed(0.2)
    assert smooth.samples is objective.samples and smooth.regularizer is objective.regularizer
    assert (smooth.loss.smoothing, smooth.loss.margin, smooth.alpha) == (0.2, 0.5, 0.3)
    params = draw(objective)
    assert objective.value(params) - 2 * 0.1 <= smooth.value(params) <= objective.value(params)


# Sums over samples


def assert_same_sums(one, other, rtol=1e-12):
    """The same value, gradient and sums, whatever the samples are made of."""
    params = draw(one)
    assert_allclose(one.value(params), other.value(params), rtol=rtol)
    gradients = one.value_and_gradient(params)[1], other.value_and_gradient(params)[1]
    assert_allclose(*gradients, rtol=rtol, atol=rtol)
    for name in ("priors", "class_sums", "mean", "variances", "largest_moment"):
        sums = getattr(one.samples, name), getattr(other.samples, name)
        assert_allclose(*sums, rtol=rtol, atol=rtol, err_msg=name)
    if not (sparse.issparse(one.samples.X) or sparse.issparse(other.samples.X)):
        sums = (np.tril(objective.samples.covariance) for objective in (one, other))
        assert_allclose(*sums, rtol=rtol, atol=rtol)


@every_loss
@intercept
def test_weights_are_repetition(loss, fit_intercept):
    X, y = data()
    times = np.random.RandomState(0).randint(4, size=len(y))
    times[0] = 0
    options = {"n_classes": 3, "fit_intercept": fit_intercept}
    weighted = Samples(X, y, sample_weight=times.astype(float), **options)
    repeated = Samples(np.repeat(X, times, axis=0), np.repeat(y, times), **options)
    assert_same_sums(*(Objective(s, loss, L2(), 0.1) for s in (weighted, repeated)))


@every_loss
def test_a_mean_does_not_see_duplication_or_scaled_weights(loss):
    X, y = data()
    plain = Samples(X, y, 3)
    twice = Samples(np.vstack([X, X]), np.hstack([y, y]), 3)
    sevens = Samples(X, y, 3, sample_weight=np.full(len(y), 7.0))
    for other in (twice, sevens):
        assert_same_sums(*(Objective(s, loss, L2(), 0.1) for s in (plain, other)))


@every_loss
def test_csr_is_dense(loss):
    X, y = data()
    X[np.abs(X) < 0.4] = 0
    assert_same_sums(
        *(Objective(Samples(x, y, 3), loss, L1(), 0.1) for x in (X, sparse.csr_array(X)))
    )


@every_loss
def test_float32_is_float64(loss):
    X, y = data()
    single = Objective(Samples(X.astype(np.float32), y, 3), loss, L2(), 0.1)
    double = Objective(Samples(X.astype(np.float32).astype(float), y, 3), loss, L2(), 0.1)
    assert_same_sums(single, double, rtol=2e-5)
    evaluation = single.evaluate(draw(single))
    assert evaluation.scores.dtype == evaluation.dual.dtype == np.float32
    assert evaluation.gradient.dtype == np.float64
    assert 1e-9 < evaluation.noise < 1e-5
    assert abs(evaluation.value - double.value(draw(single))) < 3 * evaluation.noise


@kinds
@intercept
def test_sums(kind, fit_intercept):
    samples = make_samples(kind, fit_intercept)
    X, weight = dense(samples), samples.weight
    assert weight.sum() == pytest.approx(1)
    own = np.eye(3)[samples.y]
    assert_allclose(samples.priors, weight @ own)
    assert_allclose(samples.class_sums, (weight[:, None] * own).T @ X)
    assert_allclose(samples.mean, (weight @ X)[:3])
    params, dual = draw(samples), np.random.RandomState(1).standard_normal((15, 3))
    assert_allclose(samples.scores(params), X @ params.T, atol=1e-14)
    assert_allclose(samples.weighted_sum(dual), dual.T @ (weight[:, None] * X), atol=1e-14)
    assert_array_equal(samples.coef(params), params[:, :3])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("weighted", [True, False])
@intercept
@pytest.mark.parametrize("n, n_features", [(30, 4), (2**19 + 7, 8)], ids=["small", "blocks"])
def test_covariance_and_variances(dtype, order, weighted, fit_intercept, n, n_features):
    rng = np.random.default_rng(0)
    X = np.asarray(
        rng.standard_normal((n, n_features), dtype) + np.arange(n_features), dtype, order
    )
    X[-7:] += 100 if n > 30 else 0
    weight = rng.uniform(0.5, 2, n) if weighted else None
    samples = Samples(X, np.arange(n) % 3, 3, sample_weight=weight, fit_intercept=fit_intercept)
    double = X.astype(np.float64)
    if fit_intercept:
        expected = np.cov(double.T, bias=True, aweights=weight)
    else:
        expected = double.T @ (double * samples.weight[:, None])
    tol = 1e-10 if dtype == np.float64 else 2e-3
    found = samples.covariance
    assert found.dtype == dtype
    assert_allclose(np.tril(found), np.tril(expected), rtol=tol, atol=tol)
    assert_allclose(samples.variances, np.diag(expected), rtol=tol, atol=tol)


@kinds
@intercept
@pytest.mark.parametrize("n_features", [1, 8])
def test_largest_moment(kind, fit_intercept, n_features):
    """From below, and within some per cent."""
    samples = make_samples(kind, fit_intercept, n=40, n_features=n_features)
    X = dense(samples)
    largest = np.linalg.eigvalsh(X.T @ (samples.weight[:, None] * X)).max()
    assert 0.95 * largest <= samples.largest_moment <= largest * (1 + 1e-12)


def test_variances_are_not_negative():
    samples = Samples(np.full((50, 2), 0.1), np.arange(50) % 2, 2)
    assert (samples.variances >= 0).all() and (samples.variances < 1e-16).all()


def test_rows_keep_the_ratios_of_the_weights():
    samples = make_samples("weights")
    index = np.array([4, 1, 8])
    rows = samples.rows(index)
    assert_array_equal(rows.X, samples.X[index])
    assert_array_equal(rows.y, samples.y[index])
    assert_allclose(rows.weight, samples.weight[index] / samples.weight[index].sum())
    assert rows.shape == samples.shape


def test_passes_are_counted():
    objective = make(WestonWatkins(smoothing=0.5))
    params = draw(objective)

    def passes(action):
        before = objective.samples.n_passes
        action()
        return objective.samples.n_passes - before

    assert passes(lambda: objective.value(params)) == 1
    assert passes(lambda: objective.value_and_gradient(params)) == 2
    evaluation = objective.evaluate(params)
    assert passes(lambda: evaluation.value) == 0
    assert passes(lambda: evaluation.gradient) == 1
    assert passes(lambda: (evaluation.gradient, evaluation.data_gradient)) == 0
    assert passes(lambda: evaluation.hessian_product(params)) == 2
    step = evaluation.along(params)
    assert passes(lambda: [step(t) for t in (0.1, 0.2)]) == 0
    assert passes(lambda: evaluation.along(params)) == 1
    assert passes(lambda: evaluation.beyond(step(0.1)[0], 0.5)) == 0
    assert passes(lambda: evaluation.under(objective.smoothed(0.1))) == 0
    assert passes(lambda: objective.samples.largest_moment) == 20
    assert passes(lambda: (objective.samples.largest_moment, objective.samples.priors)) == 0
    assert passes(lambda: objective.samples.class_sums) == 1
    assert passes(lambda: objective.lower_bound(evaluation)) == 0
    assert passes(lambda: objective.value(params, evaluation.scores)) == 0
    assert passes(lambda: objective.scores_of_all(np.stack([params] * 3))) == 3


@pytest.mark.parametrize("kind", ["dense", "fortran", "csr"])
@pytest.mark.parametrize("loss", SMOOTH, ids=repr)
def test_data_are_neither_copied_nor_changed(loss, kind):
    """Every method, on memory that cannot be written to."""
    X, y = make_samples(kind).X, data()[1]
    weight = np.arange(1.0, 16)
    for array in [y, weight, *([X.data, X.indices, X.indptr] if kind == "csr" else [X])]:
        array.flags.writeable = False
    samples = Samples(X, y, 3, sample_weight=weight)
    assert samples.X is X and samples.y is y
    objective = Objective(samples, loss, ElasticNet(), 0.1)
    params = draw(objective)
    params.flags.writeable = False
    evaluation = objective.evaluate(params)
    assert np.isfinite(evaluation.gradient).all()
    assert np.isfinite(evaluation.hessian()).all()
    assert np.isfinite(evaluation.hessian_product(params)).all()
    assert np.isfinite(objective.lower_bound(evaluation))
    assert np.isfinite(objective.prox(params, 1.0)).all()
    assert np.isfinite(evaluation.along(params)(0.5)[1])
    assert np.isfinite(samples.variances).all() and samples.largest_moment > 0
    if kind != "csr":
        assert np.isfinite(samples.covariance).all()
    assert np.isfinite(objective.batch_slope(params, slice(3, 8))[1]).all()
    assert np.isfinite(objective.shuffled(np.random.RandomState(0)).value(params))
    assert all(np.isfinite(s).all() for s in objective.scores_of_all(np.stack([params] * 2)))


# Weak duality


def descend(objective, iterations=200):
    """A low point of the objective by a foreign solver."""

    def function(flat):
        value, gradient = objective.value_and_gradient(flat.reshape(objective.shape))
        return value, gradient.ravel()

    start = np.zeros(np.prod(objective.shape))
    options = {"maxiter": iterations, "gtol": 1e-12, "ftol": 1e-16}
    found = minimize(function, start, jac=True, method="L-BFGS-B", options=options)
    return found.x.reshape(objective.shape)


@every_loss
@every_regularizer
@intercept
def test_lower_bound_is_below_every_value(loss, regularizer, fit_intercept):
    for alpha, kind in product((1e-3, 0.03, 1.0), ("dense", "csr weights")):
        objective = make(loss, regularizer, alpha, kind=kind, fit_intercept=fit_intercept)
        low = descend(objective, 15)
        points = [low, 0 * low, low + draw(objective, 1, 0.05)]
        points += [draw(objective, seed, scale) for seed, scale in ((2, 0.1), (3, 1), (4, 10))]
        evaluations = [objective.evaluate(point) for point in points]
        least = min(evaluation.value for evaluation in evaluations)
        bounds = [objective.lower_bound(evaluation) for evaluation in evaluations]
        assert np.isfinite(bounds).all()
        assert max(bounds) <= least + 1e-10 * (1 + abs(least))


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if not loss.smooth], ids=repr)
@every_regularizer
@intercept
def test_lower_bound_from_a_smoothed_evaluation(loss, regularizer, fit_intercept):
    """The bound is one of the sharp objective: of a dual point of its smoothed twin."""
    for alpha in (0.01, 0.3):
        objective = make(loss, regularizer, alpha, fit_intercept=fit_intercept)
        smooth = objective.smoothed(0.1)
        low = descend(smooth, 60)
        least = objective.value(low)
        for point in (low, 0 * low, draw(objective, 1), draw(objective, 2, 5.0)):
            bound = objective.lower_bound(smooth.evaluate(point))
            assert bound <= least + 1e-10 * (1 + abs(least))
            assert np.isfinite(bound)


@smooth_loss
@pytest.mark.parametrize("regularizer", [L2(), ElasticNet(0)], ids=repr)
@intercept
@pytest.mark.parametrize("kind", ["dense", "csr weights"])
@pytest.mark.parametrize("alpha", [1e-2, 1.0])
def test_lower_bound_is_tight_at_the_minimum(loss, regularizer, fit_intercept, kind, alpha):
    objective = make(loss, regularizer, alpha, kind=kind, fit_intercept=fit_intercept)
    evaluation = objective.evaluate(descend(objective, 2000))
    gap = evaluation.value - objective.lower_bound(evaluation)
    assert -1e-12 <= gap <= 1e-6
    twin = Objective(objective.samples, loss, regularizer, alpha)
    assert_allclose(twin.lower_bound(evaluation), objective.lower_bound(evaluation), atol=1e-10)


@smooth_loss
def test_lower_bound_is_tight_at_the_minimum_of_a_strong_l1(loss):
    """Where the penalty keeps all weights at zero, the minimum is the intercepts' alone."""
    objective = make(loss, L1(), alpha=20.0, kind="weights")
    best = Objective(objective.samples, loss, L2(), 1e8)  # coefficients held at zero
    params = descend(best, 2000)
    params[:, :-1] = 0
    evaluation = objective.evaluate(params)
    assert -1e-12 <= evaluation.value - objective.lower_bound(evaluation) <= 1e-6


@every_loss
def test_lower_bound_with_a_class_without_weight(loss):
    X, y = data()
    samples = Samples(X, y, 3, sample_weight=(y != 2).astype(float))
    objective = Objective(samples, loss, L2(), 0.1)
    least = objective.value(descend(objective))
    for seed in range(10):
        bound = objective.lower_bound(objective.evaluate(draw(objective, seed)))
        assert np.isfinite(bound) and bound <= least + 1e-10


@every_loss
@every_regularizer
def test_lower_bound_in_float32(loss, regularizer):
    X, y = data()
    objective = Objective(Samples(X.astype(np.float32), y, 3), loss, regularizer, 0.03)
    points = [descend(objective, 40), draw(objective, 1, 0.1), draw(objective, 2)]
    evaluations = [objective.evaluate(point) for point in points]
    bounds = [objective.lower_bound(evaluation) for evaluation in evaluations]
    assert np.isfinite(bounds).all()
    assert max(bounds) <= min(evaluation.value for evaluation in evaluations) + 1e-6


@pytest.mark.parametrize("n_classes", [2, 3, 5, 8])
def test_lower_bound_is_a_number_at_any_point(n_classes):
    """With the intercept's residual balanced by rounded shares of one."""
    for seed in range(30):
        objective = make(alpha=0.1, seed=seed, n=3 * n_classes + 1, n_classes=n_classes)
        for scale in (0.01, 1.0):
            evaluation = objective.evaluate(draw(objective, seed, scale))
            assert np.isfinite(objective.lower_bound(evaluation))
