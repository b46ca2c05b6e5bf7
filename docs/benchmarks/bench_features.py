"""HoG and colour histograms against scikit-image, one thread: medians in nanoseconds a pixel.

Run ``python docs/benchmarks/bench_features.py``. Ratios carry over to other machines, times do not.
"""

import os

os.environ.update({f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")})

from statistics import median
from time import perf_counter

import numpy as np
from skimage import color, data
from skimage.feature import hog

from sklin.features import HOG, ColorHistogram

REPEATS = 15


def patches(size):
    """Patches of a photograph, a million pixels in all."""
    photo, rng = data.astronaut(), np.random.default_rng(0)
    corners = rng.integers(0, 512 - size + 1, (1_000_000 // size**2, 2))
    return np.stack([photo[y : y + size, x : x + size] for y, x in corners])


def alternating_times(images, ours, theirs):
    """Medians of `REPEATS` runs by turns, so that both meet the same weather; they get a tenth."""
    few = images[: max(1, len(images) // 10)]
    times = [], []
    for _ in range(REPEATS):
        for run, batch, kept in zip((ours, theirs), (images, few), times, strict=True):
            start = perf_counter()
            run(batch)
            kept.append(1e9 * (perf_counter() - start) / np.prod(batch.shape[:3]))
    return map(median, times)


def hog_by_skimage(k):
    def run(images):
        axis = -1 if images.ndim == 4 else None
        return np.array([hog(i, cells_per_block=(k, k), channel_axis=axis) for i in images])

    return run


def rgb_by_numpy(images):
    edges = [(0, 256)] * 3
    return np.array([np.histogramdd(i.reshape(-1, 3), (4, 4, 4), edges)[0] for i in images])


def hue_by_skimage(images):
    return np.array([np.histogram(color.rgb2hsv(i)[..., 0], 16, (0, 1))[0] for i in images])


def main():
    print(f"{'':40}{'sklin':>8}{'theirs':>8}{'ratio':>8}")
    for size in (32, 256):
        images = patches(size)
        cases = [
            (f"HoG, {kind}, {k} x {k} blocks", x, HOG(cells_per_block=(k, k)), hog_by_skimage(k))
            for kind, x in (("colour", images), ("grey", images[..., 1]))
            for k in (1, 2)
        ]
        hue = ColorHistogram(bins=16, color_space="hue")
        cases += [("RGB 4 x 4 x 4", images, ColorHistogram(bins=4), rgb_by_numpy)]
        cases += [("hue, 16 bins", images, hue, hue_by_skimage)]
        for name, x, transformer, peer in cases:
            ours, theirs = alternating_times(x, transformer.fit(x).transform, peer)
            label = f"{size} x {size}: {name}"
            print(f"{label:40}{ours:8.1f}{theirs:8.1f}{theirs / ours:8.1f}")


if __name__ == "__main__":
    main()
