"""Where patches are pooled: cells of grids, pyramids of grids, and tiles that fit a cache."""

from fractions import Fraction
from itertools import pairwise

import numpy as np


def edges_of(counts):
    """All edges of so many equal cells, for each of the counts, as fractions of the whole."""
    return sorted({Fraction(k, count) for count in counts for k in range(count + 1)})


def all_edges(grids):
    """The edges of rows and of columns of all grids (n_rows, n_columns) laid over one another."""
    rows, columns = zip(*grids, strict=True)
    return edges_of(rows), edges_of(columns)


def bands(length, edges):
    """Slices that share out `length` positions between the edges; some may be empty."""
    return [slice(start, end) for start, end in pairwise(int(edge * length) for edge in edges)]


def cells_of_grid(pooled, grids, grid, combine):
    """Put the cells of a grid together from the cells between all edges of all grids.

    Parameters
    ----------
    pooled : ndarray of shape (n, n_all_rows, n_all_columns, width)
        What was pooled between the edges of `all_edges(grids)`.
    grids : sequence of tuples (n_rows, n_columns)
        All grids.
    grid : tuple (n_rows, n_columns)
        The grid wanted, one of them.
    combine : callable
        np.sum or np.max.

    Returns
    -------
    cells : ndarray of shape (n, n_rows, n_columns, width)
        What is pooled in the cells of the grid.
    """
    if pooled.shape[1:3] == grid:
        return pooled
    # Each cell is made of whole ones, since the edges of the grid are among all edges.
    spans = [
        [slice(edges.index(start), edges.index(end)) for start, end in pairwise(edges_of([count]))]
        for edges, count in zip(all_edges(grids), grid, strict=True)
    ]
    return np.stack(
        [
            np.stack([combine(pooled[:, down, across], axis=(1, 2)) for across in spans[1]], axis=1)
            for down in spans[0]
        ],
        axis=1,
    )


def tiles(shape, n_patches):
    """Slices (of images, of rows) that cut positions (n, rows, columns) into about `n_patches`."""
    n, rows, columns = shape
    if rows * columns == 0:
        return
    images_step = max(1, n_patches // (rows * columns))
    rows_step = max(1, n_patches // columns)
    for image in range(0, n, images_step):
        for row in range(0, rows, rows_step):
            yield slice(image, image + images_step), slice(row, row + rows_step)
