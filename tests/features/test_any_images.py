"""Whatever images come: finite features of each image alone, or an error that says why."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from sklin import HOG, BagOfVisualWords, ColorHistogram

TRANSFORMERS = [
    HOG(),
    HOG(grid=(2, 2)),
    HOG(voting="linear", signed=True, block_norm="L1-sqrt"),
    ColorHistogram(),
    ColorHistogram(color_space="hsv", voting="linear"),
    ColorHistogram(color_space="lab", joint=False),
    BagOfVisualWords(3, n_patches=50, random_state=0),
    BagOfVisualWords(3, n_patches=50, encoding="triangle", descriptor="pixels", random_state=0),
]
DTYPES = ["u1", "bool", "i2", "<f4", ">f4", "<f8", ">f8"]
LAYOUTS = {
    "C": lambda images: images,
    "Fortran": np.asfortranarray,
    "reversed": lambda images: images[::-1, ::-1].copy()[::-1, ::-1],
    "strided": lambda images: np.repeat(np.repeat(images, 2, axis=0), 3, axis=2)[::2, :, ::3],
    "list": list,
}


@st.composite
def batches(draw):
    """Images (n, h, w) or (n, h, w, c), of noise, of one value, or of a few."""
    n, h, w = draw(st.integers(1, 4)), draw(st.integers(1, 24)), draw(st.integers(1, 24))
    shape = (n, h, w, *draw(st.sampled_from([(), (1,), (3,)])))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    kind = draw(st.sampled_from(["noise", "flat", "steps", "black"]))
    values = {
        "noise": rng.random(shape),
        "flat": np.full(shape, rng.random()),
        "steps": rng.integers(2, size=shape).astype(float),
        "black": np.zeros(shape),
    }[kind]
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    if dtype.kind == "f":
        low, high = (-30, 30) if dtype.itemsize == 4 else (-150, 150)
        values = (values - draw(st.sampled_from([0, 0.5]))) * 10.0 ** draw(st.integers(low, high))
    elif dtype.kind in "iu":
        values = values * 255
    return values.astype(dtype)


def features_of(transformer, images):
    """Features, or the message of a ValueError that names what is wrong."""
    try:
        return clone(transformer).fit_transform(images)
    except ValueError as error:
        message = str(error)
        assert any(word in message for word in ("X", "image", *transformer.get_params()))
        return message


def check(transformer, images, layout):
    arranged = LAYOUTS[layout](images)
    before = images.copy()
    if layout != "list" and images.dtype != bool:
        arranged.setflags(write=False)
    found = features_of(transformer, arranged)
    np.testing.assert_array_equal(images, before)
    native = np.ascontiguousarray(images, dtype=images.dtype.newbyteorder("="))
    plain = features_of(transformer, native)
    # float32 has a smaller range than float64, which big-endian numbers become; and an array of
    # grey images three pixels wide is taken for one in colors, a list of them is not.
    if layout != "list" and images.dtype == native.dtype:
        assert isinstance(found, str) == isinstance(plain, str)
    if isinstance(found, str) or isinstance(plain, str):
        return None
    assert np.isfinite(plain).all()
    assert plain.shape == (len(images), plain.shape[1])
    for features, of in ((found, images), (plain, native)):  # big-endian numbers become float64
        single = of.dtype in (np.uint8, np.float32)
        assert features.dtype == (np.float32 if single else np.float64)
    if isinstance(transformer, BagOfVisualWords):
        # Which of two equal words is nearest, and how far one is that is a patch itself, is left to
        # rounding. Patches of real images are held by test_streaming.
        return "features"
    tolerance = 1e-5 * np.abs(plain).max(initial=0)
    model = clone(transformer).fit(native)
    alone = np.concatenate([model.transform(image[np.newaxis]) for image in native])
    np.testing.assert_allclose(alone, plain, rtol=0, atol=tolerance)
    if found.dtype == plain.dtype:  # rounding can move a color that lies on the edge of two bins
        np.testing.assert_allclose(found, plain, rtol=0, atol=tolerance)
    return "features"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n", [40, pytest.param(800, marks=pytest.mark.slow)])
@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
def test_any_images(transformer, n):
    seen = set()

    @settings(
        max_examples=n, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    @given(batches(), st.sampled_from(list(LAYOUTS)))
    def law(images, layout):
        seen.add(check(transformer, images, layout) == "features")

    law()
    assert True in seen
