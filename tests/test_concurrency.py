"""Many threads at once, and the same seed twice: the answers do not change."""

import os
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sklin import (
    HOG,
    BagOfVisualWords,
    ColorHistogram,
    LinearSVMClassifier,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
)

N_THREADS = 32
DIGITS, LABELS = (part[:400] for part in load_digits(return_X_y=True))
IMAGES = np.random.default_rng(0).integers(256, size=(40, 24, 20, 3), dtype=np.uint8)
Y = np.arange(40) % 3


@pytest.fixture(autouse=True)
def hurried_threads():
    """Python changes between threads a thousand times as often as it would."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


def at_once(call, n=N_THREADS):
    with ThreadPoolExecutor(n) as pool:
        return [future.result() for future in [pool.submit(call, i) for i in range(n)]]


@pytest.mark.parametrize(
    "transformer",
    [
        HOG(grid=(2, 2)),
        ColorHistogram(bins=4),
        BagOfVisualWords(n_words=20, random_state=0),
        BagOfVisualWords(n_words=20, encoding="vlad", random_state=0),
    ],
    ids=["HOG", "colour", "words", "vlad"],
)
def test_one_fitted_pipeline_answers_many_threads(transformer):
    # No FeatureUnion: scikit-learn's Parallel warns now and then where threads change the warning
    # filters, which Python keeps for the whole process.
    pipeline = make_pipeline(transformer, StandardScaler(), SoftmaxClassifier(alpha=0.1, tol=1e-2))
    pipeline.fit(IMAGES, Y)
    parts = [IMAGES[i % 8 :: 8] for i in range(N_THREADS)]
    expected = [pipeline.predict_proba(part) for part in parts]
    for found, alone in zip(
        at_once(lambda i: pipeline.predict_proba(parts[i])), expected, strict=True
    ):
        np.testing.assert_array_equal(found, alone)


@pytest.mark.parametrize(
    "model",
    [
        SoftmaxClassifier(alpha=1e-3),
        LinearSVMClassifier(alpha=0.1, tol=1e-2),
        SoftmaxClassifier(regularizer="l1", alpha=3e-2, tol=1e-2),
        SoftmaxClassifier(optimizer="sgd", max_iter=5, tol=0.1, random_state=0),
        SoftmaxClassifierCV(alphas=[0.1, 0.01], cv=2),
    ],
    ids=["softmax", "hinge", "l1", "sgd", "path"],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fits_in_many_threads_share_nothing(model):
    """Of estimators that share their component objects, too."""
    rows = [slice(100 * i, 100 * (i + 1)) for i in range(4)]
    expected = [clone(model).fit(DIGITS[part] / 16, LABELS[part]).coef_ for part in rows]
    found = at_once(
        lambda i: clone(model).fit(DIGITS[rows[i % 4]] / 16, LABELS[rows[i % 4]]).coef_, 8
    )
    for i, coef in enumerate(found):
        np.testing.assert_array_equal(coef, expected[i % 4])


def test_components_given_as_objects_hold_no_state():
    """One optimizer object in several fits at once."""
    from sklin.optimizers import LBFGS, SGD

    for optimizer in (LBFGS(), SGD(momentum=0.9)):
        models = [
            SoftmaxClassifier(alpha=alpha, optimizer=optimizer, max_iter=8, tol=0.1, random_state=0)
            for alpha in np.geomspace(1e-3, 1, 8)
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = [clone(model).fit(DIGITS / 16, LABELS).coef_ for model in models]
            found = at_once(lambda i, models=models: models[i].fit(DIGITS / 16, LABELS).coef_, 8)
        for coef, alone in zip(found, expected, strict=True):
            np.testing.assert_array_equal(coef, alone)


# In a process of its own: threadpoolctl lets nobody lift the limit of the tests' main thread.
JOBS = """
import numpy as np
from concurrent.futures import ThreadPoolExecutor
from joblib import Parallel, delayed
from threadpoolctl import threadpool_info
from sklin import HOG, SoftmaxClassifier

def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

class Watched(HOG):
    def _features(self, images):
        self.seen_ |= blas_threads()
        return super()._features(images)

