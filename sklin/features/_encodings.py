"""Codes of descriptors: how much a whitened patch says each visual word.

An encoder is made from the words and turns descriptors z of shape (n, m, r + 1), m of each of n
images, into codes. Descriptors end in a 1, so that the affine maps of the words are matrix
products. Every encoder has

- `codes(z)`, (n, m, width): the codes one by one;
- `sums(z)`, (n, raw_width): their sums over the m descriptors, which add up over tiles;
- `finish(sums)`, (..., width): features of such sums, a linear map and mostly the identity.
"""

import numpy as np
from scipy.sparse import csr_array


class Encoder:
    """Base of the encoders.

    Parameters
    ----------
    codebook : Codebook
        The words.
    dtype : dtype
        float32 or float64, of the descriptors and the codes.
    """

    # Whether the maximum of single codes makes sense.
    has_codes = True

    def __init__(self, codebook, dtype):
        self.words = codebook.words.astype(dtype)
        self.dtype = self.words.dtype
        self.width = self.raw_width = len(self.words)
        self.likeness = _likeness(codebook.words).astype(dtype)
        self._memory = np.empty(0, dtype)

    def codes(self, z):
        """The codes, (n, m, width). They are overwritten by the next call of any method."""
        raise NotImplementedError

    def sums(self, z):
        """The sums of the codes over m, (n, raw_width)."""
        return _sum(self.codes(z))

    def finish(self, sums):
        """Features (..., width) of sums (..., raw_width)."""
        return sums

    def _product(self, z, matrix):
        """z @ matrix as one product; numpy would take the images one by one.

        Into the same memory each time: fresh pages cost a quarter of the whole, and two threads
        that ask for them wait for each other.
        """
        n, m, r = z.shape
        size = n * m * matrix.shape[1]
        if len(self._memory) < size:
            self._memory = np.empty(size, self.dtype)
        out = self._memory[:size].reshape(n * m, -1)
        return np.matmul(z.reshape(-1, r), matrix, out=out).reshape(n, m, -1)


class Hard(Encoder):
    """1 for the nearest word, 0 for all others."""

    def _nearest(self, z):
        return self._product(z, self.likeness).argmax(axis=2)

    def codes(self, z):
        """One 1 in each row."""
        codes = np.zeros((*z.shape[:2], self.width), self.dtype)
        np.put_along_axis(codes, self._nearest(z)[..., np.newaxis], 1, axis=2)
        return codes

    def sums(self, z):
        """How often each word is the nearest one."""
        n = len(z)
        index = self._nearest(z)
        index += self.width * np.arange(n)[:, np.newaxis]
        return np.bincount(index.ravel(), minlength=n * self.width).reshape(n, self.width)


class Soft(Encoder):
    """The posterior of a mixture of equal round Gaussians around the words."""

    def __init__(self, codebook, dtype):
        super().__init__(codebook, dtype)
        # (|z|^2 - d^2) / 2 to -d^2 / (2 b), up to what is the same for all words.
        self.likeness /= codebook.bandwidth

    def codes(self, z):
        """Positive numbers that sum to 1 for each patch."""
        return _softmax(self._product(z, self.likeness))


class Tri2(Encoder):
    """The affine triangle: max(0, mean_j d_j^2 - d_k^2)."""

    def __init__(self, codebook, dtype):
        super().__init__(codebook, dtype)
        # Less the mean over the words, likeness is half of mean_j d_j^2 - d_k^2.
        self.contrast = self.likeness - self.likeness.mean(axis=1, keepdims=True)

    def codes(self, z):
        """The positive parts of an affine map."""
        halves = self._product(z, self.contrast)
        halves *= 2
        return np.maximum(halves, 0, out=halves)

    def sums(self, z):
        """Their sums, from the absolute values."""
        halves = self._product(z, self.contrast)
        return 2 * _sum_of_positive_parts(halves, _sum(z) @ self.contrast)


class Triangle(Encoder):
    """max(0, mean_j d_j - d_k)."""

    def _scores(self, z):
        distances = self._product(z, self.likeness)
        distances *= -2
        distances += np.einsum("nmr,nmr->nm", z[..., :-1], z[..., :-1])[..., np.newaxis]
        np.sqrt(np.maximum(distances, 0, out=distances), out=distances)
        average = np.full((self.width, 1), 1 / self.width, self.dtype)
        return np.subtract(distances @ average, distances, out=distances)

    def codes(self, z):
        """The positive parts of the mean distance less the distances."""
        scores = self._scores(z)
        return np.maximum(scores, 0, out=scores)

    def sums(self, z):
        """Their sums, from the absolute values."""
        scores = self._scores(z)
        return _sum_of_positive_parts(scores, _sum(scores))


class Nearest(Encoder):
    """1 for the k nearest words, and for those no farther than the k-th; 0 for all others."""

    def __init__(self, codebook, dtype):
        super().__init__(codebook, dtype)
        self.k = codebook.n_neighbors

    def codes(self, z):
        """k ones in each row, or more where distances tie."""
        likeness = self._product(z, self.likeness)
        if self.k == self.width:
            return np.ones_like(likeness)
        # Partition, since numpy does it with SIMD instructions: 2.4 ms an image of 729 patches at
        # K = 1,600, where sorting takes 3.4 (numpy 1.26 has them not, and takes 15 and 9).
        kth = np.partition(likeness, self.width - self.k, axis=2)[..., self.width - self.k]
        return np.greater_equal(likeness, kth[..., np.newaxis], out=likeness)


