"""The machine runs out of memory, disk or workers: an error, and nothing lost by it.

Each in a process of its own, which the limits are set for and which may be killed.
"""

import json
import os
import subprocess
import sys
import textwrap

import pytest
from PIL import Image

pytest.importorskip("resource", reason="limits of processes are a thing of Unix")

# Arrays of more than 64 KB are asked of the system and given back to it. What is small has a heap
# in advance: numpy 2.4 crashes where the few hundred bytes of a ufunc's iterator are not to be had.
MALLOC = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(2**16),
    "MALLOC_TOP_PAD_": str(2**22),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
}


def outcomes(code, *arguments, environ=None, timeout=300):
    """What a script prints last, read as JSON; a crash and a hang are errors."""
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", **(environ or {})},
    )
    assert found.returncode == 0, found.stderr[-2000:]
    return json.loads(found.stdout.splitlines()[-1])


MEMORY = """
    import collections, json, os, resource, sys, warnings
    import numpy as np
    from sklearn.base import clone
    from sklin import HOG, BagOfVisualWords, ColorHistogram, LinearSVMClassifier, SoftmaxClassifier

    warnings.simplefilter("ignore")
    n, rng = int(sys.argv[1]), np.random.default_rng(0)
    X = rng.normal(size=(8000, 200))
    y = np.argmax(X[:, :5] + rng.normal(size=(8000, 5)), axis=1)
    images = rng.integers(256, size=(2000, 32, 32, 3), dtype=np.uint8)
    MODELS = [
        SoftmaxClassifier(alpha=0.1, tol=1e-4),
        SoftmaxClassifier(alpha=0.1, tol=1e-4, optimizer="lbfgs"),
        SoftmaxClassifier(alpha=0.01, tol=1e-3, regularizer="l1"),
        LinearSVMClassifier(alpha=0.1, tol=1e-2),
        SoftmaxClassifier(optimizer="sgd", max_iter=1, tol=1e9, random_state=0),
        HOG(),
        ColorHistogram(),
        BagOfVisualWords(n_words=20, n_patches=5000, random_state=0),
    ]

    def used(what):
        lines = open("/proc/self/status").read().splitlines()
        return next(int(x.split()[1]) * 1024 for x in lines if x.startswith(what))

    def fit(model):
        return model.fit(X, y) if hasattr(model, "alpha") else model.fit(images)

    def answer(model):
        return model.decision_function(X) if hasattr(model, "alpha") else model.transform(images)

    def same(model, before):
        now = vars(model)
        return now.keys() == before.keys() and all(now[k] is before[k] for k in before)

    seen = collections.Counter()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    for model in MODELS:
        expected = answer(fit(clone(model)))
        for i in range(n):
            model = fit(clone(model)) if i % 2 else clone(model)
            before, failed = dict(vars(model)), False
            # From nearly nothing to what is enough for all of them.
            allowed = used("VmSize") + int(2**20 * 10 ** rng.uniform(-1.5, 1.5))
            resource.setrlimit(resource.RLIMIT_AS, (allowed, hard))
            try:
                fit(model)
                answer(model)
            except MemoryError:
                failed = True
            finally:
                resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
            kept = failed and same(model, before)
            if not kept or i % 2:
                np.testing.assert_allclose(answer(model), expected, atol=1e-6)
            np.testing.assert_allclose(answer(fit(model)), expected, atol=1e-6)
            seen["as it was" if kept else "fitted"] += 1
    print(json.dumps(seen))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("n", [1, pytest.param(15, marks=pytest.mark.slow)])
def test_too_little_memory_is_an_error_that_loses_nothing(n):
    """Serially: Thread.start of CPython waits for ever where a new thread finds no memory."""
    seen = outcomes(MEMORY, n, environ=MALLOC, timeout=500)
    assert sum(seen.values()) == 8 * n
    assert min(seen["as it was"], seen["fitted"]) >= n


KILLED = """
    import collections, json, os, signal, sys
    import numpy as np
    from joblib import parallel_config
    from joblib.externals.loky.process_executor import TerminatedWorkerError
    from sklin import HOG

    PARENT = os.getpid()

    class Deadly(HOG):
        # Its instances go to the workers by value: this class is of no module.
        _pixels_per_chunk = 100_000

        def _features(self, images):
            if images[0].min() == 255 and os.getpid() != PARENT:
                os.kill(os.getpid(), signal.SIGKILL)
            return super()._features(images)

    n, rng = int(sys.argv[1]), np.random.default_rng(0)
    images = rng.integers(255, size=(2000, 16, 16), dtype=np.uint8)
    model = Deadly(pixels_per_cell=(4, 4), n_jobs=2).fit(images)
    expected, seen = model.transform(images), collections.Counter()
    before = dict(vars(model))
    with parallel_config(backend="loky"):
        for _ in range(n):
            white = images.copy()
            white[rng.integers(5) * 390 : ][0] = 255  # the first of a chunk is looked at
            try:
                model.transform(white)
            except TerminatedWorkerError as error:
                seen["said so"] += "worker process" in str(error)
            assert all(vars(model)[name] is before[name] for name in before)
            # New workers take over.
            seen["right afterwards"] += bool((model.transform(images) == expected).all())
    print(json.dumps(seen))
