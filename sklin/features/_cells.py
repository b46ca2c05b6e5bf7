"""Votes of pixels, summed up cell by cell and block by block."""

import threading

import numpy as np
from scipy.sparse import csr_array

from ._gradients import Workspace, pixel_positions, pixel_votes

EPSILON = 1e-5  # scikit-image's, which keeps a block without edges at zero

# Pixels whose votes are taken at a time. With a quarter, calls take a third of the time; with
# several times as many, what is made of them, some 50 bytes a pixel, leaves the cache.
STRIP = 65_536
# Neighbours vote for the same bin, and adding to the number that was just written takes 2.4 ns,
# for which the next pixel would wait. Columns therefore take turns: every fourth shares a sum.
TURNS = 4
# Blocks whose columns are summed by one product: more meet more columns that they are no part of.
GROUP = 8


def cell_histograms(bins, magnitudes, rows, columns, orientations):
    """Compute the mean votes of the cells between these edges.

    Parameters
    ----------
    bins : ndarray of shape (n, h, w)
        Bins of pixels, int32, as :func:`~sklin.features._gradients.pixel_votes` returns them.
    magnitudes : ndarray of shape (n, h, w)
        Magnitudes of the votes, float32 or float64.
    rows, columns : ndarray of shape (n_cell_rows + 1,), (n_cell_columns + 1,)
        The first row of each row of cells, and the end of the last; columns likewise.
    orientations : int
        Number of bins.

    Returns
    -------
    cells : ndarray of shape (n, n_cell_rows, n_cell_columns, orientations)
        Sum of the magnitudes in each bin of each cell, divided by the cell's number of pixels.
    """
    n, shape = len(bins), (len(rows) - 1, len(columns) - 1)
    add_up = _SCRATCH.sums(
        _CellSums,
        n,
        _bytes(_part_of_each(rows)),
        _bytes(columns),
        orientations,
        magnitudes.dtype,
    )
    sums = add_up(bins[:, : rows[-1], : columns[-1]], magnitudes[:, : rows[-1], : columns[-1]])
    sums = sums.reshape(orientations, n, *shape) / _areas(rows, columns, sums.dtype)
    return np.ascontiguousarray(np.moveaxis(sums, 0, -1))


def _bytes(a):
    return np.asarray(a, np.intp).tobytes()


def _areas(rows, columns, dtype):
    return np.multiply.outer(np.diff(rows), np.diff(columns)).astype(dtype)


def _part_of_each(edges):
    """The part between `edges` to which each of the integers below the last one belongs."""
    return np.repeat(np.arange(len(edges) - 1), np.diff(edges))


class _Scratch(threading.local):
    """What a thread keeps from call to call, as making it is a tenth of the work of a batch.

    The votes' arrays, and sums for the last few ways of dividing strips: 5 to 15 MB.
    """

    def __init__(self):
        self.workspace, self.kept = Workspace(), {}

    def sums(self, kind, *key):
        """What ``kind(*key)`` was or is; `key` has bytes in place of arrays of np.intp."""
        if (kind, *key) not in self.kept:
            if len(self.kept) == 4:
                self.kept.clear()
            arguments = (np.frombuffer(a, np.intp) if isinstance(a, bytes) else a for a in key)
            self.kept[(kind, *key)] = kind(*arguments)
        return self.kept[(kind, *key)]


_SCRATCH = _Scratch()


class _Sums:
    """Sums of values that go to the same place, again and again for as many values.

    One sparse row holds all values; making it dense adds up what has the same place, in 1.1 ns a
    value where np.bincount takes 1.9 to 2.6. It is made once, as its checks take 75 us.
    """

    def __init__(self, n_values, n_places, dtype):
        self.sums = np.empty((1, n_places), dtype)
        places, ends = np.zeros(n_values, np.int32), np.array([0, n_values], np.int32)
        self.row = csr_array((np.empty(n_values, dtype), places, ends), shape=self.sums.shape)

    def __call__(self, places, values):
        """The sums, valid until the next call."""
        self.row.indices, self.row.data = places.ravel(), values.ravel()
        return self.row.toarray(out=self.sums)


