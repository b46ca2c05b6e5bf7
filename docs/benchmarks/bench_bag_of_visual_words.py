"""Transform by 1,600 visual words against the same steps from scikit-learn and numpy.

Run ``python docs/benchmarks/bench_bag_of_visual_words.py [FOLDER_OR_TAR_GZ]``, with CIFAR-10's
binary files; without them the images are patches of a photograph. Prints medians in microseconds an
image of 32 x 32 x 3 bytes, one thread: sklin, the pieces, the one matrix product that compares
every patch with every word, and sklin on two threads. Ratios carry over to other machines, times do
not.
"""

import os

os.environ.update({f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")})

import sys
from statistics import median
from time import perf_counter

import numpy as np
from skimage import data
from sklearn.feature_extraction.image import extract_patches_2d
from sklearn.metrics import pairwise_distances_argmin
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.neighbors import NearestNeighbors

from sklin.datasets import load_cifar10
from sklin.features import BagOfVisualWords

REPEATS, N_IMAGES, N_FEW, N_WORDS = 9, 400, 8, 1600


def load(path):
    if path is not None:
        return load_cifar10(path, return_X_y=True)[0][:N_IMAGES]
    photo, rng = data.astronaut(), np.random.default_rng(0)
    corners = rng.integers(0, 512 - 31, (N_IMAGES, 2))
    return np.stack([photo[y : y + 32, x : x + 32] for y, x in corners])


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
        elif bag.encoding == "nearest":
            k = bag.settings_["n_neighbors"]
            neighbors = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(words)
            codes = neighbors.kneighbors_graph(z).toarray()
        else:
            d = euclidean_distances(z, words, squared=bag.encoding == "tri2")
            codes = np.maximum(0, d.mean(axis=1, keepdims=True) - d)
        codes = codes.reshape(27, 27, -1)
        halves = slice(13), slice(13, None)
        features.append([codes[r, c].sum(axis=(0, 1)) for r in halves for c in halves])
    return np.reshape(features, (len(images), -1))


def seconds(run, *args):
    start = perf_counter()
    run(*args)
    return perf_counter() - start


def main(path=None):
    images = load(path)
    few = images[:N_FEW]
    header = ("sklin", "pieces", "ratio", "product", "ratio", "threads", "ratio")
    print(f"{'':10}" + "".join(f"{name:>9}" for name in header))
    for encoding in ("tri2", "triangle", "hard", "nearest"):
        bag = BagOfVisualWords(N_WORDS, encoding=encoding, random_state=0).fit(images)
        expected = from_pieces(bag, few)
        difference = np.abs(bag.transform(few) - expected).mean() / np.abs(expected).mean()
        assert difference < 1e-3, difference
        # Every patch of a whole number of images that fit the cache as well as the bag's own tiles.
        z = np.ones((729, bag.vocabulary_.shape[1] + 1), np.float32)
        words = np.ones((z.shape[1], N_WORDS), np.float32)
        out = np.empty((len(z), N_WORDS), np.float32)
        times = [], [], [], []
        for _ in range(REPEATS):  # by turns, so that all meet the same weather
            bag.set_params(n_jobs=None)
            times[0].append(seconds(bag.transform, images) / len(images))
            times[1].append(seconds(from_pieces, bag, few) / len(few))
            times[2].append(median(seconds(np.matmul, z, words, out) for _ in range(30)))
            bag.set_params(n_jobs=2)
            times[3].append(seconds(bag.transform, images) / len(images))
        ours, pieces, product, threads = (1e6 * median(some) for some in times)
        print(
            f"{encoding:10}{ours:9.0f}{pieces:9.0f}{pieces / ours:9.1f}{product:9.0f}"
            f"{ours / product:9.2f}{threads:9.0f}{ours / threads:9.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main(*sys.argv[1:2])
