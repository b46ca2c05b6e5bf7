"""Gradients of pixels and the votes that they cast for directions, a strip of pixels at a time.

A strip is small enough that all its scratch memory stays in a core's cache, and the memory is used
again for the next one: fresh arrays cost a page fault every kilobyte. The pixels of a strip lie in
planes (n, rows + 2, w) with the rows above and below, so that every difference of neighbours is one
of two long flat arrays; rows of 32 pixels one by one take three times as long. What the extra rows
vote for is left out by whoever adds up.
"""

from functools import lru_cache

import numpy as np

# A vote for bytes is one int32: squared magnitude, tie breaker of the channel, bin.
BIN_BITS = 12
TIE_BITS = 2
MAX_ORIENTATIONS = 2**BIN_BITS

# Differences of bytes go from -255 to 255; rows of a table are a power of two apart.
ROW_BITS = 9


class Votes:
    """Scratch memory and results for the votes of strips of n images, `rows` rows, w columns.

    Parameters
    ----------
    shape : tuple (n, rows, w)
        Size of a strip.
    dtype : dtype
        float32 for bytes, else the dtype of the images.
    orientations : int
        Number of direction bins.
    signed : bool
        Whether the bins share the full circle, instead of the half circle.

    Attributes
    ----------
    bins : ndarray of shape (n * (rows + 2) * w, votes a pixel), int32
        For which directions the pixels vote, extra rows included.
    magnitudes : ndarray of the same shape, of `dtype`
        With what weight.
    """

    votes_per_pixel = 1

    def __init__(self, shape, dtype, orientations, signed):
        n, rows, w = shape
        self.shape = n, rows + 2, w
        self.orientations, self.signed = orientations, signed
        size = n * (rows + 2) * w
        self.bins = np.zeros((size, self.votes_per_pixel), np.int32)
        self.magnitudes = np.zeros((size, self.votes_per_pixel), dtype)

    def cast(self, images, top, bottom):
        """Fill `bins` and `magnitudes` with the votes of the rows from `top` to `bottom`."""
        raise NotImplementedError

    def _fill(self, plane, images, top, bottom, channel):
        """Copy one channel of rows, and those above and below, which mirror at the border."""
        h = images.shape[1]
        plane[:, 1:-1] = images[:, top:bottom, :, channel]
        # Where a row has but one neighbour its difference is zero, as scikit-image has it: above
        # the first row stands what is below it.
        plane[:, 0] = images[:, top - 1 if top else min(1, h - 1), :, channel]
        plane[:, -1] = images[:, bottom if bottom < h else max(h - 2, 0), :, channel]

    def _differences(self, plane, gy, gx):
        """Flat differences of the neighbours above and below, left and right."""
        w = self.shape[2]
        flat = plane.ravel()
        gy[:w] = gy[-w:] = 0
        np.subtract(flat[2 * w :], flat[: -2 * w], out=gy[w:-w])
        np.subtract(flat[2:], flat[:-2], out=gx[1:-1])
        columns = gx.reshape(self.shape)
        columns[:, :, 0] = 0
        columns[:, :, -1] = 0


class VotesOfBytes(Votes):
    """Votes of byte images, by a table: no arctan2, no square and no comparison of angles."""

    def __init__(self, shape, dtype, orientations, signed):
        super().__init__(shape, dtype, orientations, signed)
        size = len(self.bins)
        self.plane = np.empty(self.shape, np.int32)
        self.gy, self.gx, self.other = np.zeros((3, size), np.int32)
        self.index = np.zeros(size, np.intp)

    def cast(self, images, top, bottom):
        """Fill `bins` and `magnitudes` with the votes of the rows from `top` to `bottom`."""
        table = vote_table(self.orientations, self.signed)
        vote, other = self.bins[:, 0], self.other
        for channel in range(images.shape[3]):
            self._fill(self.plane, images, top, bottom, channel)
            index = self.gy
            self._differences(self.plane, index, self.gx)
            index <<= ROW_BITS
            index += self.gx
            index += (255 << ROW_BITS) + 255
            np.copyto(self.index, index)
            # mode="wrap" never wraps here; the default copies its output once more, at twice the
            # time. To find the channel first and look up once takes as long: the squares of int16
            # are int32, and numpy's mixed arithmetic is slow.
            table.take(self.index, mode="wrap", out=other if channel else vote)
            if channel:
                # The largest vote wins, the first one if they tie. np.where takes ten times as
                # long: its branches are random.
                vote |= channel << BIN_BITS
                np.maximum(vote, other, out=vote)
        np.right_shift(vote, BIN_BITS + TIE_BITS, out=other)
        magnitudes = self.magnitudes[:, 0]
        np.copyto(magnitudes, other)
        np.sqrt(magnitudes, out=magnitudes)
        vote &= MAX_ORIENTATIONS - 1


