"""More features than samples: fits in coordinates of the samples' span are fits of the samples."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from sklin import LinearSVMClassifier, SoftmaxClassifier
from sklin.losses import CrossEntropy, WestonWatkins
from sklin.objective import Objective, Samples
from sklin.objective._span import SpanSamples
from sklin.optimizers import LBFGS, GradientDescent, Newton, ProximalGradient, choose
from sklin.regularizers import L1, L2, ElasticNet


def wide(n_samples=30, n_features=200, dtype=float, repeat=0, offset=0.0):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features)) + offset
    y = np.arange(n_samples) % 3
    X[:, :3] += np.eye(3)[y]
    return np.vstack([X, X[:repeat]]).astype(dtype), np.append(y, y[:repeat])


def objective_of(X, y, fit_intercept=True, loss=None, weight=None, alpha=0.01):
    samples = Samples(X, y, 3, sample_weight=weight, fit_intercept=fit_intercept)
    return Objective(samples, loss or CrossEntropy(), L2(), alpha)


@pytest.mark.parametrize("repeat", [0, 7])
@pytest.mark.parametrize("fit_intercept, offset", [(True, 0.0), (True, 1e3), (False, 0.0)])
def test_coordinates_keep_scores_norms_values_and_bounds(fit_intercept, repeat, offset):
    X, y = wide(repeat=repeat, offset=offset)
    objective = objective_of(X, y, fit_intercept)
    inside = objective.in_span()
    samples = inside.samples
    # As many as samples that differ; an intercept takes one more.
    assert samples.X.shape == (len(X), 30 - fit_intercept)
    V = np.random.default_rng(1).standard_normal(inside.shape)
    W = samples.lift(V)
    np.testing.assert_allclose(samples.lower(W), V, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(objective.samples.scores(W), samples.scores(V), atol=1e-8)
    here, there = objective.evaluate(W), inside.evaluate(V)
    assert there.value == pytest.approx(here.value, rel=1e-9)
    assert inside.lower_bound(there) == pytest.approx(objective.lower_bound(here), rel=1e-6)


def test_what_is_orthogonal_to_the_samples_is_left_out():
    X, y = wide()
    inside = objective_of(X, y, fit_intercept=False).in_span()
    W = np.random.default_rng(1).standard_normal((3, X.shape[1]))
    projected = W @ np.linalg.pinv(X) @ X
    np.testing.assert_allclose(inside.samples.lift(inside.samples.lower(W)), projected, atol=1e-9)


@pytest.mark.parametrize("repeat", [0, 7])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_minimum_is_that_of_logistic_regression(fit_intercept, repeat):
    X, y = wide(repeat=repeat)
    model = SoftmaxClassifier(alpha=1e-3, tol=1e-12, fit_intercept=fit_intercept).fit(X, y)
    C = 1 / (2 * model.alpha * len(X))
    peer = LogisticRegression(C=C, tol=1e-10, max_iter=10_000, fit_intercept=fit_intercept)
    peer.fit(X, y)
    np.testing.assert_allclose(model.coef_, peer.coef_, atol=1e-6)
    centred = peer.intercept_ - peer.intercept_.mean()
    np.testing.assert_allclose(model.intercept_ - model.intercept_.mean(), centred, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", [LBFGS(), Newton(), Newton(max_direct=0)], ids=repr)
@pytest.mark.parametrize("loss", [CrossEntropy(), WestonWatkins(), WestonWatkins("squared_hinge")])
def test_the_gap_holds_in_the_coordinates_of_the_features(loss, optimizer, dtype):
    X, y = wide(dtype=dtype)
    weight = np.random.default_rng(2).uniform(0.5, 2, len(X))
    objective = objective_of(X, y, loss=loss, weight=weight, alpha=0.1)
    # The slope of a hinge rounded over 1e-5 is not known to more than some per cent in float32.
    tol = 1e-4 if loss.smooth or dtype == np.float64 else 1e-2
    result = optimizer.minimize(objective, tol=tol)
    assert result.converged and result.params.shape == objective.shape
    value = objective.value(result.params)
    assert value == pytest.approx(result.value, rel=1e-5)
    # Sparse samples stay in the coordinates of the features.
    there = objective_of(sparse.csr_array(X), y, loss=loss, weight=weight, alpha=0.1)
    other = optimizer.minimize(there, tol=tol)
    assert value - result.gap <= there.value(other.params) * (1 + 1e-5)
    assert there.value(other.params) - other.gap <= value * (1 + 1e-5)


def test_callbacks_see_the_coordinates_of_the_features():
    X, y = wide()
    objective, seen = objective_of(X, y), []

    def look(n_iter, step):
        assert objective.value(step.params) == pytest.approx(step.value, rel=1e-9)
        seen.append(step.params.shape)

    LBFGS().minimize(objective, callback=look)
    assert set(seen) == {objective.shape}


def test_a_fit_starts_where_the_last_ended():
    X, y = wide()
    model = SoftmaxClassifier(alpha=1e-3, warm_start=True, optimizer="lbfgs").fit(X, y)
    first, n_iter = model.objective_, model.n_iter_
    model.fit(X, y)
    assert model.n_iter_ == 0 < n_iter
    assert model.objective_ == pytest.approx(first, rel=1e-12)


@pytest.mark.parametrize("optimizer", [GradientDescent(0.01), ProximalGradient()], ids=repr)
def test_methods_that_teach_stay_with_the_features(optimizer):
    X, y = wide()
    objective = objective_of(X, y)
    optimizer.minimize(objective, max_iter=3)
    assert "in_span" not in objective.samples.__dict__


@pytest.mark.parametrize("regularizer", [L1(), ElasticNet()], ids=repr)
def test_other_penalties_stay_with_the_features(regularizer):
    X, y = wide()
    assert not Objective(Samples(X, y, 3), CrossEntropy(), regularizer, 0.1).is_wide


def test_one_feature_that_outweighs_all_others_stays_with_the_features():
    # In products of samples the others' digits would be lost, and with them their span: the bound
    # would be one of another problem.
    X, y = wide()
    X[:, 0] *= 1e8
    objective = objective_of(X, y)
    assert not objective.is_wide
    without = objective_of(X[:, 1:], y)
    most = Newton().minimize(without, tol=1e-6).value  # at weight zero of that feature
    result = Newton().minimize(objective, tol=1e-6)
    assert result.value - result.gap <= most


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_zeros_are_fitted(fit_intercept):
    y = np.array([0, 0, 1, 2])
    objective = objective_of(np.zeros((4, 9)), y, fit_intercept)
    for optimizer in (Newton(), LBFGS()):
        value = optimizer.minimize(objective, tol=1e-9).value
        expected = 1.5 * np.log(2) if fit_intercept else np.log(3)
        assert value == pytest.approx(expected, rel=1e-6)


def test_sparse_and_tall_data_stay_with_the_features():
    X, y = wide()
    assert not objective_of(sparse.csr_array(X), y).is_wide
    assert not objective_of(X[:, :30], y).is_wide
    assert objective_of(X[:, :31], y).is_wide


def test_samples_that_are_all_the_same_are_fitted_by_the_intercept():
    X, y = np.ones((6, 50)), np.array([0, 0, 0, 1, 1, 2])
    model = SoftmaxClassifier(alpha=1e-3, tol=1e-10).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X[:1])[0], [1 / 2, 1 / 3, 1 / 6], rtol=1e-4)
    np.testing.assert_allclose(model.coef_, 0, atol=1e-9)


@pytest.mark.parametrize("n_features", [100, 10_000])
@pytest.mark.parametrize(
    "estimator, most", [(SoftmaxClassifier(), 50), (LinearSVMClassifier(loss="squared_hinge"), 50)]
)
def test_few_passes_are_taken_however_many_features(estimator, most, n_features):
    X, y = wide(n_features=n_features)
    objective, _ = estimator.set_params(alpha=0.1).make_objective(X, y)
    assert choose(objective).minimize(objective, tol=1e-4).converged
    assert objective.samples.n_passes <= most


def test_features_are_taken_a_block_at_a_time(monkeypatch):
    X, y = wide(repeat=7)
    objective = objective_of(X, y)
    W = np.random.default_rng(1).standard_normal(objective.shape)
    whole = objective.in_span().samples

    def few(self):
        return [slice(start, start + 7) for start in range(0, self.origin.X.shape[1], 7)]

    monkeypatch.setattr(SpanSamples, "_blocks", few)
    parts = objective.in_span().samples
    np.testing.assert_allclose(parts.X @ parts.X.T, whole.X @ whole.X.T, atol=1e-9)
    np.testing.assert_allclose(
        parts.scores(parts.lower(W)), whole.scores(whole.lower(W)), atol=1e-8
    )


@pytest.mark.parametrize("n_samples", [3, 2**15, 2**22])
def test_blocks_hold_every_feature_once(n_samples):
    X = np.broadcast_to(0.0, (n_samples, 200))
    blocks = SpanSamples._blocks(SimpleNamespace(origin=SimpleNamespace(X=X)))
    np.testing.assert_array_equal(np.concatenate([np.arange(200)[b] for b in blocks]), range(200))
    assert max(X[:, block].nbytes for block in blocks) <= max(2**24, 8 * n_samples)
