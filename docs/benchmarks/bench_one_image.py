"""How long one image takes through a pipeline of HoG and a classifier, against its parts.

Medians over interleaved repetitions, on one thread. "numerics" are what cannot be left out: the
histograms of one image by `sklin.features._hog.hog`, the product with the weights, and the largest
score. The transformer and the classifier add the checks of what came; the pipeline adds itself.
"""

import argparse
from time import perf_counter

import numpy as np
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from sklin import HOG, SoftmaxClassifier
from sklin.features._hog import hog

SIZES = [(32, 32, 3), (96, 96, 3), (240, 320, 3)]


def cases(size, rng):
    """What is timed, by name, for images of one size: (callables of an array, of a list)."""
    images = rng.integers(0, 256, (24, *size), dtype=np.uint8)
    y = np.arange(len(images)) % 10
    of_arrays = make_pipeline(HOG(), SoftmaxClassifier(alpha=0.1)).fit(images, y)
    of_lists = make_pipeline(HOG(), SoftmaxClassifier(alpha=0.1)).fit(list(images), y)
    transformer, classifier = of_arrays
    batch = images[:1]

    def numerics():
        rows = hog(batch)
        return classifier.classes_[(rows @ classifier.coef_.T + classifier.intercept_).argmax(1)]

    return {
        "numerics": numerics,
        "hog alone": lambda: hog(batch),
        "transformer.transform + classifier.predict": lambda: classifier.predict(
            transformer.transform(batch)
        ),
        "pipeline.predict(array[None])": lambda: of_arrays.predict(batch),
        "pipeline.predict([image])": lambda: of_lists.predict([batch[0]]),
    }


def medians(calls, n_repeats):
    """The median time of each call, in microseconds; all take turns, so that none has the calm."""
    times = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(n_repeats):
        for name, call in calls.items():
            start = perf_counter()
            call()
            times[name].append(perf_counter() - start)
    return {name: 1e6 * float(np.median(values)) for name, values in times.items()}


def main():
    """Print a table for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=500)
    n_repeats = parser.parse_args().repeats
    rng = np.random.default_rng(0)
    with threadpool_limits(1):
        for size in SIZES:
            found = medians(cases(size, rng), n_repeats)
            print(f"\none image of {size}, median of {n_repeats}")
            for name, time in found.items():
                print(f"  {name:<44}{time:9.0f} us {time / found['numerics']:6.2f} x numerics")


if __name__ == "__main__":
    main()
