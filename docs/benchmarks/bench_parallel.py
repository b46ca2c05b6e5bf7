"""Two threads and two processes against one, for every transformer.

Run ``python docs/benchmarks/bench_parallel.py [N_IMAGES]``: medians of seconds on so many patches
of 32 x 32 x 3 bytes (default 20,000; a fiftieth for words), and on 60 JPEG files of 1.9 megapixels,
by turns, with one thread of BLAS each. The processes are those of joblib's loky, started before the
clock.
"""

import os

os.environ.update({f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")})

import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from joblib import parallel_config
from PIL import Image
from skimage import data

from sklin.features import HOG, BagOfVisualWords, ColorHistogram

REPEATS = 7
WAYS = {
    "one": {"backend": "threading", "n_jobs": 1},
    "2 threads": {"backend": "threading", "n_jobs": 2},
    "2 processes": {"backend": "loky", "n_jobs": 2},
}


def patches(n):
    photo, rng = data.astronaut(), np.random.default_rng(0)
    corners = rng.integers(0, 512 - 31, (n, 2))
    return np.stack([photo[y : y + 32, x : x + 32] for y, x in corners])


def photographs(folder, n=60):
    photo = Image.fromarray(data.astronaut()).resize((1600, 1200))
    files = [Path(folder) / f"{i}.jpg" for i in range(n)]
    for file in files:
        photo.save(file)
    return files


def seconds(transformer, images, config):
    with parallel_config(**config):
        start = perf_counter()
        transformer.transform(images)
        return perf_counter() - start


def main(n=20_000):
    images = patches(n)
    with tempfile.TemporaryDirectory() as folder:
        files = photographs(folder)
        cases = {
            "HOG": (HOG(), images),
            "ColorHistogram, RGB": (ColorHistogram(), images),
            "1,600 words": (BagOfVisualWords(1600, random_state=0), images[: n // 50]),
            "HOG of files": (HOG(grid=(8, 8)), files),
            "ColorHistogram of files": (ColorHistogram(), files),
            "words of files": (BagOfVisualWords(random_state=0), files),
        }
        print(f"{'seconds':24}" + "".join(f"{way:>13}{'ratio':>7}" for way in WAYS))
        for name, (transformer, some) in cases.items():
            measure(name, transformer, some)


def measure(name, transformer, images):
    transformer.fit(images[:1000])
    times = {way: [] for way in WAYS}
    for turn in range(REPEATS + 1):
        for way, config in WAYS.items():
            taken = seconds(transformer, images, config)
            if turn:  # the first one starts processes and fills caches
                times[way].append(taken)
    medians = [median(times[way]) for way in WAYS]
    print(f"{name:24}" + "".join(f"{t:13.3f}{medians[0] / t:7.2f}" for t in medians), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