class _CellSums:
    """Sums of votes in cells, for any number of strips of pixels that are divided alike."""

    def __init__(self, n, cell_of_row, columns, orientations, dtype):
        n_rows, n_columns = cell_of_row[-1] + 1, len(columns) - 1
        cell_of_column = _part_of_each(columns)
        turns = min(TURNS, np.diff(columns).max())
        turn = (np.arange(columns[-1]) - columns[cell_of_column]) % turns
        self.n_cells = n * n_rows * n_columns
        # An odd number of cache lines: with a power of two, all sums of a cell would lie in one
        # set of the cache, and adding takes 2.3 ns a pixel in place of 1.1.
        stride = 16 * (-(-self.n_cells // 16) | 1)
        row = np.arange(n)[:, np.newaxis] * n_rows + cell_of_row
        row, place = (a.astype(np.int32) for a in (row * n_columns, cell_of_column + stride * turn))
        self.place = np.add.outer(row, place)
        self.places = np.empty_like(self.place)
        self.n_places = np.int32(turns * stride)
        self.shape = orientations, turns, stride
        self.add_up = _Sums(self.place.size, int(np.prod(self.shape)), dtype)

    def __call__(self, bins, magnitudes):
        """The sums (orientations, n_cells), valid until the next call."""
        places = np.multiply(bins, self.n_places, out=self.places)
        places += self.place
        sums = self.add_up(places, magnitudes).reshape(self.shape)
        total = sums[:, 0]
        for turn in range(1, self.shape[1]):
            total += sums[:, turn]
        return total[:, : self.n_cells]


def _strips(edges, length):
    """Divide the pixels up to the last edge into strips (first, last + 1) of about `length`.

    A strip ends at an edge if one is near enough. Where it ends depends on nothing else, so that
    sums are the same to the last bit in any batch.
    """
    first = edges[0]
    while first < edges[-1]:
        last = edges[np.searchsorted(edges, first + length, side="right") - 1]
        last = int(last if last > first else min(first + length, edges[-1]))
        yield int(first), last
        first = last


def _float_dtype(images):
    return np.float64 if images.dtype == np.float64 else np.float32


class PlainBlocks:
    """Histograms of blocks all of whose pixels count alike, each in its own cell and bin.

    Parameters
    ----------
    images : ndarray of shape (n, h, w, c)
        The images.
    rows, columns : ndarray
        Edges of the cells.
    block : tuple of 2 ints
        Rows and columns of cells in a block.
    orientations : int
        Number of bins.
    signed : bool
        Whether they divide the full circle.

    Attributes
    ----------
    n_images, n_rows : int
        The number of images, and of rows of blocks, to fill in at a time.
    """

    def __init__(self, images, rows, columns, block, orientations, signed):
        n, h, w, _ = images.shape
        n_rows, n_columns = len(rows) - 1, len(columns) - 1
        self.block = block
        self.cells = np.zeros((orientations, n * n_rows * n_columns), _float_dtype(images))
        cell_of_row = _part_of_each(rows)
        # Fewer if there are many bins to so few pixels that their sums take more room than they.
        n_pixels = int(STRIP * min(1, 4 * h * w / (n_rows * n_columns * TURNS * orientations)))
        step = max(1, n_pixels // (h * w))
        for start in range(0, n, step):
            chunk = images[start : start + step]
            for first, last in _strips(rows, max(1, n_pixels // w)):
                cell = cell_of_row[first:last] - cell_of_row[first]
                add_up = _SCRATCH.sums(
                    _CellSums,
                    len(chunk),
                    _bytes(cell),
                    _bytes(columns),
                    orientations,
                    self.cells.dtype,
                )
                sums = add_up(
                    *_votes_of_rows(pixel_votes, chunk, first, last, columns, orientations, signed)
                )
                begin = (start * n_rows + cell_of_row[first]) * n_columns
                self.cells[:, begin : begin + sums.shape[1]] += sums
        self.cells = self.cells.reshape(orientations, n, n_rows, n_columns)
        areas = _areas(rows, columns, self.cells.dtype)
        self.cells /= areas.flat[0] if (areas == areas.flat[0]).all() else areas
        # As many blocks at a time as fit into the cache.
        n_blocks = max(1, 4 * STRIP // (block[0] * block[1] * orientations))
        a_row = n_columns - block[1] + 1
        self.n_images = max(1, n_blocks // (a_row * (n_rows - block[0] + 1)))
        self.n_rows = max(1, n_blocks // a_row)

    def fill(self, planes, images, first, last):
        """Write the blocks in rows `first` to `last` of some images to planes.

        Parameters
        ----------
        planes : ndarray of shape (block rows, block columns, orientations, n, rows, columns)
            Where to write.
        images : slice
            Which images.
        first, last : int
            The first row of blocks, and the one after the last.
        """
        n_columns = planes.shape[-1]
        for r, c in np.ndindex(*self.block):
            planes[r, c] = self.cells[:, images, first + r : last + r, c : c + n_columns]


class WeightedBlocks:
    """Histograms of blocks whose pixels share their votes or count by their place in the block.

    A pixel's weight in a cell is the product of one of its row and one of its column. Votes are
    therefore laid out as one plane a bin, and summed by a matrix product along rows and another
    along columns. One vote for each cell of each block would be six a pixel, 2 ns each.

    Parameters
    ----------
    images : ndarray of shape (n, h, w, c)
        The images.
    rows, columns : ndarray
        Edges of the cells.
    block : tuple of 2 ints
        Rows and columns of cells in a block.
    orientations : int
        Number of bins.
    signed : bool
        Whether they divide the full circle.
    linear : bool
        Whether a vote is shared between neighbouring bins and cells.
    sigma : float or None
        Standard deviation of a Gaussian window, as a part of the block's height and width.

    Attributes
    ----------
    n_images, n_rows : int
        The number of images, and of rows of blocks, to fill in at a time.
    """

    def __init__(self, images, rows, columns, block, orientations, signed, linear, sigma):
        self.images, self.rows, self.columns, self.block = images, rows, columns, block
        self.orientations, self.signed = orientations, signed
        self.linear, self.sigma = linear, sigma
        self.dtype = _float_dtype(images)
        self.weights = {}  # as cells are mostly of one size, few are different
        n_columns = len(columns) - block[1]
        h, w = images.shape[1:3]
        self.n_images = max(1, STRIP // (2 * h * w))
        # Rows of cells that blocks share are summed once a piece, so a piece is not too small.
        self.n_rows = max(1, 8 * STRIP * (len(rows) - 1) // (h * w) - block[0])
        # In groups: one matrix for all columns would be mostly zeros.
        self.groups = [
            (start, *self._weights(columns, start, min(start + GROUP, n_columns), block[1]))
            for start in range(0, n_columns, GROUP)
        ]

    def _weights(self, edges, first, last, size):
        """Weights of pixels in the cells of blocks `first` to `last` along one axis.

        Returns the first pixel concerned and an array (blocks, cells of a block, pixels).
        """
        begin = edges[first]
        edges = edges[first : last + size] - begin
        key = size, _bytes(edges)
        if key not in self.weights:
            weights = np.zeros((last - first, size, edges[-1]), self.dtype)
            for b in range(last - first):
                own = slice(edges[b], edges[b + size])
                weights[b, :, own] = _weights(edges[b : b + size + 1], self.linear, self.sigma)
            self.weights[key] = weights
        return begin, self.weights[key]

    def fill(self, planes, images, first, last):
        """Write the blocks in rows `first` to `last` of some images to planes.

        Parameters
        ----------
        planes : ndarray of shape (block rows, block columns, orientations, n, rows, columns)
            Where to write.
        images : slice
            Which images.
        first, last : int
            The first row of blocks, and the one after the last.
        """
        chunk = self.images[images]
        n, w, k = len(chunk), self.columns[-1], self.orientations
        begin, weights = self._weights(self.rows, first, last, self.block[0])
        n_rows = weights.shape[0] * weights.shape[1]
        weights = weights.reshape(n_rows, -1)
        size = n * n_rows * k * w
        summed = _SCRATCH.workspace.array("summed", size, self.dtype).reshape(n, n_rows, k * w)
        summed[...] = 0
        edges = self.rows[first : last + self.block[0]]
        # Few rows at a time: more meet more blocks that they are no part of.
        for top, bottom in _strips(edges, max(1, STRIP // (2 * n * w))):
            votes = self._planes_of_votes(chunk, top, bottom)
            part = weights[:, top - begin : bottom - begin]
            used = np.flatnonzero(part.any(axis=1))
            used = slice(used[0], used[-1] + 1)
            shape = n, used.stop - used.start, k * w
            product = _SCRATCH.workspace.array("product", int(np.prod(shape)), self.dtype)
            summed[:, used] += np.matmul(part[used], votes, out=product.reshape(shape))
        summed = summed.reshape(n, n_rows * k, w)
        for start, left, weights in self.groups:
            window = summed[:, :, left : left + weights.shape[2]]
            sums = window @ weights.reshape(-1, weights.shape[2]).T
            sums = sums.reshape(n, last - first, self.block[0], k, *weights.shape[:2])
            planes[..., start : start + len(weights)] = sums.transpose(2, 5, 3, 0, 1, 4)

    def _planes_of_votes(self, images, first, last):
        """Every pixel's votes for every bin: (n, rows, orientations * columns)."""
        n, w, k = len(images), self.columns[-1], self.orientations
        function = pixel_positions if self.linear else pixel_votes
        votes = _votes_of_rows(function, images, first, last, self.columns, k, self.signed)
        add_up = _SCRATCH.sums(_PlaneSums, n, last - first, w, k, self.linear, self.dtype)
        return add_up(*votes)


class _PlaneSums:
    """Votes of pixels laid out as one plane a bin."""

    def __init__(self, n, n_rows, w, orientations, linear, dtype):
        row = np.arange(n * n_rows, dtype=np.int32) * (orientations * w)
        self.place = np.add.outer(row, np.arange(w, dtype=np.int32)).reshape(n, n_rows, w)
        self.linear, self.w, self.orientations = linear, w, orientations
        self.bins = np.empty((1 + linear, *self.place.shape), np.int32)
        self.values = np.empty(self.bins.shape, dtype)
        self.shape = n, n_rows, orientations * w
        self.add_up = _Sums(self.bins.size, int(np.prod(self.shape)), dtype)

    def __call__(self, bins, magnitudes):
        """The planes (n, rows, orientations * columns), valid until the next call."""
        if self.linear:
            lower, upper = self.bins
            rest, share = self.values
            centred = np.subtract(bins, bins.dtype.type(0.5), out=share)
            np.copyto(lower, np.floor(centred, out=rest), casting="unsafe")
            share -= rest
            share *= magnitudes
            np.subtract(magnitudes, share, out=rest)
            lower += np.right_shift(lower, 31, out=upper) & self.orientations  # -1 is the last
            np.add(lower, 1, out=upper)
            upper *= upper < self.orientations
        else:
            self.bins[0], self.values[0] = bins, magnitudes
        self.bins *= np.int32(self.w)
        self.bins += self.place
        return self.add_up(self.bins, self.values).reshape(self.shape)


def _weights(edges, linear, sigma):
    """Weights (cells, pixels) along one axis of a block whose cells have these edges.

    One by a cell's length, so that the votes' mean is taken.
    """
    pixels = np.arange(edges[0], edges[-1]) + 0.5
    if linear:
        weights = _tents(pixels, edges)
    else:
        weights = 1.0 * (_part_of_each(edges) == np.arange(len(edges) - 1)[:, np.newaxis])
    if sigma is not None:
        middle, width = (edges[0] + edges[-1]) / 2, sigma * (edges[-1] - edges[0])
        weights *= np.exp(-0.5 * ((pixels - middle) / width) ** 2)
    return weights / np.diff(edges)[:, np.newaxis]


def _tents(pixels, edges):
    """Shares of pixels at some places in the cells between `edges`: (cells, pixels).

    One at the centre of a cell, falling to zero at the centres of its neighbours; outside the
    outermost centres, where there is no neighbour, to zero at a cell's length.
    """
    lengths = np.diff(edges)
    centres = edges[:-1] + lengths / 2
    knots = np.concatenate([[centres[0] - lengths[0]], centres, [centres[-1] + lengths[-1]]])
    return np.array([np.interp(pixels, knots, hat) for hat in np.eye(len(knots))[1:-1]])


def _votes_of_rows(function, images, first, last, columns, orientations, signed):
    """Votes of the pixels in cells in rows `first` to `last`, whose gradients need one row more."""
    top = max(0, first - 1)
    votes = function(images[:, top : last + 1], orientations, signed, _SCRATCH.workspace)
    return [a[:, first - top : last - top, : columns[-1]] for a in votes]


def normalised_rows(blocks, n, shape, block, orientations, dtype, block_norm):
    """Compute rows of normalised blocks.

    Parameters
    ----------
    blocks : PlainBlocks or WeightedBlocks
        What fills in the blocks.
    n : int
        Number of images.
    shape : tuple of 2 ints
        Rows and columns of cells.
    block : tuple of 2 ints
        Rows and columns of cells in a block.
    orientations : int
        Number of bins.
    dtype : dtype
        float32 or float64.
    block_norm : {"L1", "L1-sqrt", "L2", "L2-Hys"} or None
        The normalisation.

    Returns
    -------
    features : ndarray of shape (n, n_features)
        Ordered by block row, block column, cell row within the block, cell column, orientation.
    """
    n_rows, n_columns = shape[0] - block[0] + 1, shape[1] - block[1] + 1
    size = block[0] * block[1] * orientations
    rows = np.empty((n, n_rows, n_columns, *block, orientations), dtype)
    # One bin a plane, so that sums over bins are sums of long rows: twice as fast as short ones.
    # A row is longer than 1 lest a sum over planes be added up pairwise, and hence an image in a
    # batch differ from the same alone.
    for start in range(0, n, blocks.n_images):
        images = slice(start, min(start + blocks.n_images, n))
        for first in range(0, n_rows, blocks.n_rows):
            last = min(first + blocks.n_rows, n_rows)
            piece = (images.stop - start, last - first, n_columns)
            count = piece[0] * piece[1] * piece[2]
            planes = np.zeros((size, max(2, count)), dtype)
            view = planes[:, :count].reshape(*block, orientations, *piece)
            blocks.fill(view, images, first, last)
            _normalise(planes, block_norm)
            rows[images, first:last] = view.transpose(3, 4, 5, 0, 1, 2)
    return rows.reshape(n, -1)


def _normalise(planes, block_norm):
    """Normalise columns of `planes`, in place."""
    if block_norm in ("L1", "L1-sqrt"):
        planes /= planes.sum(axis=0) + EPSILON  # no votes are negative
        if block_norm == "L1-sqrt":
            np.sqrt(planes, out=planes)
    elif block_norm is not None:
        planes *= _one_by_length(planes)
        if block_norm == "L2-Hys":
            np.minimum(planes, 0.2, out=planes)
            planes *= _one_by_length(planes)


def _one_by_length(planes):
    squared = (planes * planes).sum(axis=0)
    squared += planes.dtype.type(EPSILON**2)
    return 1 / np.sqrt(squared, out=squared)