rng = np.random.default_rng(0)
images = rng.integers(256, size=(40, 24, 20, 3), dtype=np.uint8)
rows, labels = rng.normal(size=(90, 20)), np.arange(90) % 3
alone = Watched(grid=(2, 2), n_jobs=1)
jobs = Watched(grid=(2, 2), n_jobs=2)
jobs._pixels_per_chunk = 1000  # two images
for transformer in (alone, jobs):
    transformer.seen_ = set()
    transformer.fit(images)

def seen(transformer, call):
    transformer.seen_.clear()
    call(transformer)
    return sorted(transformer.seen_)

def nested(transformer):
    work = (delayed(transformer.transform)(images[i::2]) for i in range(2))
    Parallel(2, prefer="threads")(work)

print("before", sorted(blas_threads()))
print("one job", seen(alone, lambda t: t.transform(images)))
print("two jobs", seen(jobs, lambda t: t.transform(images)))
print("jobs of one", seen(alone, nested))
print("jobs of two", seen(jobs, nested))
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda i: SoftmaxClassifier(tol=1e-2).fit(rows, labels), range(8)))
print("after", sorted(blas_threads()))

# The first thread in lives on; the last out is another.
from threading import Barrier, Event, Thread
from sklin._linalg import one_thread

met, left = Barrier(2), Event()

def first():
    with one_thread:
        met.wait()
        left.wait(10)  # until the main thread is in
    met.wait()
    left.clear()
    met.wait()

thread = Thread(target=first)
thread.start()
met.wait()
with one_thread:
    print("inside", sorted(blas_threads()))
    left.set()
    met.wait()
print("after both", sorted(blas_threads()))
met.wait()
thread.join()
"""


def test_jobs_within_jobs_take_no_more_threads_and_give_them_back():
    """A job beside others has one thread of the BLAS; who works alone has all."""
    found = subprocess.run(
        [sys.executable, "-c", JOBS],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "OMP_NUM_THREADS": "2",
            "OPENBLAS_NUM_THREADS": "2",
        },
    ).stdout
    assert found.splitlines() == [
        "before [2]",
        "one job [2]",
        "two jobs [1]",
        "jobs of one [1]",
        "jobs of two [1]",
        "after [2]",
        "inside [1]",
        "after both [2]",
    ]


SEEDED = [
    SoftmaxClassifier(optimizer="adam", max_iter=5, tol=0.1, random_state=7),
    SoftmaxClassifier(optimizer="random_search", max_iter=20, tol=0.1, random_state=7),
    LinearSVMClassifier(
        regularizer="dropout", optimizer="sgd", max_iter=5, tol=0.1, random_state=7
    ),
    SoftmaxClassifierCV(alphas=4, cv=3),
]


@pytest.mark.parametrize("model", SEEDED, ids=["adam", "random search", "dropout", "path"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_one_seed_gives_one_answer(model):
    first, second = (clone(model).fit(DIGITS / 16, LABELS).coef_ for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("encoding", ["tri2", "hard", "nearest", "vlad", "fisher"])
def test_one_seed_gives_one_codebook(encoding):
    bag = BagOfVisualWords(n_words=15, encoding=encoding, random_state=3)
    first, second = (clone(bag).fit_transform(IMAGES) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_threads_of_the_blas_change_rounding_only(n_threads):
    """Sums in another order: the minimum within its tolerance, and the weights near it."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 300))  # large enough to be multiplied by several threads
    y = (X[:, :10] + rng.normal(size=(3000, 10))).argmax(axis=1)
    models = []
    for n in (1, n_threads):
        with threadpool_limits(n, user_api="blas"):
            models.append(SoftmaxClassifier(alpha=1e-2, tol=1e-8).fit(X, y))
    one, several = models
    assert several.objective_ == pytest.approx(one.objective_, rel=1e-8)
    # alpha |W - W*|^2 <= gap, for each of the two.
    distance = np.sum((one.coef_ - several.coef_) ** 2)
    assert 1e-2 * distance <= 4 * 1e-8 * one.objective_
