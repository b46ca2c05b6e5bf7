r"""The matrices that cure bad conditioning.

For scores ``W x + b`` the second derivative of the mean loss is at most a matrix in the classes
times the second moments of the features (Boehning's bound, for the softmax). Taking the classes as
independent and the features exactly,

.. math:: H \approx I_K \otimes \begin{pmatrix} c\,\mathrm{Cov}(x) + r I & \\ & c \end{pmatrix}

in the coordinates ``(W, b + W mean)``, in which the intercept decouples from the weights. ``c`` is
the mean curvature of the loss for a class, ``r`` the curvature of ``alpha R``. One Cholesky factor
serves all classes, and every point: at zero weights the softmax's H is exactly this. That is
`Preconditioner`, and cheap.

At small alpha the samples' curvatures come to differ by orders of magnitude, and the moments that
count are those weighted by them: one matrix a class, the diagonal blocks of H itself. That is
`ClassPreconditioner`. It costs as much as a hundred passes or more, and pays where conjugate
gradients would take more than that; `ClassPreconditioner.price` is what the choice is made by.

Beyond `LARGEST_DENSE` features no matrix of features by features is made: a `Sketch` stands in for
it. Sparse samples go by the variances of the features alone.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg, sparse

from sklin._linalg import one_thread

# Number of eigenvectors in a sketch. On 12,000 x 10,000 rectified random projections of pixels, to
# 1e-3, a softmax took 673 passes without any at alpha 0.1 and 2,683 at 0.001, 45 and 161 with 256
# eigenvectors, 33 and 165 with 1,024, which took six times as long to make.
RANK = 512


class Solve:
    """Inverse of ``moments + ridge``, or of its diagonal; kept as a Cholesky factor.

    Parameters
    ----------
    moments : ndarray of shape (n_features, n_features) or (n_features,)
        The lower triangle of a matrix, or a diagonal.
    ridge : float
        What is added to the diagonal.
    eps : float
        Accuracy with which the moments are known.
    """

    def __init__(self, moments, ridge, eps):
        self.dense = moments.ndim == 2
        if not self.dense:
            diagonal = moments + ridge
            # A feature without variance and without penalty moves nothing: any positive will do.
            self.diagonal = np.maximum(diagonal, eps * max(diagonal.max(initial=0.0), 1e-300))
            return
        # In float64 where the penalty is small: at alpha = 1e-5 on pixels the condition number,
        # at most trace / ridge, is near float32's limit. Elsewhere float32 takes half the time and
        # memory, and errs by no more than the moments do already.
        largest, trace = moments.diagonal().max(initial=0.0), moments.trace(dtype=np.float64)
        single = moments.dtype == np.float32 and eps * trace <= 0.1 * ridge
        # Below, the moments have lost digits, and their inverses leave the range of float32.
        single = single and largest > 1e-30
        # Measured in it: that range is short, and products of features may be of any size.
        self.unit = float(largest) + ridge if single else 1.0
        lift = eps
        while True:
            # The factor takes the matrix's place; besides the moments there is no third.
            dtype = np.float32 if single else np.float64
            matrix = np.multiply(moments, 1 / self.unit, dtype=dtype, order="F")
            diagonal = matrix.ravel(order="K")[:: len(matrix) + 1]
            diagonal += ridge / self.unit
            # What is next to nothing must not give directions beyond the range of float32.
            np.maximum(diagonal, max(eps**2 * diagonal.max(initial=0.0), 1e-30), out=diagonal)
            # Rounding in X' X can leave it slightly indefinite; any lift that succeeds serves,
            # since the preconditioner shapes the path and not the minimum. It is relative, for one
            # feature may be a million times as large as another.
            diagonal *= 1 + lift
            try:
                self.factor, _ = linalg.cho_factor(
                    matrix, lower=True, overwrite_a=True, check_finite=False
                )
                return
            except linalg.LinAlgError:
                lift *= 10

    def __call__(self, rows):
        """The inverse times each row of an array (n, n_features)."""
        if not self.dense:
            return rows / self.diagonal
        if rows.size == 0:  # no weight of a class is in use; scipy 1.11 has no solution for that
            return rows
        # scipy and numpy may bring a BLAS each, whose waiting threads spin: with both at work in
        # turns, products of numpy's took 22 ms that by themselves take 8 (two cores).
        with one_thread:
            # LAPACK's own names: scipy's cho_solve takes 30 microseconds more to call them, and
            # there may be thousands of classes.
            if self.factor.dtype == np.float64:
                return linalg.lapack.dpotrs(self.factor, rows.T, lower=1)[0].T
            size = float(np.abs(rows).max()) or 1.0
            solution = linalg.lapack.spotrs(self.factor, rows.T / size, lower=1)[0].T
            return solution.astype(np.float64) * (size / self.unit)


class Sketch:
    r"""Second moments of very many features: their leading eigenvectors, and a level for the rest.

    With S the standard deviations of the features,

    .. math:: \mathrm{Cov}(x) \approx S (U (\Lambda - \tau) U' + \tau I) S,

    where U and Lambda are taken from one product of the covariance with random vectors (Nystroem's
    approximation) and tau is the smallest of Lambda. It takes the time of some twenty passes, holds
    ``n_features x RANK`` numbers, and serves every objective on the samples.

    Parameters
    ----------
    samples : Samples
        The samples.

    References
    ----------
    Z. Frangella, J. Tropp and M. Udell, "Randomized Nystroem preconditioning", SIAM Journal on
    Matrix Analysis and Applications 44, 2023.
    """

    def __init__(self, samples):
        dtype = samples.X.dtype
        largest = samples.variances.max()
        self.variances = np.maximum(samples.variances, np.finfo(dtype).eps * largest or 1.0)
        scale = np.sqrt(self.variances)[:, None]
        rng = np.random.RandomState(0)
        basis = np.linalg.qr(rng.standard_normal((len(scale), min(RANK, len(scale)))))[0]
        image = samples.covariance_times((basis / scale).astype(dtype)) / scale
        # The small shift keeps what rounding makes negative out of the roots.
        shift = np.finfo(dtype).eps * np.linalg.norm(image) or 1e-30
        image += shift * basis
        values, vectors = np.linalg.eigh(basis.T @ image)
        image = image @ (vectors / np.sqrt(np.maximum(values, shift)))
        values, vectors = np.linalg.eigh(image.T @ image)
        values = np.maximum(values, shift)
        # The mean of the eigenvalues that are left out, which the variances tell, took a seventh
        # more passes on squared hinges.
        self.level = values[0]
        image *= scale
        self.factors = image @ (vectors * np.sqrt(1 - self.level / values))


class SketchSolve:
    """Inverse of the moments of a `Sketch` plus a ridge, by Woodbury's identity."""

    def __init__(self, sketch, ridge):
        self.diagonal = sketch.level * sketch.variances + ridge
        self.factors = sketch.factors
        inner = (self.factors.T / self.diagonal) @ self.factors
        inner[np.diag_indices_from(inner)] += 1
        self.core = linalg.cho_factor(inner, lower=True, check_finite=False)

    def __call__(self, rows):
        """The inverse times each row of an array (n, n_features)."""
        rows = rows / self.diagonal
        inner = linalg.cho_solve(self.core, (rows @ self.factors).T, check_finite=False)
        return rows - (self.factors @ inner).T / self.diagonal


class Preconditioner:
    """Approximate inverse of the objective's second derivative, one matrix for all classes.

    Parameters
    ----------
    objective : Objective
        The objective; its samples' covariance is computed once and kept with them.
    curvature : float
        Mean curvature c of the loss, for a class.
    slack : float, default=1
        How many times as large the penalty's share may be in a factor that was made for an earlier
        objective on these samples, to be used instead. Along a path of ten alphas each third or so
        of the last, four saved half of the factors and changed the iterations by one in fifty;
        twelve took a fifteenth more.
    """

    def __init__(self, objective, curvature, slack=1.0):
        self.samples = samples = objective.samples
        self.curvature = curvature
        share = objective.alpha * mean_curvature_of(objective) / curvature
        kept, _ = samples.kept.get("solve", (np.inf, None))
        if not share <= kept <= slack * share:
            samples.kept.pop("solve", None)  # there is not to be a third matrix beside the new one
            samples.kept["solve"] = share, solve_for(samples, share)
        self.solve = samples.kept["solve"][1]

    def __call__(self, gradient):
        """Multiply the approximate inverse with a gradient, of the shape of the parameters."""
        samples = self.samples
        if not samples.fit_intercept:
            return self.solve(gradient / self.curvature)
        direction = np.empty_like(gradient)
        gradient = gradient / self.curvature
        coef = self.solve(gradient[:, :-1] - np.outer(gradient[:, -1], samples.mean))
        direction[:, :-1] = coef
        direction[:, -1] = gradient[:, -1] - coef @ samples.mean
        return direction


def solve_for(samples, ridge):
    """Inverse of the samples' covariance plus a ridge; of as much of it as can be afforded."""
    if samples.is_dense or sparse.issparse(samples.X):
        moments = samples.covariance if samples.is_dense else samples.variances
        return Solve(moments, ridge, np.finfo(samples.X.dtype).eps)
    if "sketch" not in samples.kept:
        samples.kept["sketch"] = Sketch(samples)
    return SketchSolve(samples.kept["sketch"], ridge)


class ClassPreconditioner:
    """Inverse of the diagonal blocks of the second derivative at a point, one for each class.

    Parameters
    ----------
    point : Evaluation
        Where the second derivative is taken.
    """

    def __init__(self, point):
        objective = point.objective
        self.samples = samples = objective.samples
        self.centres = objective.loss.shift_invariant
        weight = objective.loss.hessian_diagonal(point.scores, samples.y).astype(np.float64)
        weight *= samples.weight[:, None]
        self.ridge = ridge = objective.alpha * mean_curvature_of(objective, point.params)
        self.curvature = of_each_class(weight)
        self.mean = (samples.X.T @ weight.astype(samples.X.dtype)).T / self.curvature[:, None]
        squares = None if samples.is_dense else samples.squares
        self.solves = []
        for k in range(objective.shape[0]):
            if squares is None:
                moments = samples.moments(weight[:, k]).astype(np.float64)
                if samples.fit_intercept:
                    moments -= self.curvature[k] * np.outer(self.mean[k], self.mean[k])
            else:
                moments = np.asarray(squares.T @ weight[:, k].astype(squares.dtype), dtype=float)
                if samples.fit_intercept:
                    moments = np.maximum(moments - self.curvature[k] * self.mean[k] ** 2, 0)
            self.solves.append(Solve(moments, ridge, np.finfo(samples.X.dtype).eps))

    @staticmethod
    def price(samples):
        """What it costs, in passes over the data; inf where it would outgrow the data in memory.

        A product of all samples with ten vectors runs at a quarter of the rate at which the
        weighted moments are summed up (50 against 200 thousand millions a second, measured on
        50,000 x 3,072 float32), and only half of a symmetric matrix is computed.
        """
        if not samples.is_dense:
            return 4.0 if sparse.issparse(samples.X) else np.inf
        n_samples, n_features = samples.X.shape
        if 8 * samples.n_classes * n_features**2 > max(samples.X.nbytes, 2**26):
            return np.inf
        return 4.0 + n_features / 8 + n_features**2 / (6 * n_samples)

    def __call__(self, gradient):
        """Multiply the approximate inverse with a gradient, of the shape of the parameters."""
        # Once for all classes: to set the BLAS's threads takes 0.1 ms.
        with one_thread:
            return self._product(gradient)

    def _product(self, gradient):
        common = gradient.mean(axis=0)
        if self.centres:
            gradient = gradient - common
        direction = np.empty_like(gradient)
        if self.samples.fit_intercept:
            rest = gradient[:, :-1] - gradient[:, -1:] * self.mean
            for k, solve in enumerate(self.solves):
                direction[k, :-1] = solve(rest[k : k + 1])[0]
            direction[:, -1] = gradient[:, -1] / self.curvature
            direction[:, -1] -= np.einsum("kd,kd->k", direction[:, :-1], self.mean)
        else:
            for k, solve in enumerate(self.solves):
                direction[k] = solve(gradient[k : k + 1])[0]
        if self.centres:
            # What all classes have in common moves no differences: the penalty alone bends it.
            direction -= direction.mean(axis=0)
            if self.ridge > 0:
                coef = self.samples.coef(direction)
                coef += self.samples.coef(common[None]) / self.ridge
        return direction


def of_each_class(weight):
    """Sums of the second derivatives by the score of each class, none of them next to nothing.

    A class that no sample is near has no curvature here, and has elsewhere.
    """
    total = weight.sum(axis=0)
    return np.maximum(total, max(1e-3 * total.mean(), 1e-30))


def mean_curvature_of(objective, params=None):
    """Curvature of R in all directions; if they differ, its mean at a point, zero by default."""
    regularizer = objective.regularizer
    if regularizer.isotropic or not regularizer.smooth:
        return regularizer.curvature
    # Signs drawn at random give the trace up to its off-diagonal part (Hutchinson 1990).
    coef = objective.samples.coef(np.zeros(objective.shape) if params is None else params)
    signs = np.random.RandomState(0).choice([-1.0, 1.0], size=coef.shape)
    trace = float((signs * regularizer.hessian_product(coef, signs)).sum())
    return max(trace / max(coef.size, 1), regularizer.curvature)