class VLAD(Encoder):
    """Differences to the nearest word: sum of z - c_k over the patches nearest to word k."""

    has_codes = False

    def __init__(self, codebook, dtype):
        super().__init__(codebook, dtype)
        n_words, r = self.words.shape
        self.width, self.raw_width = n_words * r, n_words * (r + 1)

    def sums(self, z):
        """For each word the sum of its patches and, last, how many they are."""
        n, m, columns = z.shape
        nearest = self._product(z, self.likeness).argmax(axis=2)
        n_words = len(self.words)
        nearest += n_words * np.arange(n)[:, np.newaxis]
        # A sparse product: the dense one has n_words times as many multiplications.
        one_hot = csr_array(
            (np.ones(n * m, self.dtype), nearest.ravel(), np.arange(n * m + 1)),
            shape=(n * m, n * n_words),
        )
        return (one_hot.T @ z.reshape(-1, columns)).reshape(n, -1)

    def finish(self, sums):
        """The sums of patches less as often the word."""
        sums = sums.reshape(*sums.shape[:-1], *np.add(self.words.shape, (0, 1)))
        differences = sums[..., :-1] - sums[..., -1:] * self.words
        return differences.reshape(*sums.shape[:-2], -1)


class Fisher(Encoder):
    """The slope of the log-likelihood of a Gaussian mixture, in its means and deviations."""

    has_codes = False

    def __init__(self, codebook, dtype):
        means, variances, weights = codebook.words, codebook.variances, codebook.weights
        self.dtype, self._memory = np.dtype(dtype), np.empty(0, dtype)
        n_words, r = means.shape
        self.n_words = n_words
        self.width, self.raw_width = 2 * n_words * r, n_words * (2 * r + 1)
        # log(w_k N(z; mu_k, sigma_k^2)), up to what all k have in common, is linear in (z, 1, z^2).
        constant = np.log(weights) - 0.5 * (np.log(variances) + means**2 / variances).sum(axis=1)
        self.log_likelihood = np.vstack(
            [(means / variances).T, constant, -0.5 / variances.T]
        ).astype(dtype)
        self.means, self.deviations = means.astype(dtype), np.sqrt(variances).astype(dtype)
        self.root_weights = np.sqrt(weights).astype(dtype)[:, np.newaxis]

    def sums(self, z):
        """For each Gaussian the posteriors' sums, weighting z, 1 and z^2."""
        extended = np.concatenate([z, z[..., :-1] ** 2], axis=2)
        posterior = _softmax(self._product(extended, self.log_likelihood))
        return (posterior.transpose(0, 2, 1) @ extended).reshape(len(z), -1)

    def finish(self, sums):
        """All slopes in the means, then all in the deviations, in the Fisher metric."""
        r = self.means.shape[1]
        sums = sums.reshape(*sums.shape[:-1], self.n_words, 2 * r + 1)
        first, zeroth, second = sums[..., :r], sums[..., r : r + 1], sums[..., r + 1 :]
        in_means = (first - self.means * zeroth) / (self.deviations * self.root_weights)
        # sum of ((z - mu)^2 / sigma^2 - 1)
        squares = second - 2 * self.means * first + (self.means**2 - self.deviations**2) * zeroth
        in_deviations = squares / (self.deviations**2 * np.sqrt(2) * self.root_weights)
        return np.concatenate(
            [a.reshape(*sums.shape[:-2], -1) for a in (in_means, in_deviations)], axis=-1
        )


ENCODERS = {
    "tri2": Tri2,
    "triangle": Triangle,
    "hard": Hard,
    "soft": Soft,
    "nearest": Nearest,
    "vlad": VLAD,
    "fisher": Fisher,
}


def _likeness(words):
    """The matrix (r + 1, K) that takes (z, 1) to z . c_k - |c_k|^2 / 2 = (|z|^2 - d_k^2) / 2."""
    return np.vstack([words.T, -0.5 * np.einsum("kr,kr->k", words, words)])


def _sum(values):
    """Sum over the patches (axis 1), as a matrix product: twice as fast as values.sum(axis=1)."""
    return np.ones(values.shape[1], values.dtype) @ values


def _softmax(scores):
    """Softmax over the last axis; overwrites the scores."""
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    return scores


def _sum_of_positive_parts(scores, sums):
    """Sum of max(0, s) over the patches, given the `sums` of s; overwrites the scores.

    max(0, s) = (s + |s|) / 2, and |s| in place takes numpy a third of the time of maximum(s, 0),
    which with an ordinary sum takes 40% of the time of the product before it.
    """
    absolute = _sum(np.abs(scores, out=scores))
    sums = (sums + absolute) / 2
    # What should be 0 comes out as up to 8 units of rounding. It has to be 0: scaled to variance
    # one, a word that never occurs would be noise.
    sums[sums < 16 * np.finfo(sums.dtype).eps * absolute] = 0
    return sums