class VotesOfFloats(Votes):
    """Votes of float images, for the bin that the direction lies in."""

    def __init__(self, shape, dtype, orientations, signed):
        super().__init__(shape, dtype, orientations, signed)
        self.plane = np.empty(self.shape, dtype)
        self.gy, self.gx, self.other_y, self.other_x, self.other = np.zeros(
            (5, len(self.bins)), dtype
        )

    def cast(self, images, top, bottom):
        """Fill `bins` and `magnitudes` with the votes of the rows from `top` to `bottom`."""
        self._share(self._degrees(images, top, bottom))

    def _degrees(self, images, top, bottom):
        """The direction of each pixel's gradient; its magnitude goes into `magnitudes`."""
        safe = self._is_safe_to_square(images[:, max(0, top - 1) : bottom + 1])
        # The extra rows between two images may overflow where no image does.
        with np.errstate(over="ignore", invalid="ignore"):
            self._fill(self.plane, images, top, bottom, 0)
            self._differences(self.plane, self.gy, self.gx)
            largest = self._size(self.gy, self.gx, self.magnitudes[:, 0], safe)
            for channel in range(1, images.shape[3]):
                self._fill(self.plane, images, top, bottom, channel)
                self._differences(self.plane, self.other_y, self.other_x)
                other = self._size(self.other_y, self.other_x, self.other, safe)
                # Masks of bits: a choice by branches, which are random, takes ten times as long.
                bits = f"i{other.itemsize}"
                wins = np.negative((other > largest).astype(bits))
                for mine, theirs in ((self.gy, self.other_y), (self.gx, self.other_x)):
                    mine, theirs = mine.view(bits), theirs.view(bits)
                    theirs ^= mine
                    theirs &= wins
                    mine ^= theirs
                np.maximum(largest, other, out=largest)
            if safe:
                np.sqrt(largest, out=largest)
            return degrees(self.gy, self.gx, self.signed, out=self.gy)

    def _is_safe_to_square(self, images):
        info = np.finfo(self.plane.dtype)
        high = max(abs(float(images.min())), abs(float(images.max())))
        return info.tiny**0.25 < high < info.max**0.25

    def _size(self, gy, gx, out, safe):
        """Squared magnitudes, a tenth of the work, or magnitudes where squares might overflow."""
        if not safe:
            return np.hypot(gy, gx, out=out)
        np.multiply(gy, gy, out=out)
        out += gx * gx
        return out

    def _share(self, angle):
        np.copyto(self.bins[:, 0], bins_of(angle, self.orientations, self.signed))


class SharedVotes(VotesOfFloats):
    """Votes shared linearly between the two bins whose centres are nearest."""

    votes_per_pixel = 2

    def _share(self, angle):
        width = (360 if self.signed else 180) / self.orientations
        with np.errstate(invalid="ignore"):
            position = angle / width - 0.5
            lower = np.floor(position)
            share = position - lower
        magnitude = self.magnitudes[:, 0].copy()
        np.multiply(magnitude, share, out=self.magnitudes[:, 1])
        np.subtract(magnitude, self.magnitudes[:, 1], out=self.magnitudes[:, 0])
        for i in (0, 1):
            with np.errstate(invalid="ignore"):
                np.copyto(self.bins[:, i], (lower + i) % self.orientations, casting="unsafe")
        # What is not a number in the extra rows must not vote beyond the histogram.
        np.clip(self.bins, 0, self.orientations - 1, out=self.bins)


def degrees(gy, gx, signed, out=None):
    """Directions from 0 up to a half or a full turn, by scikit-image's own arithmetic.

    Parameters
    ----------
    gy, gx : ndarray
        Differences along rows (downwards) and columns.
    signed : bool
        Whether opposite directions differ: a full turn.
    out : ndarray, default=None
        Where to put them.

    Returns
    -------
    angle : ndarray
        In degrees, counted from the direction of growing columns to that of growing rows.
    """
    turn = 360 if signed else 180
    angle = np.arctan2(gy, gx, out=out)
    np.rad2deg(angle, out=angle)
    # The remainder by hand: np.remainder takes ten times as long.
    angle += (angle < 0) * angle.dtype.type(turn)
    angle[angle >= turn] = 0
    return angle


def bins_of(angle, orientations, signed):
    """Bin of each direction: equal parts of the turn, lower edge inside.

    Parameters
    ----------
    angle : ndarray
        Directions in degrees.
    orientations : int
        Number of bins.
    signed : bool
        Whether they share a full turn.

    Returns
    -------
    bins : ndarray of int32
        From 0 to orientations - 1.
    """
    width = (360 if signed else 180) / orientations
    with np.errstate(invalid="ignore"):
        bins = (angle / width).astype(np.int32)
        # The edges are the multiples of the width, whatever the quotient was rounded to.
        bins -= angle < bins * width
        bins += angle >= (bins + 1) * width
    return np.clip(bins, 0, orientations - 1, out=bins)


@lru_cache(maxsize=8)
def vote_table(orientations, signed):
    """The vote of every pair of byte differences, (gy + 255) * 512 + gx + 255."""
    gy, gx = np.arange(-255, 256), np.arange(-255, 257)
    squared = np.add.outer(gy**2, gx**2)
    angle = degrees(*np.meshgrid(gy.astype(float), gx.astype(float), indexing="ij"), signed)
    bins = bins_of(angle, orientations, signed)
    table = (squared << (BIN_BITS + TIE_BITS) | bins).astype(np.int32).ravel()
    table.flags.writeable = False
    return table
