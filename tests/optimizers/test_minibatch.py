"""Mini-batch methods: published recursions written out, fair epochs, weights, states that go on."""

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_array

from sklin.losses import CrossEntropy, WestonWatkins
from sklin.optimizers import SGD, AdaGrad, Adam, GradientDescent, InverseDecay, State
from sklin.regularizers import L1, L2, Dropout, MaxNorm

KINDS = [SGD, AdaGrad, Adam]
every_kind = pytest.mark.parametrize("kind", KINDS)


def weights(seed=0):
    return np.random.RandomState(seed).uniform(0.2, 3, 80)


# The recursions, as published, in float64 and on all samples


def polyak(gradient, theta, rates, mu=0.7):
    """Polyak 1964."""
    v = 0
    for eta in rates:
        v = mu * v - eta * gradient(theta)
        theta = theta + v
        yield theta


def nesterov(gradient, theta, rates, mu=0.7):
    """Sutskever, Martens, Dahl and Hinton 2013, equations 3 and 4."""
    v = np.zeros_like(theta)
    for eta in rates:
        v = mu * v - eta * gradient(theta + mu * v)
        theta = theta + v
        yield theta


def adagrad(gradient, theta, rates, epsilon=1e-8):
    """Duchi, Hazan and Singer 2011, with a diagonal matrix."""
    history = []
    for eta in rates:
        history.append(gradient(theta))
        theta = theta - eta / (np.sqrt(np.sum(np.square(history), axis=0)) + epsilon) * history[-1]
        yield theta


def adam(gradient, theta, rates, beta1=0.8, beta2=0.95, epsilon=1e-8):
    """Kingma and Ba 2015, algorithm 1."""
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    for t, eta in enumerate(rates, start=1):
        g = gradient(theta)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        theta = theta - eta * m_hat / (np.sqrt(v_hat) + epsilon)
        yield theta


RECURSIONS = [
    (polyak, SGD(momentum=0.7)),
    (nesterov, SGD(momentum=0.7, nesterov=True)),
    (adagrad, AdaGrad()),
    (adam, Adam(beta1=0.8, beta2=0.95)),
]


@pytest.mark.parametrize("rate", [0.02, InverseDecay(0.05, decay=0.5)], ids=repr)
@pytest.mark.parametrize("loss", [CrossEntropy(), WestonWatkins()], ids=repr)
@pytest.mark.parametrize(("recursion", "optimizer"), RECURSIONS)
def test_the_published_recursions(problem, recursion, optimizer, loss, rate):
    objective = problem(loss, badly_scaled=False, weight=weights())
    optimizer = type(optimizer)(
        **{**optimizer.get_params(), "learning_rate": rate, "batch_size": 80}
    )
    start = np.random.RandomState(0).standard_normal(objective.shape)
    rates = [rate if isinstance(rate, float) else rate.rate(t) for t in range(6)]
    expected = list(recursion(lambda p: objective.value_and_gradient(p)[1], start, rates))
    steps = []
    optimizer.minimize(
        objective,
        start,
        max_iter=6,
        tol=0,
        callback=lambda n_iter, step: steps.append(step),
        random_state=0,
    )
    for step, params in zip(steps[1:], expected, strict=True):
        np.testing.assert_allclose(step.params, params, rtol=1e-9, atol=1e-12)
    if recursion is nesterov:
        return  # which meets the mini-batch ahead of the parameters
    # The value is that of the mini-batch before its step, with the penalty after it.
    data = [objective.evaluate(p).data_value for p in (start, *expected)]
    penalty = [objective.penalty(p) for p in expected]
    np.testing.assert_allclose([s.value for s in steps[1:]], np.add(data[:-1], penalty))


def test_full_batches_without_momentum_are_gradient_descent(problem):
    objective = problem()
    whole = SGD(0.01, batch_size=80, momentum=0).minimize(
        objective, max_iter=5, tol=0, random_state=0
    )
    plain = GradientDescent(0.01).minimize(objective, max_iter=5, tol=0, random_state=0)
    np.testing.assert_allclose(whole.params, plain.params, rtol=1e-10)


