"""HoG against scikit-image and OpenCV, one thread: medians in nanoseconds a pixel.

Run ``python docs/benchmarks/bench_hog.py`` in quiet. Ratios carry over to other machines, times do
not. OpenCV is that of ``pip install "opencv-python-headless<5"``; without it, it is left out.
"""

import os

os.environ.update({f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")})

from statistics import median
from time import perf_counter

import numpy as np
from skimage import data
from skimage.feature import hog

from sklin.features import HOG

try:
    import cv2
except ImportError:
    cv2 = None

REPEATS = 15
SHAPES = {"32 x 32 x 3": (32, 32, 3), "320 x 240 x 3": (240, 320, 3), "640 x 480 grey": (480, 640)}


def patches(shape, n_pixels=1_000_000):
    """Patches of a photograph and its mirror image, a million pixels in all."""
    photo, rng = np.hstack([data.astronaut(), data.astronaut()[:, ::-1]]), np.random.default_rng(0)
    h, w = shape[:2]
    tops, lefts = (
        rng.integers(0, size - k + 1, n_pixels // (h * w)) for size, k in ((512, h), (1024, w))
    )
    images = np.stack([photo[y : y + h, x : x + w] for y, x in zip(tops, lefts, strict=True)])
    return images if len(shape) == 3 else np.ascontiguousarray(images[..., 1])


def by_skimage(k):
    def run(images):
        axis = -1 if images.ndim == 4 else None
        return [hog(i, cells_per_block=(k, k), channel_axis=axis) for i in images]

    return run


def by_opencv(k, images):
    """OpenCV's own call for each image; it shares votes between bins and cells, and has a Gaussian
    window: it knows no plain histograms."""
    size = images.shape[2], images.shape[1]
    descriptor = cv2.HOGDescriptor(size, (8 * k, 8 * k), (8, 8), (8, 8), 9)
    return lambda images: [descriptor.compute(i) for i in images]


def nanoseconds(runs):
    """Medians of `REPEATS` runs by turns, so that all meet the same weather."""
    times = [[] for _ in runs]
    for _ in range(REPEATS):
        for (run, images), kept in zip(runs, times, strict=True):
            start = perf_counter()
            run(images)
            kept.append(1e9 * (perf_counter() - start) / np.prod(images.shape[:3]))
    return [median(kept) for kept in times]


def main():
    if cv2 is None:
        print("OpenCV is not installed, hence left out.")
    else:
        cv2.setNumThreads(1)
    names = ["sklin", "skimage", "ratio", "OpenCV", "ratio"]
    print(f"{'':48}" + "".join(f"{name:>9}" for name in names))
    for name, shape in SHAPES.items():
        images = patches(shape)
        few = images[: max(1, len(images) // 20)]
        for k in (1, 2):
            for title, options in (
                ("", {}),
                (", Dalal-Triggs", {"voting": "linear", "block_sigma": 0.5}),
            ):
                ours = HOG(cells_per_block=(k, k), **options).fit(images).transform
                runs = [(ours, images), (by_skimage(k), few)]
                if cv2 is not None:
                    runs.append((by_opencv(k, images), images))
                own, *theirs = nanoseconds(runs)
                label = f"{name}, {k} x {k} blocks{title}"
                figures = "".join(f"{other:9.1f}{other / own:9.2f}" for other in theirs)
                print(f"{label:48}{own:9.1f}{figures}", flush=True)
        for dtype in (np.float32, np.float64):
            floats = images.astype(dtype) / dtype(255)
            ours = HOG().fit(floats).transform
            own, other = nanoseconds([(ours, floats), (by_skimage(2), floats[: len(few)])])
            label = f"{name}, 2 x 2 blocks, {np.dtype(dtype)}"
            print(f"{label:48}{own:9.1f}{other:9.1f}{other / own:9.2f}", flush=True)


if __name__ == "__main__":
    main()
