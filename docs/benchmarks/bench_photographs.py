"""Accuracy on photographs: words of dense SIFT-like descriptors, pyramids, Fisher vectors.

Run it as ``python docs/benchmarks/bench_photographs.py [FOLDER]``, where FOLDER has a sub-folder of
images for each class: half of them train, half test. Without it, grey scenes of random place, size,
turn, contrast and brightness are cut from pictures that come with scikit-image, training ones from
the left half and test ones from the right: which picture is it? The mean and the range of three
draws are printed, with the milliseconds that features of an image took. SoftmaxClassifier on
standardised features, alpha 0.01.
"""

import sys
import time
from statistics import mean

import numpy as np
from PIL import Image
from skimage import data
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sklin import HOG, BagOfVisualWords, SoftmaxClassifier
from sklin.datasets import load_image_folder

PICTURES = (
    "astronaut brick camera chelsea coffee coins grass gravel hubble_deep_field moon page retina "
    "rocket"
).split()
PYRAMID = [(1, 1), (2, 2), (4, 4)]


def words(n_words=200, **options):
    return BagOfVisualWords(n_words, random_state=0, **options)


FEATURES = {
    "HoG, 8 x 8 cells": HOG(grid=(8, 8)),
    "pixels, tri2": words(descriptor="pixels", encoding="tri2"),
    "SIFT, hard, 1 cell": words(grid=(1, 1)),
    "SIFT, hard (the default)": words(),
    "SIFT, hard, pyramid of 21": words(grid=PYRAMID),
    "SIFT, tri2": words(encoding="tri2"),
    "SIFT, 1,000 words, pyramid": words(1000, grid=PYRAMID),
    "VLAD, 64 words": words(64, encoding="vlad", grid=(1, 1)),
    "Fisher, 16 Gaussians": words(16, encoding="fisher", grid=(1, 1)),
    "Fisher, 64 Gaussians": words(64, encoding="fisher", grid=(1, 1)),
}


def scenes(rng, half, n_per_picture=20):
    X, y = [], []
    for name in PICTURES:
        picture = Image.fromarray(getattr(data, name)()).convert("L")
        middle = picture.width // 2
        left, right = (0, middle) if half == "train" else (middle, picture.width)
        for _ in range(n_per_picture):
            most = min(right - left, picture.height)
            size = int(rng.integers(min(100, most), most + 1))
            x = int(rng.integers(left, right - size + 1))
            top = int(rng.integers(0, picture.height - size + 1))
            scene = picture.crop((x, top, x + size, top + size))
            scene = scene.rotate(rng.uniform(-20, 20), Image.Resampling.BILINEAR)
            scene = scene.resize(tuple(map(int, rng.integers(110, 170, 2))))
            levels = np.asarray(scene) * rng.uniform(0.6, 1.2) + rng.uniform(-30, 30)
            X.append(np.clip(levels, 0, 255).astype(np.uint8))
            y.append(name)
    return X, y


def split(folder, seed):
    if folder is None:
        rng = np.random.default_rng(seed)
        return *scenes(rng, "train"), *scenes(rng, "test")
    dataset = load_image_folder(folder, max_side=512)
    X, X_test, y, y_test = train_test_split(
        dataset.images, dataset.target, train_size=0.5, stratify=dataset.target, random_state=seed
    )
    return X, y, X_test, y_test


def main(folder=None):
    splits = [split(folder, seed) for seed in range(3)]
    print(f"{len(splits[0][0])} photographs for training, {len(splits[0][2])} for testing")
    for name, transformer in FEATURES.items():
        scores, times = [], []
        for X, y, X_test, y_test in splits:
            transformer.fit(X)
            F = transformer.transform(X)
            start = time.perf_counter()
            test_F = transformer.transform(X_test)
            times.append(1e3 * (time.perf_counter() - start) / len(X_test))
            scaler = StandardScaler().fit(F)
            model = SoftmaxClassifier(alpha=0.01, tol=1e-2).fit(scaler.transform(F), y)
            scores.append(model.score(scaler.transform(test_F), y_test))
        print(
            f"{name:28} {F.shape[1]:6} features, test accuracy {mean(scores):.3f} "
            f"({min(scores):.3f} to {max(scores):.3f}), {mean(times):.1f} ms an image",
            flush=True,
        )


if __name__ == "__main__":
    main(*sys.argv[1:2])
