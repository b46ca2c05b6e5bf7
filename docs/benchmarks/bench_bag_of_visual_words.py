"""Transform by 1,600 visual words against the same steps from scikit-learn and numpy, one thread.

Run ``python docs/benchmarks/bench_bag_of_visual_words.py [FOLDER]``, where FOLDER holds CIFAR-10's
binary files; without it the images are random bytes. Prints medians in microseconds an image of
32 x 32 x 3 bytes. Ratios carry over to other machines, times do not.
"""

import os

os.environ.update({f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")})

import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from sklearn.feature_extraction.image import extract_patches_2d
from sklearn.metrics import pairwise_distances_argmin
from sklearn.metrics.pairwise import euclidean_distances

from sklin.features import BagOfVisualWords

REPEATS, N_IMAGES, N_FEW, N_WORDS = 9, 200, 10, 1600


def load(folder):
    rng = np.random.default_rng(0)
    if folder is None:
        return rng.integers(0, 256, (N_IMAGES, 32, 32, 3), dtype=np.uint8)
    with (Path(folder) / "data_batch_1.bin").open("rb") as file:
        records = np.fromfile(file, np.uint8, N_IMAGES * 3073).reshape(-1, 3073)
    return np.ascontiguousarray(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


def from_pieces(bag, images):
    """The features of `bag` by the textbook, image by image."""
    words, mean, whitening = (
        a.astype(np.float32) for a in (bag.vocabulary_, bag.patch_mean_, bag.whitening_)
    )
    features = []
    for image in images.astype(np.float32):
        p = extract_patches_2d(image, (6, 6)).reshape(-1, 108)
        p = p - p.mean(axis=1, keepdims=True)
        p /= np.sqrt(p.var(axis=1, keepdims=True) + bag.contrast_epsilon_)
        z = (p - mean) @ whitening
        if bag.encoding == "hard":
            codes = np.zeros((len(z), len(words)), np.float32)
            codes[np.arange(len(z)), pairwise_distances_argmin(z, words)] = 1
        else:
            d = euclidean_distances(z, words, squared=bag.encoding == "soft")
            codes = np.maximum(0, d.mean(axis=1, keepdims=True) - d)
        codes = codes.reshape(27, 27, -1)
        halves = slice(13), slice(13, None)
        features.append([codes[r, c].sum(axis=(0, 1)) for r in halves for c in halves])
    return np.reshape(features, (len(images), -1))


def main(folder=None):
    images = load(folder)
    few = images[:N_FEW]
    print(f"{'':10}{'sklin':>8}{'pieces':>8}{'ratio':>8}")
    for encoding in ("soft", "triangle", "hard"):
        bag = BagOfVisualWords(N_WORDS, encoding=encoding, random_state=0).fit(images)
        expected = from_pieces(bag, few)
        difference = np.abs(bag.transform(few) - expected).mean() / np.abs(expected).mean()
        assert difference < 1e-3, difference
        times = [], []
        for _ in range(REPEATS):  # by turns, so that both meet the same weather
            start = perf_counter()
            bag.transform(images)
            middle = perf_counter()
            from_pieces(bag, few)
            times[0].append(1e6 * (middle - start) / len(images))
            times[1].append(1e6 * (perf_counter() - middle) / len(few))
        ours, theirs = map(median, times)
        print(f"{encoding:10}{ours:8.0f}{theirs:8.0f}{theirs / ours:8.1f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:2])
