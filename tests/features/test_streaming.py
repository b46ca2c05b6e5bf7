"""Transforms in a stream: bounded memory, any backend of joblib, dask, progress."""

import time
import tracemalloc

import numpy as np
import pytest
from joblib import parallel_config
from PIL import Image
from threadpoolctl import threadpool_info

from sklin.features import HOG, BagOfVisualWords, ColorHistogram
from sklin.features import _progress as progress_module
from sklin.features._transformer import ImageTransformer

RNG = np.random.default_rng(0)
THUMBNAILS = RNG.integers(256, size=(300, 32, 32, 3), dtype=np.uint8)
TRANSFORMERS = [
    HOG(),
    ColorHistogram(),
    BagOfVisualWords(10, n_patches=1000, random_state=0),
]


# What takes seconds is done with one transformer, and with the others among the slow tests.
ONE_QUICK = [
    pytest.param(transformer, marks=[pytest.mark.slow] * (i > 0))
    for i, transformer in enumerate(TRANSFORMERS)
]


def ids(transformer):
    return type(transformer).__name__


@pytest.mark.parametrize("transformer", ONE_QUICK, ids=ids)
@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_backends_of_joblib_change_nothing(transformer, backend):
    alone = transformer.fit(THUMBNAILS).transform(THUMBNAILS)
    with parallel_config(backend=backend, n_jobs=2):
        together = transformer.transform(THUMBNAILS)
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=ids)
@pytest.mark.parametrize("pixels", [1, 40_000])
def test_chunks_and_threads_change_nothing(transformer, pixels, monkeypatch):
    few = THUMBNAILS[:50]
    whole = transformer.fit(THUMBNAILS).transform(few)
    monkeypatch.setattr(type(transformer), "_pixels_per_chunk", pixels)
    for n_jobs in (1, 2, 3):
        parts = transformer.set_params(n_jobs=n_jobs).transform(few)
        # A product of fewer rows may add up in another order.
        np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-3)
    transformer.set_params(n_jobs=None)


def peak_beside_output(transformer, X):
    tracemalloc.start()
    features = transformer.transform(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak - features.nbytes


@pytest.mark.parametrize("transformer", ONE_QUICK, ids=ids)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_memory_does_not_grow_with_thumbnails(transformer, n_jobs, tmp_path):
    X = np.memmap(tmp_path / "X.dat", np.uint8, "w+", shape=(2400, 32, 32, 3))
    X[:] = np.tile(THUMBNAILS, (8, 1, 1, 1))
    transformer.fit(X).set_params(n_jobs=n_jobs)
    few, many = (peak_beside_output(transformer, X[:n]) for n in (1200, 2400))
    transformer.set_params(n_jobs=None)
    # Parts that are made but not yet copied: a few chunks a job, in any order.
    assert many < few + 10e6
    assert many < 80e6 * n_jobs


@pytest.mark.parametrize(
    "transformer",
    [
        ColorHistogram(),
        pytest.param(HOG(grid=(8, 8)), marks=pytest.mark.slow),
        pytest.param(BagOfVisualWords(10, random_state=0), marks=pytest.mark.slow),
    ],
    ids=ids,
)
def test_memory_does_not_grow_with_photographs(transformer, tmp_path):
    paths = [tmp_path / f"{i}.jpg" for i in range(5)]
    noise = RNG.integers(256, size=(150, 200, 3), dtype=np.uint8)
    for path in paths:  # of 2 megapixels, 6 megabytes each
        Image.fromarray(noise).resize((1600, 1200)).save(path)
    transformer.fit(paths[:2])
    two, five = (peak_beside_output(transformer, paths[:n]) for n in (2, 5))
    assert five < two + 8e6
    assert five < 60e6


def test_one_thread_of_blas_a_job():
    class Seen(ImageTransformer):
        def __init__(self, image_shape=None, n_jobs=None, verbose=False):
            self.image_shape, self.n_jobs, self.verbose = image_shape, n_jobs, verbose

        def _features(self, images):
            blas = [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]
            return np.full((len(images), 1), max(blas))

    transformer = Seen(n_jobs=2).fit(THUMBNAILS)
    before = [lib["num_threads"] for lib in threadpool_info()]
    assert (transformer.transform(THUMBNAILS) == 1).all()
    assert [lib["num_threads"] for lib in threadpool_info()] == before


class Slow(ImageTransformer):
    """Takes its time, and stumbles on black images."""

    _pixels_per_chunk = 1

    def __init__(self, image_shape=None, n_jobs=None, verbose=False):
        self.image_shape, self.n_jobs, self.verbose = image_shape, n_jobs, verbose

    def _features(self, images):
        time.sleep(0.01)
        if not images.any():
            raise ArithmeticError("black")
        return images.mean(axis=(1, 2))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_errors_of_workers_come_out(n_jobs):
    images = THUMBNAILS[:20].copy()
    images[7] = 0
    transformer = Slow(n_jobs=n_jobs).fit(images)
    with pytest.raises(ArithmeticError, match="black"):
        transformer.transform(images)
    assert transformer.transform(images[:7]).shape == (7, 3)


def test_progress_is_said_of_long_transforms_only(capsys, monkeypatch):
    transformer = Slow(verbose=True).fit(THUMBNAILS)
    transformer.transform(THUMBNAILS[:5])
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress_module, "PATIENCE", 0.02)
    transformer.transform(THUMBNAILS[:20])
    lines = capsys.readouterr().err.splitlines()
    assert 1 < len(lines) < 5
    assert lines[-1].startswith("Slow: 20 of 20 images, 0 s")
    transformer.set_params(verbose=False).transform(THUMBNAILS[:20])
    assert capsys.readouterr().err == ""
    with pytest.raises(TypeError, match="verbose must be True or False, got 2"):
        Slow(verbose=2).fit(THUMBNAILS)


# dask

distributed = pytest.importorskip("distributed")
dask_array = pytest.importorskip("dask.array")


@pytest.fixture(scope="module")
def cluster():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster),
    ):
        yield cluster


@pytest.mark.parametrize("transformer", ONE_QUICK, ids=ids)
def test_a_dask_cluster_changes_nothing(transformer, cluster, tmp_path):
    alone = transformer.fit(THUMBNAILS).transform(THUMBNAILS)
    with parallel_config(backend="dask"):
        np.testing.assert_array_equal(transformer.transform(THUMBNAILS), alone)


def test_files_are_read_by_the_workers(cluster, tmp_path):
    paths = [tmp_path / f"{i}.png" for i in range(4)]
    for path, image in zip(paths, THUMBNAILS, strict=False):
        Image.fromarray(image[: 20 + int(path.stem)]).save(path)
    alone = ColorHistogram().fit_transform(paths)
    with parallel_config(backend="dask"):
        np.testing.assert_array_equal(ColorHistogram().fit_transform(paths), alone)


@pytest.mark.parametrize(
    "meta", [{}, {"meta": np.empty((0, 0), np.float32)}], ids=["asked", "told"]
)
def test_blocks_of_a_dask_array(meta):
    transformer = HOG().fit(THUMBNAILS)
    blocks = dask_array.from_array(THUMBNAILS, chunks=(90, 32, 32, 3))
    features = blocks.map_blocks(
        transformer.transform,
        dtype=np.float32,
        drop_axis=(2, 3),
        chunks=(blocks.chunks[0], 324),
        **meta,
    )
    np.testing.assert_array_equal(features.compute(), transformer.transform(THUMBNAILS))