"""


@pytest.mark.parametrize("n", [1, pytest.param(20, marks=pytest.mark.slow)])
def test_a_worker_that_is_killed_ends_the_transform_with_an_error(n):
    assert outcomes(KILLED, n) == {"said so": n, "right afterwards": n}


DISK = """
    import collections, json, pathlib, resource, sys, warnings
    import numpy as np
    from sklearn.pipeline import make_pipeline
    import sklin
    from sklin.__main__ import main

    n, folder, images = int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    rng, seen = np.random.default_rng(0), collections.Counter()
    X, y = rng.integers(256, size=(90, 16, 16), dtype=np.uint8), np.arange(90) % 3
    file, cache, results = folder / "model.skops", folder / "cache", folder / "results"
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def full(n_bytes, call):
        # No file may grow beyond so many bytes: what a full disk says, the system says here too.
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
        try:
            return call()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

    def pipeline(memory):
        steps = sklin.HOG(pixels_per_cell=(4, 4)), sklin.SoftmaxClassifier()
        return make_pipeline(*steps, memory=memory)

    model = pipeline(None).fit(X, y)
    expected = model.decision_function(X)
    sklin.save(model, file)
    whole = file.read_bytes()
    warnings.simplefilter("ignore")  # joblib's: that it could not keep a result
    for i in range(n):
        try:
            full(int(rng.integers(len(whole))), lambda: sklin.save(model, file))
        except OSError:
            seen["not saved"] += file.read_bytes() == whole and len(list(folder.iterdir())) <= 2
        # A result that could not be kept whole is not found again.
        memory = str(cache / str(i))
        fits = [full(10 ** int(rng.integers(7)), lambda: pipeline(memory).fit(X, y))]
        fits += [pipeline(memory).fit(X, y) for _ in range(2)]
        scores = [fit.decision_function(X) for fit in fits]
        seen["cached"] += all(np.array_equal(s, expected) for s in scores)
    seen["status"] = full(100, lambda: main([images, "--output", str(results)]))
    seen["left"] = len(list(results.iterdir()))
    print(json.dumps(seen))
"""


@pytest.mark.parametrize("n", [2, pytest.param(200, marks=pytest.mark.slow)])
def test_a_full_disk_leaves_nothing_half_written(n, tmp_path):
    pytest.importorskip("skops.io")
    images = tmp_path / "images"
    for color in ("red", "blue"):
        (images / color).mkdir(parents=True)
        for i in range(4):
            Image.new("RGB", (16 + i, 16), color).save(images / color / f"{i}.png")
    (tmp_path / "out").mkdir()
    assert outcomes(DISK, n, tmp_path / "out", images) == {
        "not saved": n,
        "cached": n,
        "status": 2,
        "left": 0,
    }
