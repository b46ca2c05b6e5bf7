"""What goes on beside a fit: accuracy on held-out samples, and scikit-learn's callbacks."""

from __future__ import annotations

import numpy as np

from sklin._compat import callback_context


class Watch:
    """A callback for `sklin.optimizers.Optimizer.minimize` that watches for a classifier.

    Parameters
    ----------
    estimator : LinearClassifier
        The classifier being fitted.
    classes : ndarray of shape (n_classes,)
        Its labels.
    samples : tuple
        What it is fitted to, ``(X, y, sample_weight)``, y as indices.
    held_out : tuple or None
        What its accuracy is measured on, likewise; None to measure none.
    """

    def __init__(self, estimator, classes, samples, held_out):
        self.estimator = estimator
        self.classes = classes
        self.held_out = held_out
        self.accuracies = []
        self.best, self.best_params, self.idle = -np.inf, None, 0
        self.context = callback_context(estimator, estimator.max_iter)
        self.task = None
        if self.context is not None:
            X, y, weight = samples
            self.data = {
                "X": X,
                "y": classes[y],
                "metadata": None if weight is None else {"sample_weight": weight},
            }
            self.context.call_on_fit_task_begin(estimator=estimator, **self.data)

    @property
    def is_needed(self):
        """Whether there is anything to watch."""
        return self.context is not None or self.held_out is not None

    def __call__(self, n_iter, step):
        """Take an iteration in; a sentence if the fit is to stop, else an empty string."""
        asked = self._end_task(step.params) if n_iter else False
        settled = self.held_out is not None and self._has_settled(step.params)
        if self.context is not None and n_iter < self.estimator.max_iter:
            self.task = self.context.subcontext(task_name="iteration")
            self.task.call_on_fit_task_begin(
                estimator=self.estimator, **self.data, **self._model(step.params)
            )
        if asked:
            return "A callback asked to stop."
        if settled:
            return f"Stopped early: the held-out accuracy has not risen for {self.idle} iterations."
        return ""

    def close(self):
        """End what was begun: the iteration that did not come, and the fit."""
        if self.task is not None:
            self.task.call_on_fit_task_end(estimator=self.estimator)
        if self.context is not None:
            self.context.call_on_fit_task_end(
                estimator=self.estimator, **self.data, reconstruction_attributes={}
            )

    def _end_task(self, params):
        if self.task is None:
            return False
        task, self.task = self.task, None
        return task.call_on_fit_task_end(
            estimator=self.estimator, **self.data, **self._model(params)
        )

    def _model(self, params):
        """What a callback needs to predict with the parameters, made only if it asks."""

        def attributes():
            coef, intercept = self.estimator._published(params)
            return {"classes_": self.classes, "coef_": coef, "intercept_": intercept}

        return {"reconstruction_attributes": attributes}

    def _has_settled(self, params):
        """Measure the held-out accuracy; whether it has not risen for too long."""
        X, y, weight = self.held_out
        coef, intercept = self.estimator._published(params)
        scores = X @ coef.T + intercept
        index = (scores[:, 0] > 0) if scores.shape[1] == 1 else scores.argmax(axis=1)
        weight = weight if weight is not None and weight.any() else None
        accuracy = float(np.average(index == y, weights=weight))
        self.accuracies.append(accuracy)
        if accuracy > self.best + self.estimator.tol:
            self.idle = 0
        else:
            self.idle += 1
        if accuracy > self.best:
            self.best, self.best_params = accuracy, np.array(params)
        return self.idle >= self.estimator.n_iter_no_change


class Task:
    """A part of a fit of many fits, for scikit-learn's callbacks; nothing where there are none.

    Parameters
    ----------
    estimator : LambdaPath
        The estimator being fitted.
    context : CallbackContext or None
        The context of the part.
    **data : dict
        What the callbacks are told of it, beside the estimator.
    """

    def __init__(self, estimator, context, **data):
        self.estimator = estimator
        self.context = context
        self.data = data

    def part(self, name, n_parts=0):
        """A part of the part, itself of so many parts."""
        context = self.context
        if context is not None:
            context = context.subcontext(task_name=name, max_subtasks=n_parts)
        return Task(self.estimator, context)

    def __enter__(self):
        if self.context is not None:
            self.context.call_on_fit_task_begin(estimator=self.estimator, **self.data)
        return self

    def __exit__(self, error, *rest):
        if self.context is not None:
            # An estimator with its data is whole, unless something went wrong.
            whole = {"reconstruction_attributes": {}} if self.data and error is None else {}
            self.context.call_on_fit_task_end(estimator=self.estimator, **self.data, **whole)
