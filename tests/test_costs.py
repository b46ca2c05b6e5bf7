"""What a fit costs, without a clock: passes over the data, and memory beside it."""

import tracemalloc
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits

from sklin import LinearSVMClassifier, SoftmaxClassifier, SoftmaxClassifierCV
from sklin.objective import Samples, _samples
from sklin.optimizers import _preconditioner, choose


def image_like(n_samples, n_features, n_classes=10, dtype=np.float32):
    """Features with the spectrum of pixels, whose variances fall as 1 / k^2, and noisy classes."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((n_features, n_features)))[0]
    hidden = rng.standard_normal((n_samples, n_features))
    X = hidden / np.arange(1, n_features + 1) @ basis
    scores = hidden[:, :30] @ rng.standard_normal((30, n_classes))
    y = (scores + 5 * rng.standard_normal(scores.shape)).argmax(axis=1)
    return (X / X.std(axis=0)).astype(dtype), y


# The most passes over the data that a fit may take, to the default tol of 1e-4 (the hinge: 1e-3): a
# quarter more than it took when this was written. A pass is a product of all samples with n_classes
# vectors.
MOST = {
    "softmax": (SoftmaxClassifier(), {1e-1: 24, 1e-3: 50, 1e-5: 85}),
    "squared": (LinearSVMClassifier(loss="squared_hinge"), {1e-1: 50, 1e-3: 82, 1e-5: 150}),
    "hinge": (LinearSVMClassifier(), {1e-1: 164, 1e-3: 166, 1e-5: 750}),
    "l1": (SoftmaxClassifier(regularizer="l1"), {1e-1: 14, 1e-2: 90}),
}


@pytest.mark.parametrize(
    "name, alpha", [(name, alpha) for name, (_, most) in MOST.items() for alpha in most]
)
def test_passes_until_the_gap_is_proven(name, alpha):
    model, most = MOST[name]
    X, y = image_like(1_500, 192)
    objective, _ = model.set_params(alpha=alpha).make_objective(X, y)
    tol = 1e-3 if name == "hinge" else 1e-4
    result = choose(objective).minimize(objective, tol=tol)
    assert result.converged
    assert objective.samples.n_passes <= most[alpha]


def test_l1_at_small_alpha_is_proven_by_newton_steps_on_the_support():
    """Without them 150 steps end at a gap of 12%; with them 71 are enough."""
    X, y = load_digits(return_X_y=True)
    objective, _ = SoftmaxClassifier(regularizer="l1", alpha=1e-3).make_objective(X / 16, y)
    assert choose(objective).minimize(objective, tol=1e-4, max_iter=100).converged


@pytest.mark.parametrize("name, alpha", [("softmax", 1e-1), ("softmax", 1e-3), ("squared", 1e-1)])
def test_a_sketch_stands_in_where_features_are_too_many_for_a_matrix(monkeypatch, name, alpha):
    """With an eighth of the eigenvectors a fit takes a third of the passes it takes with one."""
    monkeypatch.setattr(_samples, "LARGEST_DENSE", 100)
    passes = []
    for rank in (24, 1):
        monkeypatch.setattr(_preconditioner, "RANK", rank)
        objective, _ = MOST[name][0].set_params(alpha=alpha).make_objective(*image_like(1_500, 192))
        assert choose(objective).minimize(objective, tol=1e-4).converged
        passes.append(objective.samples.n_passes)
    assert passes[0] <= passes[1] / 3


def test_a_path_of_alphas_makes_a_factor_for_every_second_one(monkeypatch):
    """And the second moments once: of two folds and of all samples, three times."""
    made = {"factors": 0, "moments": 0}

    def counted(name, function):
        def call(*args, **kwargs):
            made[name] += 1
            return function(*args, **kwargs)

        return call

    monkeypatch.setattr(_preconditioner, "Solve", counted("factors", _preconditioner.Solve))
    monkeypatch.setattr(Samples, "moments", counted("moments", Samples.moments))
    model = SoftmaxClassifierCV(np.logspace(1, -3.5, 10), cv=2, optimizer="lbfgs")
    model.fit(*image_like(1_500, 192))
    assert made == {"factors": pytest.approx(2 * 5 + 1, abs=2), "moments": 3}


def peak_of(fit):
    """Largest memory, in bytes, that a fit takes at any time, what it leaves included."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tracemalloc.start()
        try:
            fit()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "model",
    [SoftmaxClassifier(), LinearSVMClassifier(loss="squared_hinge"), LinearSVMClassifier()],
    ids=repr,
)
def test_memory_beside_the_samples(model, dtype):
    """Two matrices of features by features, some arrays of scores and of weights; no copy of X."""
    n_samples, n_features, n_classes = 6_000, 500, 5
    X, y = image_like(n_samples, n_features, n_classes, dtype)
    model.set_params(alpha=1e-2, max_iter=30)
    peak = peak_of(lambda: model.fit(X, y))
    scores = n_samples * n_classes * X.itemsize
    planes = 2 * 30 * 8 * n_features * n_classes  # the certificate's, and a stack of them
    allowed = 2 * 8 * n_features**2 + planes + 20 * scores + 2**20
    assert peak <= allowed < X.nbytes
