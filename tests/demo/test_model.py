"""The numbers of the page: the estimators' own, and true derivatives."""

import itertools
import json
import math

import numpy as np
import pytest

from sklin import LinearSVMClassifier, SoftmaxClassifier
from sklin.demo import _model
from sklin.demo._model import CHOICES, evaluate, options, run
from sklin.losses import LOSSES
from sklin.optimizers import LBFGS, OPTIMIZERS
from sklin.regularizers import REGULARIZERS


def classifier(state):
    """The estimator that has the objective of a state."""
    common = {"alpha": state["alpha"], "regularizer": state["regularizer"]}
    if state["loss"] == "cross_entropy":
        return SoftmaxClassifier(**common)
    multi_class = state["loss"].removesuffix("_squared")
    hinge = "hinge" if multi_class == state["loss"] else "squared_hinge"
    return LinearSVMClassifier(multi_class=multi_class, loss=hinge, **common)


def value_at(state):
    points = np.array(state["points"])
    objective, _ = classifier(state).make_objective(points[:, :2], points[:, 2].astype(int))
    return objective.value(np.column_stack([state["W"], state["b"]]))


def test_everything_of_the_package_can_be_chosen():
    offered = options()
    assert offered["regularizer"] == list(REGULARIZERS)
    assert offered["optimizer"] == [*OPTIMIZERS, "auto"]
    squared = [f"{name}_squared" for name in LOSSES]
    assert sorted(offered["loss"]) == sorted([*LOSSES, *squared, "cross_entropy"])
    json.dumps(offered, allow_nan=False)


@pytest.mark.parametrize("regularizer", CHOICES["regularizer"])
@pytest.mark.parametrize("loss", CHOICES["loss"])
def test_the_numbers_are_those_of_the_estimator(state, loss, regularizer):
    state |= {"loss": loss, "regularizer": regularizer}
    state["W"] = [[0.3, -0.9], [0.7, 0.1], [-0.5, 0.4]]  # inside of the bound on their norm
    shown = evaluate(state)
    assert shown["total"] == pytest.approx(value_at(state), rel=1e-14)
    assert shown["total"] == pytest.approx(shown["data"] + shown["penalty"], rel=1e-14)
    assert shown["data"] == pytest.approx(np.mean(shown["losses"]), rel=1e-14)
    scores = np.array(state["points"])[:, :2] @ np.transpose(state["W"]) + state["b"]
    assert shown["scores"] == pytest.approx(scores, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("regularizer", CHOICES["regularizer"])
@pytest.mark.parametrize("loss", CHOICES["loss"])
def test_the_gradient_is_the_slope_of_the_total(state, loss, regularizer):
    state |= {"loss": loss, "regularizer": regularizer}
    state["W"] = [[0.3, -0.9], [0.7, 0.1], [-0.5, 0.4]]
    gradient, h = evaluate(state)["gradient"], 1e-6
    for k, d in itertools.product(range(3), range(3)):
        row, slope = (state["W"][k], gradient["W"][k]) if d < 2 else (state["b"], gradient["b"])
        entry, at = d if d < 2 else k, row[d if d < 2 else k]
        row[entry] = at + h
        above = evaluate(state)["total"]
        row[entry] = at - h
        below = evaluate(state)["total"]
        row[entry] = at
        assert slope[entry] == pytest.approx((above - below) / (2 * h), rel=1e-5, abs=1e-8)


def test_the_lecture_s_numbers(state):
    """Scores of the worked example: W of zeros but for the scores that b gives."""
    zeros = [[0.0, 0.0]] * 3
    losses = []
    for label, b in enumerate([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]]):
        state |= {"points": [[0.1, 0.2, label]], "W": zeros, "b": b}
        losses += evaluate(state)["losses"]
    assert losses == pytest.approx([2.9, 0, 12.9], abs=1e-12)


CELLS = list(itertools.product(*(CHOICES[part] for part in ("loss", "regularizer", "optimizer"))))


def test_every_cell_steps_or_says_why_not(state):
    refused = 0
    state |= {"n_steps": 3, "step_size": 0.02}
    for loss, regularizer, optimizer in CELLS:
        state |= {"loss": loss, "regularizer": regularizer, "optimizer": optimizer}
        refusal = evaluate(state)["refusal"]
        if not refusal:
            steps = run(state)["steps"]
            assert 2 <= len(steps) <= 4, (loss, regularizer, optimizer)
            assert all(step["total"] is not None for step in steps)
            continue
        refused += 1
        assert refusal.startswith("optimizer ") and refusal.endswith(".")
        with pytest.raises(ValueError) as caught:
            run(state)
        assert str(caught.value) == refusal
    assert 0 < refused < len(CELLS)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_more_steps_go_on_where_fewer_ended(state, optimizer):
    state |= {"loss": "cross_entropy", "optimizer": optimizer, "n_steps": 4}
    few = run(state)["steps"]
    many = run(state | {"n_steps": 9})["steps"]
    assert many[: len(few)] == few
    assert few[0]["W"] == state["W"] and few[0]["b"] == state["b"]
    for step in many:
        assert step["total"] == pytest.approx(value_at(state | {k: step[k] for k in ("W", "b")}))


