"""One image through a pipeline, against its parts: `python docs/benchmarks/bench_one_image.py`.

"Steps" are the transformer's and the classifier's own calls. "Bare" is what nobody can leave out:
the numerics of the features, without any check of the image, and one product of the row with the
weights. What lies between are checks, most of them scikit-learn's. Medians of many calls, by turns.
"""

import statistics
import time

import numpy as np
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from sklin import HOG, BagOfVisualWords, ColorHistogram, SoftmaxClassifier

REPEATS = 300


def seconds(calls):
    """Median seconds of each call, taken by turns."""
    found = {name: [] for name in calls}
    for _ in range(REPEATS):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            found[name].append(time.perf_counter() - start)
    return {name: statistics.median(times[REPEATS // 10 :]) for name, times in found.items()}


def main():
    """Print a table."""
    rng = np.random.default_rng(0)
    print(
        f"{'microseconds':34}{'pipeline':>9}{'list':>8}{'steps':>8}{'bare':>8}"
        f"{'/ steps':>9}{'/ bare':>8}"
    )
    for size in ((32, 32, 3), (240, 320, 3)):
        images = rng.integers(256, size=(40, *size), dtype=np.uint8)
        labels = np.arange(40) % 10
        for transformer in (
            HOG(),
            ColorHistogram(bins=8),
            BagOfVisualWords(n_words=100, n_patches=5_000, random_state=0),
        ):
            model = make_pipeline(transformer, SoftmaxClassifier(alpha=1.0, tol=0.1))
            model.fit(images, labels)
            features, classifier = model
            one = images[:1]
            times = seconds(
                {
                    "pipeline": lambda model=model, one=one: model.predict(one),
                    "list": lambda model=model, one=one: model.predict([one[0]]),
                    "steps": lambda f=features, c=classifier, one=one: c.predict(f.transform(one)),
                    "bare": lambda f=features, c=classifier, one=one: (
                        f._features(one) @ c.coef_.T + c.intercept_
                    ).argmax(axis=1),
                }
            )
            name = f"{type(transformer).__name__}, {' x '.join(map(str, size))}"
            cells = "".join(f"{1e6 * t:>8.0f}" for t in times.values())
            ratios = (times["pipeline"] / times[name] for name in ("steps", "bare"))
            print(f"{name:35}{cells}{next(ratios):>9.2f}{next(ratios):>8.2f}", flush=True)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
