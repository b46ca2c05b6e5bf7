"""Saving and loading: the model that comes back is the same, and no file does harm."""

import json
import os
import re
import stat
import subprocess
import sys
import threading
import warnings
import zipfile
from functools import partial
from types import FunctionType

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import sklin
from sklin import (
    HOG,
    BagOfVisualWords,
    ColorHistogram,
    LinearSVMClassifier,
    LinearSVMClassifierCV,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    losses,
    optimizers,
    regularizers,
)
from sklin._component import Component
from sklin.commands._comparison import feature_sets, reduced
from sklin.features._encodings import ENCODERS
from sklin.optimizers import OPTIMIZERS, SGD, CosineDecay, InverseDecay
from sklin.persistence import safe_types
from sklin.regularizers import REGULARIZERS, ElasticNet, GroupL2

skops_io = pytest.importorskip("skops.io")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(45, 6))
Y = np.array(["ant", "bee", "cow"])[np.arange(45) % 3]
X[Y == "bee"] += 1
IMAGES = RNG.integers(256, size=(18, 16, 20, 3), dtype=np.uint8)
KINDS = np.arange(18) % 3


def round_trip(model, folder, **options):
    sklin.save(model, folder / "model.skops")
    return sklin.load(folder / "model.skops", **options)


def same(a, b):
    """Whether two values are equal, into arrays, containers, components and generators."""
    if isinstance(a, BaseEstimator):
        return type(a) is type(b) and same(vars(a), vars(b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        if a.dtype == object:
            return a.shape == b.shape and same(a.tolist(), b.tolist())
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, np.random.RandomState):
        return same(a.get_state(legacy=False), b.get_state(legacy=False))
    if isinstance(a, np.random.Generator):
        return same(a.bit_generator.state, b.bit_generator.state)
    if sparse.issparse(a):
        return type(a) is type(b) and (a != b).nnz == 0
    if hasattr(a, "__dict__") and not isinstance(a, type | FunctionType):
        return type(a) is type(b) and same(vars(a), vars(b))
    return type(a) is type(b) and (a == b or (a != a and b != b))


def named(model):
    """What an estimator is, without addresses: every process of the test run must say the same."""
    return re.sub(r" at 0x\w+", "", " ".join(repr(model).split()))


def fitted(model, X=X, y=Y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y)


def serves(model):
    """Whether a classifier's optimizer serves its loss and its regularizer."""
    try:
        objective = model.make_objective(X, Y)[0]
        optimizers.OPTIMIZERS[model.optimizer]().check_objective(objective)
    except ValueError:
        return False
    return True


CLASSIFIERS = [
    model
    for optimizer in OPTIMIZERS
    for regularizer in [name for name in REGULARIZERS if name != "group_l2"]
    for model in [
        SoftmaxClassifier(optimizer=optimizer, regularizer=regularizer),
        LinearSVMClassifier(optimizer=optimizer, regularizer=regularizer, loss="squared_hinge"),
        LinearSVMClassifier(optimizer=optimizer, regularizer=regularizer),
    ]
    if serves(model)
]
OBJECTS = [
    SoftmaxClassifier(regularizer=GroupL2([0, 0, 1, 1, 2, 2]), alpha=1e-2),
    SoftmaxClassifier(regularizer=ElasticNet(l1_ratio=0.3), class_weight={"ant": 2, "bee": 0.5}),
    SoftmaxClassifier(optimizer=SGD(InverseDecay(0.05, decay=0.2)), random_state=0),
    SoftmaxClassifier(optimizer=SGD(CosineDecay()), random_state=np.random.RandomState(3)),
    SoftmaxClassifier(early_stopping=True, random_state=0, class_weight="balanced"),
    LinearSVMClassifier(loss=losses.CrammerSinger(margin=2.0)),
    LinearSVMClassifier(multi_class="crammer_singer"),
    LinearSVMClassifier(multi_class="one_vs_rest", fit_intercept=False),
    SoftmaxClassifierCV(alphas=3, cv=StratifiedKFold(2, shuffle=True, random_state=1)),
    LinearSVMClassifierCV(alphas=[0.1, 1.0], cv=2, scoring="balanced_accuracy"),
    GridSearchCV(
        make_pipeline(StandardScaler(), SoftmaxClassifier()),
        {"softmaxclassifier__alpha": [1e-2, 1e-1]},
        cv=2,
    ),
    GridSearchCV(SoftmaxClassifier(), {"alpha": [0.1, 1]}, cv=2, scoring="f1_macro"),
    CalibratedClassifierCV(LinearSVMClassifier(alpha=0.1), cv=2),
    CalibratedClassifierCV(LinearSVMClassifier(alpha=0.1), cv=2, method="isotonic"),
    make_pipeline(
        ColumnTransformer(
            [("s", StandardScaler(), [0, 1]), ("m", MinMaxScaler(), slice(2, 4))],
            remainder="passthrough",
        ),
        SoftmaxClassifier(),
    ),
]


@pytest.mark.parametrize("model", CLASSIFIERS + OBJECTS, ids=named)
def test_classifiers_come_back_as_they_were(model, tmp_path):
    model = clone(model)
    assert same(round_trip(model, tmp_path).get_params(), model.get_params())  # not fitted
    if hasattr(model, "max_iter"):
        model.set_params(max_iter=20)
    model = fitted(model)
    copy = round_trip(model, tmp_path)
    assert same(copy, model)
    for name in ("predict", "predict_proba", "decision_function"):
        if hasattr(model, name):
            assert np.array_equal(getattr(copy, name)(X), getattr(model, name)(X))


@pytest.mark.parametrize(
    "transformer",
    [
        HOG(),
        HOG(grid=(2, 2), signed=True, voting="linear", block_sigma=0.5),
        ColorHistogram(),
        *(BagOfVisualWords(5, encoding=name, random_state=0, n_patches=300) for name in ENCODERS),
        BagOfVisualWords(5, grid=[(1, 1), (2, 2)], random_state=np.random.RandomState(0)),
        *feature_sets().values(),
        FeatureUnion([("colour", ColorHistogram(bins=3)), ("HoG", HOG(grid=(2, 2)))]),
    ],
    ids=named,
)
def test_pipelines_of_images_come_back_as_they_were(transformer, tmp_path):
    images = list(IMAGES)
    pipeline = make_pipeline(FunctionTransformer(reduced), transformer, SoftmaxClassifier())
    pipeline = fitted(pipeline, images, KINDS)
    copy = round_trip(pipeline, tmp_path)
    assert same(copy, pipeline)
    assert np.array_equal(copy.predict_proba(images), pipeline.predict_proba(images))


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam", SGD(momentum=0.9, average=True)])
def test_a_stream_goes_on_as_if_nothing_had_been(optimizer, tmp_path):
    model = SoftmaxClassifier(optimizer=optimizer, random_state=0)
    model.partial_fit(X[:20], Y[:20], classes=np.unique(Y))
    copy = round_trip(model, tmp_path)
    for part in (slice(20, 30), slice(30, None)):
        model.partial_fit(X[part], Y[part])
        copy.partial_fit(X[part], Y[part])
    assert same(copy, model)


def test_every_component_with_a_public_name_is_trusted(tmp_path):
    rooms = (losses, regularizers, optimizers)
    classes = {thing for room in rooms for thing in vars(room).values() if isinstance(thing, type)}
    for cls in classes:
        if issubclass(cls, Component) and cls.__module__.startswith("sklin."):
            if cls.__name__ in ("GroupL2", "Loss", "MarginLoss", "Regularizer", "Optimizer"):
                continue  # needs groups, see above; or is a base
            if cls.__name__ in ("MiniBatch", "Schedule"):
                continue
            assert same(round_trip(cls(), tmp_path), cls())


def test_generators_come_back_where_they_were(tmp_path):
    generator = np.random.default_rng(0)
    generator.normal(size=7)
    copy = round_trip(FunctionTransformer(kw_args={"rng": generator}), tmp_path).kw_args["rng"]
    assert np.array_equal(copy.normal(size=5), generator.normal(size=5))


def test_names_that_are_trusted_are_what_they_say():
    """A function that opens files, under an innocent name, would be a door."""
    for name, kinds in safe_types().items():
        module, _, own = name.rpartition(".")
        thing = getattr(sys.modules[module], own)
        assert kinds <= {"ObjectNode", "TypeNode", "FunctionNode", "DTypeNode"}
        assert isinstance(thing, type) == ("FunctionNode" not in kinds)
        assert name == "numpy.dtype" or module.startswith(("sklin.", "sklearn."))


# Hostile files


def node(name, loader, **entries):
    module, _, own = name.rpartition(".")
    return {"__module__": module, "__class__": own, "__loader__": loader, **entries}


def text(value):
    return node("builtins.str", "JsonNode", content=json.dumps(value), is_json=True)


def forge(path, schema, **members):
    schema = {**schema, "protocol": 2, "_skops_version": "0.16.0"}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", json.dumps(schema))
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def arguments(*values):
    return node("builtins.tuple", "TupleNode", content=list(values))


def calls(name, value):
    """Ways in which a schema can ask for name(value) or name([value])."""
    yield node(name, "ConstructorFromReduceNode", content=arguments(text(value)))
    yield node(name, "ListNode", content=[text(value)])
    yield node(name, "SetNode", content=[text(value)])
    yield node(name, "DefaultDictNode", content={"main": text(value), "default_factory": text(0)})
    types = node("builtins.list", "ListNode", content=[node(name, "TypeNode")])
    yield node("builtins.dict", "DictNode", key_types=types, content={value: text(0)})
    yield node(
        "functools.partial",
        "PartialNode",
        content={
            "func": node(name, "FunctionNode"),
            "args": arguments(text(value)),
            "kwds": text({}),
            "namespace": text(None),
        },
    )
    function = node(name, "FunctionNode")
    types = node("builtins.list", "ListNode", content=[node("builtins.str", "TypeNode")] * 2)
    attributes = {"func": function, "kw_args": text({})}
    state = node("builtins.dict", "DictNode", key_types=types, content=attributes)
    yield node(
        "sklearn.preprocessing._function_transformer.FunctionTransformer",
        "ObjectNode",
        content=state,
    )
    yield node(name, "ObjectNode", content=text({}))


HARMFUL = ["posix.system", "builtins.eval", "builtins.exec", "builtins.open", "__main__.Mine"]


@pytest.mark.parametrize("name", HARMFUL)
@pytest.mark.parametrize("way", range(8))
def test_harmful_files_are_refused_by_name(name, way, tmp_path):
    mark = tmp_path / "it ran"
    value = f"touch '{mark}'" if name == "posix.system" else str(mark)
    if name in ("builtins.eval", "builtins.exec"):
        value = f"open({str(mark)!r}, 'w')"
    schema = list(calls(name, value))[way]
    with pytest.raises(ValueError) as caught:
        sklin.load(forge(tmp_path / "model.skops", schema))
    assert "is not trusted" in str(caught.value)
    assert repr(name) in str(caught.value)
    assert "trusted=[" in str(caught.value)
    assert "model.skops" in str(caught.value)
    assert not mark.exists()


def test_nothing_is_imported_before_it_is_trusted(tmp_path, monkeypatch):
    (tmp_path / "wicked.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    for schema in calls("wicked.thing", "x"):
        with pytest.raises(ValueError, match=r"not trusted: .*'wicked\.thing'"):
            sklin.load(forge(tmp_path / "model.skops", schema))


@pytest.mark.parametrize("name", ["sklin.commands._comparison.thumbnails", "sklin.HOG"])
def test_a_trusted_name_is_trusted_in_its_place_alone(name, tmp_path):
    """skops would call thumbnails([...]), were it given as the type of a list."""
    if name == "sklin.HOG":
        name = "sklin.features._hog.HOG"
    for schema in list(calls(name, "x"))[:4]:
        with pytest.raises(ValueError, match="not trusted"):
            sklin.load(forge(tmp_path / "model.skops", schema))


@pytest.mark.parametrize(
    "name",
    [
        "sklin.persistence.os",
        "sklin.persistence.save",
        "sklin.load",
        "sklin.datasets._files.open_image",
        "sklin.datasets.load_image_folder",
        "sklin.features._album.Album",
    ],
)
def test_sklins_own_functions_are_not_trusted_for_their_name(name, tmp_path):
    for schema in calls(name, "x"):
        with pytest.raises(ValueError, match=f"not trusted: .*'{name}'"):
            sklin.load(forge(tmp_path / "model.skops", schema))


def test_all_untrusted_names_are_listed_at_once(tmp_path):
    content = [node(name, "FunctionNode") for name in ("b.second", "a.first")]
    path = forge(tmp_path / "model.skops", node("builtins.list", "ListNode", content=content))
    with pytest.raises(ValueError, match=r"trusted=\['a.first', 'b.second'\]"):
        sklin.load(path)


def halved(images):
    return np.asarray(images) / 2


class Own(BaseEstimator):
    """A class that sklin does not know."""

    def __init__(self, number=1):
        self.number = number


def test_what_is_ones_own_is_loaded_once_it_is_trusted(tmp_path):
    model = make_pipeline(FunctionTransformer(halved), Own(3))
    path = tmp_path / "model.skops"
    sklin.save(model, path)
    names = [f"{thing.__module__}.{thing.__name__}" for thing in (Own, halved)]
    with pytest.raises(ValueError, match="not trusted") as caught:
        sklin.load(path)
    assert all(repr(name) in str(caught.value) for name in names)
    with pytest.raises(ValueError, match="not trusted") as caught:
        sklin.load(path, trusted=[Own])
    assert repr(names[0]) not in str(caught.value)
    for trusted in (names, [Own, halved], (names[0], halved)):
        copy = sklin.load(path, trusted=trusted)
        assert copy[0].func is halved
        assert copy[1].number == 3


@pytest.mark.parametrize("trusted", [True, "posix.system", None, [3], 7])
def test_trusted_is_a_sequence_of_names(trusted, tmp_path):
    sklin.save(HOG(), tmp_path / "model.skops")
    with pytest.raises(TypeError, match="trusted must"):
        sklin.load(tmp_path / "model.skops", trusted=trusted)


@pytest.mark.parametrize("kind", ["nested", "wide", "array", "repeated", "archive", "bzip2"])
def test_bombs_are_refused_unopened(kind, tmp_path):
    path = tmp_path / "model.skops"
    array = partial(node, "numpy.ndarray", "NdArrayNode", type="numpy")
    if kind == "nested":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("schema.json", "[" * 100_000 + "]" * 100_000)
    elif kind == "wide":
        forge(path, text("x" * 10_000_000))
    elif kind == "array":
        forge(path, array(file="1.npy"), **{"1.npy": bytes(10_000_000)})
    elif kind == "repeated":
        content = [array(file="1.npy", __id__=i) for i in range(1000)]
        schema = node("builtins.list", "ListNode", content=content)
        forge(path, schema, **{"1.npy": bytes(10_000)})
    elif kind == "archive":
        inner = forge(tmp_path / "inner", {}, **{"data.npy": bytes(10_000_000)}).read_bytes()
        schema = node("scipy.sparse._csr.csr_matrix", "SparseMatrixNode", type="scipy", file="1")
        forge(path, schema, **{"1": inner})
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
            archive.writestr("schema.json", json.dumps(text("x")))
    assert path.stat().st_size < 1_000_000
    with pytest.raises(ValueError, match=r"model\.skops"):
        sklin.load(path, max_bytes=5_000_000)


def test_an_array_that_claims_to_be_huge(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
    header = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    schema = node("numpy.ndarray", "NdArrayNode", type="numpy", file="1.npy")
    with pytest.raises(ValueError, match="cannot be read as a model"):
        sklin.load(forge(tmp_path / "model.skops", schema, **{"1.npy": header}))


@pytest.mark.parametrize(
    "content", [b"", b"no zip", b"PK\x05\x06" + bytes(18), b"\x80\x04N."], ids=repr
)
def test_what_is_no_skops_file_is_named(content, tmp_path):
    path = tmp_path / "model.skops"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.skops' cannot be read as a model"):
        sklin.load(path)


def test_what_is_no_file_at_all(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        sklin.load(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="is no file"):
        sklin.load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="is no file"):
        sklin.load(tmp_path / "pipe")


def broken(data, rng):
    """The bytes of a file, cut short or with a few of them changed."""
    if rng.random() < 0.3:
        return data[: rng.integers(len(data))]
    data = np.frombuffer(data, np.uint8).copy()
    where = rng.integers(len(data), size=rng.integers(1, 4))
    data[where] ^= rng.integers(1, 256, size=len(where), dtype=np.uint8)
    return data.tobytes()


def fuzz(n, seed, folder):
    model = fitted(make_pipeline(StandardScaler(), SoftmaxClassifier(class_weight={"ant": 2})))
    path = folder / "model.skops"
    sklin.save(model, path)
    data, rng = path.read_bytes(), np.random.default_rng(seed)
    refused = 0
    for _ in range(n):
        path.write_bytes(broken(data, rng))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "(?s).*does not say with which releases")
            try:
                copy = sklin.load(path)
            except ValueError as error:
                assert "model.skops" in str(error)
                refused += 1
            else:
                assert same(copy, model)
    return refused / n


def test_broken_files_are_refused_or_the_same(tmp_path):
    assert 0.5 < fuzz(300, 0, tmp_path) < 1


@pytest.mark.slow
def test_many_broken_files_are_refused_or_the_same(tmp_path):
    assert 0.5 < fuzz(10_000, 1, tmp_path) < 1


def test_schemas_with_parts_exchanged_are_refused_or_harmless(tmp_path):
    """Whoever breaks a file with care has its checksums right."""
    sklin.save(fitted(make_pipeline(StandardScaler(), SoftmaxClassifier())), tmp_path / "model")
    with zipfile.ZipFile(tmp_path / "model") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    words = members.pop("schema.json").decode().split('"')
    rng = np.random.default_rng(0)
    for _ in range(200):
        i, j = rng.integers(len(words), size=2)
        swapped = list(words)
        swapped[i], swapped[j] = swapped[j], swapped[i]
        with zipfile.ZipFile(tmp_path / "new.skops", "w") as archive:
            for name, content in {**members, "schema.json": '"'.join(swapped)}.items():
                archive.writestr(name, content)
        try:
            sklin.load(tmp_path / "new.skops")
        except ValueError as error:
            assert "new.skops" in str(error)


# Versions


def with_versions(path, **changes):
    """Change the versions that a file says it was saved with; None leaves them out."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    versions = json.loads(members.pop("versions.json"))
    versions.update({name.replace("_", "-"): value for name, value in changes.items()})
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        if changes:
            archive.writestr("versions.json", json.dumps(versions))


def test_the_releases_are_in_the_file(tmp_path):
    sklin.save(HOG(), tmp_path / "model")
    with zipfile.ZipFile(tmp_path / "model") as archive:
        versions = json.loads(archive.read("versions.json"))
    assert set(versions) == {"sklin", "scikit-learn", "numpy", "scikit-image", "skops"}
    assert versions["sklin"] == sklin.__version__
    assert versions["numpy"] == np.__version__


def test_other_releases_are_told_in_one_sentence(tmp_path):
    path = tmp_path / "model.skops"
    sklin.save(fitted(make_pipeline(StandardScaler(), SoftmaxClassifier())), path)
    sklin.load(path)  # warnings are errors here
    with_versions(path, numpy="1.0", skops="0.1", scikit_image="0.1")
    sklin.load(path)
    with_versions(path, scikit_learn="1.0.2")
    with pytest.warns(UserWarning) as caught:
        sklin.load(path)
    [warning] = caught
    assert "scikit-learn 1.0.2 (here 1." in str(warning.message)
    assert "numpy 1.0 (here " in str(warning.message)
    assert "sklin 0" not in str(warning.message)
    assert warning.filename == __file__
    with_versions(path)
    with pytest.warns(UserWarning, match="does not say with which releases"):
        sklin.load(path)


def test_a_patch_of_scikit_learn_is_silent(tmp_path, monkeypatch):
    path = tmp_path / "model.skops"
    import sklearn.base

    monkeypatch.setattr(sklearn.base, "__version__", f"{sklearn.__version__}.post99")
    sklin.save(fitted(StandardScaler()), path)
    monkeypatch.undo()
    sklin.load(path)  # scikit-learn itself would warn, once for each estimator


@pytest.mark.parametrize("versions", ["[1, 2]", '{"sklin": 3}', '{"sklin": "\\u001b[2J"}', "{"])
def test_versions_that_are_none_are_refused(versions, tmp_path):
    sklin.save(HOG(), tmp_path / "model")
    with_versions(tmp_path / "model")
    with zipfile.ZipFile(tmp_path / "model", "a") as archive:
        archive.writestr("versions.json", versions)
    with pytest.raises(ValueError, match="cannot be read as a model"):
        sklin.load(tmp_path / "model")


# Writing


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_or_an_interrupt_leaves_the_old_file(call, fault, tmp_path, monkeypatch):
    path = tmp_path / "model.skops"
    sklin.save(HOG(7), path)

    def fail(*args):
        raise fault

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(type(fault)):
        sklin.save(HOG(8), path)
    monkeypatch.undo()
    assert [file.name for file in tmp_path.iterdir()] == ["model.skops"]
    assert sklin.load(path).orientations == 7


def test_a_link_stays_one_and_rights_are_those_of_new_files(tmp_path):
    (tmp_path / "link").symlink_to("file")
    sklin.save(HOG(), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    (tmp_path / "plain").write_text("")
    rights = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "file")]
    assert rights[0] == rights[1]


def test_places_where_nothing_can_be_written(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        sklin.save(HOG(), tmp_path / "nowhere" / "model")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        sklin.save(HOG(), tmp_path)


def _itself():
    model = HOG()
    model.itself = model
    return model


@pytest.mark.parametrize(
    "model, words",
    [
        (FunctionTransformer(lambda X: X), "<lambda>"),
        (FunctionTransformer(_itself), None),
        (_itself(), "."),
        (SoftmaxClassifier(class_weight={False: 1, True: 2}), r"keys of type builtins\.bool"),
        (SoftmaxClassifier(class_weight={1: 1, "1": 2}), "read the same"),
        (SoftmaxClassifier(class_weight={(1, 2): 1}), "."),
        (FunctionTransformer(kw_args={"lock": threading.Lock()}), "lock"),
    ],
    ids=["lambda", "function", "itself", "booleans", "collision", "tuples", "lock"],
)
def test_what_could_not_be_read_back_is_not_written(model, words, tmp_path):
    path = tmp_path / "model.skops"
    if words is None:
        sklin.save(model, path)
        return
    with pytest.raises(ValueError, match=f"cannot be saved .*{words}"):
        sklin.save(model, path)
    assert not path.exists()


def test_keys_that_are_numbers_stay_numbers(tmp_path):
    weight = {0: 1.0, np.int64(1): 2.0, 0.5: 3, "a": 4}
    copy = round_trip(SoftmaxClassifier(class_weight=weight), tmp_path).class_weight
    assert copy == weight
    assert list(map(type, copy)) == list(map(type, weight))


def test_a_loaded_file_may_be_larger_if_asked_for(tmp_path):
    path = tmp_path / "model.skops"
    model = KNeighborsClassifier(1, algorithm="brute")
    model.fit(np.zeros((50_000, 2)), np.zeros(50_000, dtype=int))
    sklin.save(model, path)
    assert path.stat().st_size < 100_000
    with pytest.raises(ValueError, match="larger max_bytes"):
        sklin.load(path, max_bytes=100_000)
    assert same(sklin.load(path, max_bytes=10**7), model)


def test_without_skops_the_package_to_install_is_named(tmp_path):
    code = f"""
import sys
sys.modules["skops"] = None
import sklin
for call in (lambda: sklin.save(sklin.HOG(), {str(tmp_path / "m")!r}), lambda: sklin.load("m")):
    try:
        call()
    except ImportError as error:
        assert "sklin[save]" in str(error)
    else:
        raise AssertionError
"""
    path = os.pathsep.join(sys.path)
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": path})


def test_trees_are_not_trusted_unasked(tmp_path):
    model = DecisionTreeClassifier(random_state=0).fit(X, Y)
    sklin.save(model, tmp_path / "tree")
    name = "sklearn.tree._tree.Tree"
    with pytest.raises(ValueError, match=f"not trusted: '{name}'"):
        sklin.load(tmp_path / "tree")
    assert np.array_equal(
        sklin.load(tmp_path / "tree", trusted=[name]).predict(X), model.predict(X)
    )