@every_kind
def test_they_are_reproducible(problem, kind):
    runs = [
        kind(0.01, batch_size=16).minimize(problem(), max_iter=3, tol=0, random_state=seed)
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(runs[0].params, runs[1].params)
    assert not np.array_equal(runs[0].params, runs[2].params)


def spied(optimizer):
    """The same optimizer, and a list in which all parameters met are written down."""
    met = []

    class Spy(type(optimizer)):
        def update(self, state, gradient, rate, objective):
            super().update(state, gradient, rate, objective)
            met.append(state.params.copy())

    return Spy(**optimizer.get_params(deep=False)), met


@pytest.mark.parametrize(
    ("kind", "regularizer"),
    [*((kind, R) for kind in KINDS for R in (L2(), L1())), (SGD, MaxNorm(0.2))],
    ids=str,
)
def test_the_average_is_the_mean_of_all_parameters_met(problem, kind, regularizer):
    objective = problem(regularizer=regularizer)
    optimizer, met = spied(kind(0.01, batch_size=16, average=True))
    steps = []
    optimizer.minimize(
        objective,
        max_iter=3,
        tol=0,
        callback=lambda n_iter, step: steps.append(step),
        random_state=0,
    )
    assert len(met) == 15
    for epoch in (1, 2, 3):
        mean = np.mean(met[: 5 * epoch], axis=0)
        np.testing.assert_allclose(steps[epoch].params, mean, rtol=1e-10, atol=1e-14)
    plain = kind(0.01, batch_size=16).minimize(objective, max_iter=3, tol=0, random_state=0)
    again = kind(0.01, batch_size=16, average=True)
    again, met = spied(again)
    again.minimize(objective, max_iter=3, tol=0, random_state=0)
    np.testing.assert_array_equal(met[-1], plain.params)  # it does not change the path


# Epochs


class Watching(L2):
    """Writes down the first feature of the samples of each mini-batch."""

    def __init__(self):
        self.seen = []

    def corrupt(self, X, rng):
        self.seen.append(X[:, 0].copy())
        return X


@pytest.mark.parametrize("batch_size", [1, 7, 16, 79, 80, 1000])
@every_kind
def test_every_epoch_visits_every_sample_once(problem, kind, batch_size):
    regularizer = Watching()
    objective = problem(regularizer=regularizer)
    kind(1e-3, batch_size=batch_size).minimize(objective, max_iter=3, tol=0, random_state=0)
    n_batches = -(-80 // batch_size)
    assert len(regularizer.seen) == 3 * n_batches
    sizes = [len(batch) for batch in regularizer.seen]
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1
    ids = objective.samples.X[:, 0]
    orders = []
    for epoch in range(3):
        batches = regularizer.seen[epoch * n_batches : (epoch + 1) * n_batches]
        orders.append(np.concatenate(batches))
        np.testing.assert_array_equal(np.sort(orders[-1]), np.sort(ids))
        assert not np.array_equal(orders[-1], ids)
        # One shuffle makes the mini-batches; their order is new in each epoch.
        assert {tuple(b) for b in batches} == {tuple(b) for b in regularizer.seen[:n_batches]}
    if n_batches > 4:
        assert not np.array_equal(orders[0], orders[1])


def test_slices_cover_the_samples_evenly():
    for n_samples in range(1, 60):
        for batch_size in range(1, 65):
            slices = SGD(batch_size=batch_size).batches(n_samples)
            covered = np.concatenate([np.arange(n_samples)[s] for s in slices])
            np.testing.assert_array_equal(covered, np.arange(n_samples))
            sizes = [s.stop - s.start for s in slices]
            assert max(sizes) <= batch_size and max(sizes) - min(sizes) <= 1
            assert len(slices) == -(-n_samples // batch_size)


@pytest.mark.parametrize("batch_size", [1, 7, 80])
@every_kind
def test_the_value_is_the_objective_if_nothing_moves(problem, kind, batch_size):
    """Mini-batches of unlike sizes and weights: their mean is fair to each sample."""
    objective = problem(WestonWatkins(), L1(), weight=weights())
    start = np.random.RandomState(0).standard_normal(objective.shape)
    optimizer = kind(1e-18, batch_size=batch_size)
    result = optimizer.minimize(objective, start, max_iter=2, tol=0, random_state=0)
    np.testing.assert_allclose(result.history, objective.value(start), rtol=1e-9)


def test_an_epoch_of_tiny_steps_follows_the_slope_of_all_samples(problem):
    """Mini-batches of unlike sizes and weights: their steps are fair to each sample."""
    objective = problem(CrossEntropy(), L2(), weight=weights())
    start = np.random.RandomState(0).standard_normal(objective.shape)
    optimizer = SGD(1e-9, momentum=0)
    state = optimizer.begin(start)
    batches = [slice(0, 5), slice(5, 45), slice(45, 80)]
    optimizer.epoch(objective, state, batches, np.random.RandomState(0))
    followed = (start - state.params) / (1e-9 * len(batches))
    np.testing.assert_allclose(followed, objective.evaluate(start).gradient, rtol=1e-4, atol=1e-5)


# Kinds of samples


@pytest.mark.parametrize("regularizer", [L2(), L1()], ids=repr)
@every_kind
def test_sparse_samples_are_dense_ones(problem, kind, regularizer):
    runs = [
        kind(0.01, batch_size=16).minimize(
            problem(regularizer=regularizer, to=to, weight=weights()),
            max_iter=3,
            tol=0,
            random_state=0,
        )
        for to in (None, csr_array)
    ]
    np.testing.assert_allclose(runs[1].params, runs[0].params, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(runs[1].history, runs[0].history, rtol=1e-9)


@pytest.mark.parametrize("to", [None, csr_array], ids=["dense", "csr"])
@pytest.mark.parametrize(
    ("kind", "regularizer"),
    [*((kind, R) for kind in KINDS for R in (L2(), L1(), Dropout(0.3))), (SGD, MaxNorm(0.2))],
    ids=str,
)
def test_float32_samples_have_a_float32_state(problem, kind, regularizer, to):
    optimizer = kind(InverseDecay(0.01), batch_size=16, average=True)
    objective = problem(regularizer=regularizer, dtype=np.float32, to=to, weight=weights())
    state = optimizer.begin(np.zeros(objective.shape, np.float32))
    optimizer.epoch(objective, state, optimizer.batches(80), np.random.RandomState(0))
    arrays = [state.params, state.average, *state.memory]
    assert [array.dtype for array in arrays] == [np.float32] * len(arrays)
    assert optimizer.minimize(objective, max_iter=1, random_state=0).params.dtype == np.float32


@pytest.mark.parametrize("regularizer", [L2(), L1()], ids=repr)
@every_kind
def test_float32_goes_the_way_of_float64(problem, kind, regularizer):
    runs, options = [], dict(max_iter=5, tol=0, random_state=0)
    for dtype in (np.float64, np.float32):
        objective = problem(regularizer=regularizer, badly_scaled=False, dtype=dtype)
        runs.append(kind(0.01, batch_size=16).minimize(objective, **options))
    np.testing.assert_allclose(runs[1].history, runs[0].history, rtol=1e-4)


# Weights


@every_kind
@pytest.mark.parametrize("batch_size", [1, 16])
@pytest.mark.parametrize("regularizer", [L2(), L1()], ids=repr)
def test_samples_without_weight_have_no_influence(problem, kind, batch_size, regularizer):
    """The run is the one without them: no mini-batch is theirs, and no step of a regularizer."""
    from sklin.objective import Objective, Samples

    weight = weights()
    weight[::3] = 0
    whole = problem(regularizer=regularizer, weight=weight)
    kept = weight > 0
    rows = Samples(whole.samples.X[kept], whole.samples.y[kept], 3, sample_weight=weight[kept])
    whole.samples.X[::3] = 1e6
    runs = [
        kind(0.01, batch_size=batch_size).minimize(objective, max_iter=2, tol=0, random_state=0)
        for objective in (whole, Objective(rows, whole.loss, regularizer, whole.alpha))
    ]
    np.testing.assert_allclose(runs[1].params, runs[0].params, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(runs[1].history[1:], runs[0].history[1:], rtol=1e-9)


@every_kind
def test_only_the_ratios_of_weights_matter(problem, kind):
    optimizer = kind(0.01, batch_size=16)
    runs = [
        optimizer.minimize(problem(weight=w), max_iter=2, tol=0, random_state=0)
        for w in (None, np.full(80, 7.0), weights(), 3 * weights())
    ]
    np.testing.assert_allclose(runs[1].params, runs[0].params, rtol=1e-9)
    np.testing.assert_allclose(runs[3].params, runs[2].params, rtol=1e-9)
    assert not np.allclose(runs[2].params, runs[0].params)


# Noise


def test_dropout_of_nothing_is_no_dropout(problem):
    kept, dropped = (problem(regularizer=r, alpha=0.0) for r in (L2(), Dropout(0)))
    optimizer = SGD(0.01, batch_size=80)
    runs = [optimizer.minimize(o, max_iter=5, tol=0, random_state=0) for o in (kept, dropped)]
    np.testing.assert_allclose(runs[1].params, runs[0].params, rtol=1e-12)


def test_dropout_is_new_in_each_epoch_and_that_of_random_state(problem):
    objective = problem(regularizer=Dropout(0.5))
    optimizer = SGD(0.01, batch_size=80, momentum=0)
    runs = [optimizer.minimize(objective, max_iter=2, tol=0, random_state=s) for s in (0, 0, 1)]
    np.testing.assert_array_equal(runs[0].params, runs[1].params)
    assert not np.array_equal(runs[0].params, runs[2].params)


# States


def go_on(optimizer, objective, state, n_epochs):
    batches = optimizer.batches(80)
    for _ in range(n_epochs):
        state.rng.shuffle(batches)
        optimizer.epoch(objective, state, batches, state.rng)
        batches.sort(key=lambda index: index.start)
    return state


@pytest.mark.parametrize("regularizer", [L1(), Dropout(0.4)], ids=repr)
@pytest.mark.parametrize("average", [True, False])
@every_kind
def test_a_state_that_was_pickled_goes_on_as_if_it_had_not_stopped(
    problem, kind, average, regularizer
):
    objective = problem(regularizer=regularizer)
    optimizer = kind(InverseDecay(0.05, decay=1.0), batch_size=16, average=average)
    states = [optimizer.begin(np.zeros(objective.shape)) for _ in range(2)]
    for state in states:
        state.rng = np.random.RandomState(0)
    whole = go_on(optimizer, objective, states[0], 4)
    half = go_on(optimizer, objective, states[1], 2)
    rest = go_on(optimizer, objective, pickle.loads(pickle.dumps(half)), 2)
    assert (whole.n_epochs, whole.n_updates) == (rest.n_epochs, rest.n_updates) == (4, 20)
    for name in ("params", "answer"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(rest, name))
    for a, b in zip(whole.memory, rest.memory, strict=True):
        np.testing.assert_array_equal(a, b)
    assert optimizer.can_resume(rest, objective)


def test_only_a_state_of_its_own_is_resumed(problem):
    objective, other = problem(), problem(fit_intercept=False)
    state = SGD().begin(np.zeros(objective.shape))
    assert isinstance(state, State)
    assert SGD(0.5, batch_size=3, momentum=0, nesterov=True).can_resume(state, objective)
    assert not SGD(average=True).can_resume(state, objective)
    assert not AdaGrad().can_resume(state, objective)
    assert not SGD().can_resume(state, other)


@every_kind
def test_begin_copies_the_parameters(problem, kind):
    objective, start = problem(), np.ones((3, 6))
    optimizer = kind(average=True)
    state = optimizer.begin(start)
    optimizer.epoch(objective, state, optimizer.batches(80), None)
    assert (start == 1).all()
    assert state.answer is state.average


@pytest.mark.parametrize(
    ("optimizer", "name"),
    [
        (SGD(batch_size=0), "batch_size"),
        (SGD(batch_size=2.5), "batch_size"),
        (SGD(momentum=1), "momentum"),
        (SGD(momentum=-0.1), "momentum"),
        (AdaGrad(epsilon=0), "epsilon"),
        (AdaGrad(batch_size="all"), "batch_size"),
        (Adam(beta1=1), "beta1"),
        (Adam(beta2=1.0), "beta2"),
        (Adam(epsilon=-1), "epsilon"),
    ],
    ids=repr,
)
def test_bad_parameters_are_named(problem, optimizer, name):
    with pytest.raises((ValueError, TypeError), match=rf"\A{name} must be"):
        optimizer.minimize(problem())
