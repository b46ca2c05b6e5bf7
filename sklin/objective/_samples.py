"""The data: weighted samples, and the sums over them that optimizers ask for."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.linalg import blas

# Beyond, a matrix of features by features, and the time to make and to factor it, outgrows what
# it saves.
LARGEST_DENSE = 8192


class Samples:
    """Weighted samples, and the sums over them that optimizers ask for.

    They know neither loss nor regularizer, so objectives that differ only in those (a path of
    alphas, a loss with its kinks rounded) share one `Samples` and what it has computed.

    Parameters
    ----------
    X : ndarray or CSR array of shape (n_samples, n_features), float32 or float64
        The samples. Never copied.
    y : ndarray of int, shape (n_samples,)
        Index of each sample's class.
    n_classes : int
        Number of classes.
    sample_weight : ndarray of shape (n_samples,), optional
        Weights; only their ratios matter. A weight of two is the sample given twice.
    fit_intercept : bool
        Whether the parameters hold an intercept.

    Attributes
    ----------
    weight : ndarray of shape (n_samples,)
        The weights, divided by their sum.
    n_passes : int
        Products of all the data with n_classes vectors so far; a forward product and a gradient
        are one each.
    kept : dict
        What optimizers have computed of the samples, and may use again for another objective.
    """

    n_passes = 0

    def __init__(self, X, y, n_classes, *, sample_weight=None, fit_intercept=True):
        self.X = X
        self.y = y
        self.n_classes = n_classes
        self.fit_intercept = fit_intercept
        self.kept = {}
        if sample_weight is None:
            self.weight = np.full(X.shape[0], 1.0 / X.shape[0])
        else:
            self.weight = sample_weight / np.sum(sample_weight, dtype=np.float64)

    @property
    def shape(self):
        """Shape of the parameters."""
        return self.n_classes, self.X.shape[1] + self.fit_intercept

    def coef(self, params):
        """View of the coefficients (n_classes, n_features) in parameters."""
        return params[:, :-1] if self.fit_intercept else params

    def rows(self, index):
        """The samples of an index array, of weights in the same ratios."""
        return Samples(
            self.X[index],
            self.y[index],
            self.n_classes,
            sample_weight=self.weight[index],
            fit_intercept=self.fit_intercept,
        )

    @cached_property
    def in_span(self):
        """The samples in coordinates of their span: `SpanSamples`."""
        from sklin.objective._span import SpanSamples  # which is made of this class

        return SpanSamples(self)

    @cached_property
    def is_even(self):
        """Whether no feature is so large that products of samples lose the digits of the others."""
        variances = self.variances[self.variances > 0]
        return len(variances) > 0 and variances.max() <= 1e8 * np.median(variances)

    @property
    def is_dense(self):
        """Whether matrices of n_features x n_features are made of the samples."""
        return not sparse.issparse(self.X) and self.X.shape[1] <= LARGEST_DENSE

    def scores(self, params):
        """Scores ``X W' + b`` of shape (n_samples, n_classes), one pass."""
        self.n_passes += 1
        params = params.astype(self.X.dtype, copy=False)
        # Whole products, and in this order: on 10,000 x 3,072 float32 they took 32 ms, the same as
        # (W X')' 56; on 50,000 row blocks took .14-.17 s against .12.
        scores = np.asfortranarray(self.X @ np.ascontiguousarray(self.coef(params).T))
        if self.fit_intercept:
            scores += params[:, -1]
        return scores

    def weighted_sum(self, dual):
        """``sum_i w_i dual_i (x_i, 1)``, of the shape of the parameters, one pass.

        For ``dual`` the gradients in the scores it is the gradient in the parameters.
        """
        self.n_passes += 1
        dual = dual * self.weight.astype(dual.dtype)[:, None]
        total = np.empty((dual.shape[1], self.shape[1]))
        # On 20,000 x 836 float32 and ten classes 8 ms, X' dual 11; scipy's sparse arrays know one.
        coef = (self.X.T @ dual).T if sparse.issparse(self.X) else dual.T @ self.X
        self.coef(total)[...] = coef
        if self.fit_intercept:
            total[:, -1] = dual.sum(axis=0, dtype=np.float64)
        return total

    @cached_property
    def priors(self):
        """Share of each class in the weights, (n_classes,)."""
        return np.bincount(self.y, self.weight, minlength=self.n_classes)

    @cached_property
    def class_sums(self):
        """``sum_i w_i (x_i, 1)`` over each class's samples, of the shape of the parameters."""
        own = np.zeros((len(self.y), self.n_classes), dtype=self.X.dtype, order="F")
        own[np.arange(len(self.y)), self.y] = 1
        return self.weighted_sum(own)

    @cached_property
    def mean(self):
        """Weighted mean of the samples, float64 (n_features,)."""
        return self.coef(self.class_sums).sum(axis=0)

    @cached_property
    def covariance(self):
        """Weighted ``X' X``, less the outer product of the means if there is an intercept.

        Dense X only; shape (n_features, n_features), dtype of X, the lower triangle filled.
        """
        # Of all rows: from 8,192 or 3 n_features of 20,000, the diagonal lifted to the exact one, a
        # softmax took 10% less time at best (3,072 pixels) and up to three times as long where
        # features are rare (836 of HoG and colour: 1,165 passes to a gap of 1e-3 where all rows
        # took 335).
        total = self.moments(self.weight)
        if self.fit_intercept:
            syr = blas.ssyr if total.dtype == np.float32 else blas.dsyr
            total = syr(-1.0, self.mean, lower=1, a=total, overwrite_a=1)
        return total

    def moments(self, weight, columns=None):
        """``sum_i weight_i x_i x_i'`` for weights that are not negative, dense X only.

        Parameters
        ----------
        weight : ndarray of shape (n_samples,)
            The weights. Samples of weight zero cost nothing.
        columns : ndarray of int, optional
            The features of which; all by default.

        Returns
        -------
        ndarray of shape (n_features, n_features)
            The lower triangle, in Fortran order and the dtype of X.
        """
        X, n_features = self.X, self.X.shape[1] if columns is None else len(columns)
        syrk = blas.ssyrk if X.dtype == np.float32 else blas.dsyrk
        total = np.zeros((n_features, n_features), dtype=X.dtype, order="F")
        used = np.flatnonzero(weight)
        if total.size == 0 or len(used) == 0:
            return total
        # Equal weights need no scaled copy of the rows; others are scaled block by block.
        equal = columns is None and X.flags.c_contiguous and weight.min() == weight.max()
        step = len(used) if equal else max(1, 2**22 // n_features)
        for start in range(0, len(used), step):
            if equal:
                block, scale = X, weight[0]
            else:
                index = used[start : start + step]
                block = X[index] if columns is None else X[np.ix_(index, columns)]
                block *= np.sqrt(weight[index]).astype(X.dtype)[:, None]
                scale = 1.0
            block = np.ascontiguousarray(block)
            total = syrk(scale, block.T, beta=1.0, c=total, lower=1, overwrite_c=1)
        return total

    def covariance_times(self, basis):
        """Product of the `covariance`, which need not be made, with the columns of ``basis``.

        Parameters
        ----------
        basis : ndarray of shape (n_features, n_columns)
            The columns, best of the dtype of X.

        Returns
        -------
        ndarray of shape (n_features, n_columns)
            The product, float64; by blocks of rows.
        """
        total = np.zeros(basis.shape)
        shift = self.mean if self.fit_intercept else np.zeros(len(basis))
        shift = (shift @ basis).astype(basis.dtype)
        for start in range(0, len(self.y), step := max(1, 2**22 // basis.shape[1])):
            rows = slice(start, start + step)
            block = self.X[rows]
            scores = (block @ basis - shift) * self.weight[rows, None].astype(basis.dtype)
            total += block.T @ scores
            if self.fit_intercept:
                total -= np.outer(self.mean, scores.sum(axis=0))
        return total

    @cached_property
    def variances(self):
        """The diagonal of `covariance`, float64 (n_features,); for sparse X too."""
        weight = self.weight.astype(self.X.dtype)
        if sparse.issparse(self.X):
            second = self.squares.T @ weight
        else:
            second = np.einsum("ij,ij,i->j", self.X, self.X, weight, optimize=False)
        second = np.asarray(second, dtype=np.float64).ravel()
        return np.maximum(second - self.mean**2, 0) if self.fit_intercept else second

    @property
    def squares(self):
        """The squares of the entries of X, dense or sparse as it is."""
        if not sparse.issparse(self.X):
            return np.square(self.X)
        # `power` sums up duplicate entries in place, and X is the caller's.
        X = self.X if self.X.has_canonical_format else self.X.copy()
        return X.power(2)

    @cached_property
    def largest_moment(self):
        """Largest eigenvalue of the weighted second moments of ``(x, 1)``, by subspace iteration.

        An estimate from below, mostly within some per cent; twenty passes.
        """
        rng = np.random.RandomState(0)
        basis = rng.standard_normal(self.shape)
        for _ in range(10):
            basis = np.linalg.qr(basis.T)[0].T
            moments = self.weighted_sum(self.scores(basis))
            basis = moments
        return float(np.linalg.norm(moments, 2))
