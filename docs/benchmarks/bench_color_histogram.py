"""Colour histograms against scikit-image with numpy, and OpenCV: medians in nanoseconds a pixel.

Run ``python docs/benchmarks/bench_color_histogram.py``, one thread. Ratios carry over to other
machines, times do not. OpenCV's are left out where ``opencv-python-headless`` is not installed; its
hue has 180 levels and its CIELAB whole numbers, so that its bins differ a little.
"""

import os

os.environ.update({f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")})

from statistics import median
from time import perf_counter

import numpy as np
from skimage import color, data

from sklin.features import ColorHistogram

try:
    import cv2

    cv2.setNumThreads(1)
except ImportError:
    cv2 = None

REPEATS = 15
OPPONENT = np.array([[1, -1, 0], [1, 1, -2], [1, 1, 1]]) / np.sqrt([[2], [6], [3]])
OPPONENT_RANGES = [(-180.4, 180.4), (-208.3, 208.3), (0, 441.7)]
HSV_RANGES = [(0, 1)] * 3
LAB_RANGES = [(0, 100), (-110, 110), (-110, 110)]


def patches(height, width):
    """Patches of a photograph, a million pixels in all."""
    photo, rng = data.astronaut(), np.random.default_rng(0)
    n = 1_000_000 // (height * width)
    corners = zip(rng.integers(0, 513 - height, n), rng.integers(0, 513 - width, n), strict=True)
    return np.stack([photo[y : y + height, x : x + width] for y, x in corners])


def alternating_times(runs):
    """Medians of `REPEATS` runs by turns, so that all meet the same weather."""
    times = [[] for _ in runs]
    for _ in range(REPEATS):
        for (run, images), kept in zip(runs, times, strict=True):
            start = perf_counter()
            run(images)
            kept.append(1e9 * (perf_counter() - start) / np.prod(images.shape[:3]))
    return list(map(median, times))


def by_numpy(convert, ranges, bins):
    """Histograms of single images: joint for three numbers of bins, else of each channel given."""

    def joint(image):
        return np.histogramdd(convert(image).reshape(-1, 3), bins, ranges)[0]

    def channels(image):
        x = convert(image)
        return [np.histogram(x[..., k], bins, ranges[k])[0] for k in range(len(ranges))]

    one = joint if isinstance(bins, tuple) else channels
    return lambda images: [one(image) for image in images]


def by_opencv(code, limits, bins):
    """The same by OpenCV, whose ranges exclude their upper end."""

    def joint(x):
        return cv2.calcHist([x], [0, 1, 2], None, bins, [v for top in limits for v in (0, top)])

    def channels(x):
        return [cv2.calcHist([x], [k], None, [bins], [0, top]) for k, top in enumerate(limits)]

    one = joint if isinstance(bins, tuple) else channels
    if code is None:
        return lambda images: [one(image) for image in images]
    return lambda images: [one(cv2.cvtColor(image, code)) for image in images]


def cases():
    def same(image):
        return image

    def opponent(image):
        return image @ OPPONENT.T

    codes = (cv2.COLOR_RGB2HSV, cv2.COLOR_RGB2LAB) if cv2 else (None, None)
    bytes_ = [(0, 255)] * 3
    for name, params, convert, ranges, code, limits in (
        ("RGB, 4 x 4 x 4", {"bins": 4}, same, bytes_, None, [256] * 3),
        ("RGB, 8 x 8 x 8", {"bins": 8}, same, bytes_, None, [256] * 3),
        ("RGB, 16 a channel", {"bins": 16, "joint": False}, same, bytes_, None, [256] * 3),
        ("hue, 16", {"bins": 16, "color_space": "hue"}, color.rgb2hsv, [(0, 1)], codes[0], [180]),
        (
            "HSV, 4 x 4 x 4",
            {"color_space": "hsv"},
            color.rgb2hsv,
            HSV_RANGES,
            codes[0],
            [180, 256, 256],
        ),
        (
            "opponent, 4 x 4 x 4",
            {"color_space": "opponent"},
            opponent,
            OPPONENT_RANGES,
            None,
            None,
        ),
        (
            "CIELAB, 4 x 4 x 4",
            {"color_space": "lab"},
            color.rgb2lab,
            LAB_RANGES,
            codes[1],
            [256] * 3,
        ),
    ):
        bins = params.get("bins", 4)
        if len(ranges) == 3 and params.get("joint", True):
            bins = (bins,) * 3
        theirs = [by_numpy(convert, ranges, bins)]
        if cv2 and limits:
            theirs.append(by_opencv(code, limits, bins))
        yield name, ColorHistogram(**params), theirs


def main():
    if cv2 is None:
        print("OpenCV is not installed: its columns are empty.")
    print(f"{'':32}{'sklin':>8}{'skimage':>9}{'ratio':>7}{'OpenCV':>9}{'ratio':>7}")
    for height, width in ((32, 32), (240, 320)):
        images = patches(height, width)
        few = images[: max(2, len(images) // 10)]  # for the slow
        for name, transformer, theirs in cases():
            runs = [(transformer.fit(images).transform, images), (theirs[0], few)]
            runs += [(run, images) for run in theirs[1:]]
            ours, *others = alternating_times(runs)
            columns = "".join(f"{t:9.1f}{t / ours:7.1f}" for t in others)
            print(f"{f'{height} x {width}: {name}':32}{ours:8.1f}{columns}")


if __name__ == "__main__":
    main()