def test_a_step_is_the_slope_times_the_step_size(state):
    start, after = run(state | {"n_steps": 1})["steps"]
    gradient = evaluate(state)["gradient"]
    for part in ("W", "b"):
        change = np.subtract(after[part], start[part])
        assert change == pytest.approx(-0.1 * np.array(gradient[part]), rel=1e-12)


def test_the_bound_is_below_the_minimum(state):
    state |= {"optimizer": "newton", "n_steps": 200}
    answer = run(state)
    points = np.array(state["points"])
    model = LinearSVMClassifier(alpha=0.05, optimizer=LBFGS(), tol=1e-5)
    model.fit(points[:, :2], points[:, 2])
    last = answer["steps"][-1]
    assert answer["status"] == "converged"
    assert last["bound"] <= model.objective_
    assert model.objective_ - model.duality_gap_ <= last["total"]
    assert last["total"] - last["bound"] <= 1e-5 * last["total"]


def test_too_large_a_step_ends_in_a_sentence_and_finite_numbers(state):
    for loss in ("weston_watkins_squared", "weston_watkins", "cross_entropy"):
        answer = run(state | {"loss": loss, "step_size": 1e3, "alpha": 1e3, "n_steps": 2000})
        assert "Lower the step size" in answer["message"]
        json.dumps(answer, allow_nan=False)
        for step in answer["steps"]:
            evaluate(state | {"W": step["W"], "b": step["b"]})  # the page may show any of them


def test_outside_of_a_constraint_the_total_is_said_to_be_infinite(state):
    shown = evaluate(state | {"regularizer": "max_norm", "W": [[3.0, 4], [0, 0], [0, 0]]})
    assert shown["total"] is None and shown["penalty"] is None
    assert math.isfinite(shown["data"])


def test_a_run_ends_in_time(state, monkeypatch):
    monkeypatch.setattr(_model, "MAX_SECONDS", 0)
    answer = run(state | {"n_steps": 2000})
    assert len(answer["steps"]) == 1
    assert answer["message"] == "Stopped after 0 seconds of computing."


@pytest.mark.parametrize("points", [[[0, 0, 0]], [[1, 1, 2]] * 3, [[10, -10, 0], [0, 0, 1]]])
def test_few_and_equal_points_are_served(state, points):
    for loss, regularizer, optimizer in CELLS:
        state |= {"points": points, "loss": loss, "regularizer": regularizer, "n_steps": 2}
        state["optimizer"] = optimizer
        if not evaluate(state)["refusal"]:
            json.dumps(run(state), allow_nan=False)


@pytest.mark.parametrize(
    "change, field",
    [
        ({"points": []}, "points"),
        ({"points": [[0, 0, 0]] * 201}, "points"),
        ({"points": {}}, "points"),
        ({"points": [[0, 0, 0], [0, 0]]}, "points[1]"),
        ({"points": [[0, 0, 3]]}, "points[0][2]"),
        ({"points": [[0, 0, 1.0]]}, "points[0][2]"),
        ({"points": [[0, "1", 1]]}, "points[0][1]"),
        ({"points": [[11, 0, 1]]}, "points[0][0]"),
        ({"points": [[math.nan, 0, 1]]}, "points[0][0]"),
        ({"W": [[0, 0], [0, 0]]}, "W"),
        ({"W": [[0, 0], [0, True], [0, 0]]}, "W[1][1]"),
        ({"W": [[0, 0], [0, 0], [0, 0, 0]]}, "W[2]"),
        ({"W": None}, "W"),
        ({"b": [0, 0, math.inf]}, "b[2]"),
        ({"b": [0, 0, 10**400]}, "b[2]"),
        ({"loss": "hinge"}, "loss"),
        ({"loss": ["weston_watkins"]}, "loss"),
        ({"regularizer": "L2"}, "regularizer"),
        ({"optimizer": "Newton"}, "optimizer"),
        ({"alpha": -1}, "alpha"),
        ({"alpha": "1"}, "alpha"),
        ({"step_size": 0}, "step_size"),
        ({"seed": 0.5}, "seed"),
        ({"n_steps": 0}, "n_steps"),
        ({"n_steps": 10**9}, "n_steps"),
        ({"colour": "red"}, "'colour'"),
    ],
)
def test_bad_fields_are_named(state, change, field):
    for call in (evaluate, run):
        with pytest.raises((TypeError, ValueError)) as caught:
            call(state | change)
        assert str(caught.value).startswith(f"{field} ")
        assert len(str(caught.value)) < 600


def test_missing_fields_are_named(state):
    for field in list(state):
        less = {key: value for key, value in state.items() if key != field}
        with pytest.raises(ValueError, match=f"{field} is missing"):
            evaluate(less)
    with pytest.raises(TypeError, match="JSON object"):
        evaluate([state])
