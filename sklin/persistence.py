"""Saving models to files and loading them, without pickle.

The files are skops files: a zip archive of arrays and of a schema, which names every type. To load
one imports what it names and sets attributes. So a file is as dangerous as the names that it may
use, and `load` holds them against a list. skops brings the names of scikit-learn's estimators and
of numpy's functions; those of sklin, and of what scikit-learn's own tools keep inside themselves,
are here, each with the kinds of node that it may stand in: skops would *call* a function that is
given as the type of a list, so a trusted name alone is not enough.
"""

from __future__ import annotations

import io
import json
import os
import re
import uuid
import warnings
from functools import cache
from importlib.metadata import version
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from sklearn import calibration, compose, metrics, model_selection
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.metrics import _scorer
from sklearn.utils import _metadata_requests

import sklin
from sklin import features, linear_model, losses, optimizers, regularizers
from sklin.features._codebooks import Codebook
from sklin.optimizers._minibatch import State

__all__ = ["load", "save"]

VERSIONS = "versions.json"
MAX_BYTES = 2**30
# A byte of the schema becomes about this many in memory: a dictionary for each number of a list.
SCHEMA_WEIGHT = 16
COMPRESSIONS = (ZIP_STORED, ZIP_DEFLATED)  # 4 KB of the others can become megabytes at one stroke
# Of other types, `bool` for one, a key does not come back from the text that JSON makes of it.
KEYS = re.compile(r"builtins\.(str|int|float)|numpy\.(str_|u?int\d+|float\d+)")

# What fitted objects of sklin and scikit-learn are made of, as long as a release has it.
CLASSES = [
    *(vars(features)[name] for name in features.__all__),
    *(vars(linear_model)[name] for name in linear_model.__all__),
    *losses.LOSSES.values(),
    losses.CrossEntropy,
    *regularizers.REGULARIZERS.values(),
    *optimizers.OPTIMIZERS.values(),
    optimizers.ConstantRate,
    optimizers.StepDecay,
    optimizers.InverseDecay,
    optimizers.CosineDecay,
    Codebook,
    State,
    compose.make_column_selector,
    _scorer._PassthroughScorer,
    _scorer._Scorer,
    _metadata_requests.MetadataRequest,
    _metadata_requests.MethodMetadataRequest,
    *(
        getattr(calibration, name)
        for name in ("_CalibratedClassifier", "_SigmoidCalibration", "_TemperatureScaling")
        if hasattr(calibration, name)
    ),
]
SPLITTERS = [
    model_selection.GroupKFold,
    model_selection.GroupShuffleSplit,
    model_selection.KFold,
    model_selection.LeaveOneGroupOut,
    model_selection.LeaveOneOut,
    model_selection.LeavePGroupsOut,
    model_selection.LeavePOut,
    model_selection.PredefinedSplit,
    model_selection.RepeatedKFold,
    model_selection.RepeatedStratifiedKFold,
    model_selection.ShuffleSplit,
    model_selection.StratifiedGroupKFold,
    model_selection.StratifiedKFold,
    model_selection.StratifiedShuffleSplit,
    model_selection.TimeSeriesSplit,
]
# Of `python -m sklin`'s pipelines. By name: a command may import this room, not the reverse.
FUNCTIONS = ["sklin.commands._comparison.reduced", "sklin.commands._comparison.thumbnails"]


@cache
def safe_types():
    """The names that `load` trusts beside those of skops.

    Returns
    -------
    dict of str to set of str
        For each name the kinds of node of the schema in which it may stand.
    """
    scores = {metrics.get_scorer(name)._score_func for name in metrics.get_scorer_names()}
    return {
        **{name_of(cls): {"ObjectNode"} for cls in CLASSES},
        # Repeated splitters hold the class of the one that they repeat.
        **{name_of(cls): {"ObjectNode", "TypeNode"} for cls in SPLITTERS},
        **{name: {"FunctionNode"} for name in [*FUNCTIONS, *map(name_of, scores)]},
        "numpy.dtype": {"DTypeNode"},
    }


def name_of(thing):
    """The name under which a class or a function stands in a file."""
    return f"{thing.__module__}.{thing.__name__}"


def save(model, path):
    """Write a model to a file that `load` reads without pickle.

    The file holds the releases of sklin, scikit-learn, numpy, scikit-image and skops beside the
    model. It is written beside its place, and moved there when it is whole: an error or an
    interrupt leaves what was there before.

    Parameters
    ----------
    model : object
        An estimator, fitted or not: of sklin, of scikit-learn, a pipeline or a search of them.
    path : str or path-like
        The file, ``model.skops`` for one. An older one is replaced.

    Raises
    ------
    ImportError
        If skops is not installed.
    FileNotFoundError
        If the folder of ``path`` does not exist.
    IsADirectoryError
        If ``path`` is a folder.
    ValueError
        If the model could not be read back from the file: it holds a lambda or a function or class
        that is defined inside another, a dictionary whose keys are not numbers or strings, or an
        object that skops cannot take apart. Nothing is written.

    See Also
    --------
    load : The way back.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from sklearn.datasets import load_iris
    >>> import sklin
    >>> X, y = load_iris(return_X_y=True)
    >>> model = sklin.SoftmaxClassifier().fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "iris.skops")
    ...     sklin.save(model, file)
    ...     copy = sklin.load(file)
    >>> bool((copy.predict_proba(X) == model.predict_proba(X)).all())
    True
    """
    skops = _skops()
    path = Path(os.path.realpath(os.fsdecode(path)))  # of a link, what it points at is replaced
    if path.is_dir():
        raise IsADirectoryError(f"path: {str(path)!r} is a folder, expected a file.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"path: there is no folder {str(path.parent)!r}.")
    try:
        data = skops.dumps(model, compression=ZIP_DEFLATED)
        _check_keys(data)
        skops.loads(data, trusted=skops.get_untrusted_types(data=data))
    except MemoryError:
        raise
    except Exception as error:  # the model's own __getstate__ can raise anything
        raise ValueError(
            f"model: {type(model).__name__} cannot be saved so that it can be loaded again: "
            f"{_sentence(error)}. Functions and classes must stand at the top level of a module."
        ) from error
    buffer = io.BytesIO(data)
    with ZipFile(buffer, "a", compression=ZIP_DEFLATED) as archive:
        archive.writestr(VERSIONS, json.dumps(_versions()))
    _check_size(buffer, path, MAX_BYTES)
    replace_file(path, buffer.getbuffer())


def load(path, *, trusted=(), max_bytes=MAX_BYTES):
    """Read a model from a file that `save` wrote.

    Nothing in the file is run. It can name types, whose objects are made anew and whose attributes
    are set: those of sklin and scikit-learn that are known to be harmless in that, and those that
    you trust. A file that names others is refused before anything is made.

    What is not checked are the numbers. A stranger's model can predict what he likes, and numbers
    that are made for it can crash the compiled parts of some of scikit-learn's estimators.

    Parameters
    ----------
    path : str or path-like
        The file.
    trusted : sequence of str, classes and functions, default=()
        What else the file may name, functions and classes of your own: themselves, or as strings
        ``"module.name"``. They may be called when the file is loaded.
    max_bytes : int, default=2**30
        Largest size of the file, and of what it holds when unpacked.

    Returns
    -------
    object
        The model.

    Raises
    ------
    ImportError
        If skops is not installed.
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file names types that are not trusted (all of them are listed), is no skops file, is
        broken, or is larger than ``max_bytes``.
    TypeError
        If ``trusted`` is not a sequence of names, classes and functions.

    Warns
    -----
    UserWarning
        If it was saved with another major or minor release of sklin or scikit-learn, or does not
        say with which.

    See Also
    --------
    save : Writes the file, with an example.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import sklin
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "hog.skops")
    ...     sklin.save(sklin.HOG(orientations=12), file)
    ...     sklin.load(file)
    HOG(orientations=12)
    """
    skops = _skops()
    trusted = _trusted_names(trusted)
    path = Path(os.fsdecode(path))
    if not path.exists():
        raise FileNotFoundError(f"path: there is no file {str(path)!r}.")
    if not path.is_file():  # to open a named pipe would wait for ever
        raise ValueError(f"path: {str(path)!r} is no file.")
    # All of it at once: what is checked is what is loaded, whatever becomes of the file meanwhile.
    with path.open("rb") as file:
        data = file.read(max_bytes + 1)
    try:
        schema, versions = _check_size(io.BytesIO(data), path, max_bytes)
        untrusted = _untrusted(skops, data, schema, trusted)
        if untrusted:
            raise _Refusal(
                f"{str(path)!r} holds what is not trusted: {', '.join(map(repr, untrusted))}. "
                "Nothing of it was loaded. If you know what that does, and who made the file, pass "
                f"trusted={untrusted!r}."
            )
        with warnings.catch_warnings():
            # One for each estimator, where a sentence will do; see below.
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            model = skops.loads(data, trusted=[*safe_types(), *trusted])
    except _Refusal:
        raise
    except Exception as error:  # broken files make zipfile, json and skops raise nearly anything
        raise ValueError(
            f"{str(path)!r} cannot be read as a model that sklin.save wrote: {_sentence(error)}."
        ) from error
    _warn_of_versions(path, versions)
    return model


class _Refusal(ValueError):
    """A refusal that needs no further words."""


def _skops():
    try:
        import skops.io
    except ImportError as error:
        raise ImportError(
            'sklin.save and sklin.load need the package skops: pip install "sklin[save]"'
        ) from error
    return skops.io


def _sentence(error):
    """The type and the first sentence of an error, without its full stop."""
    return f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".: ")


def _versions():
    names = ("scikit-learn", "numpy", "scikit-image", "skops")
    return {"sklin": sklin.__version__, **{name: version(name) for name in names}}


def _warn_of_versions(path, saved):
    if not saved:
        warnings.warn(
            f"{str(path)!r} does not say with which releases it was saved: what it holds may not "
            "be what these releases expect.",
            UserWarning,
            stacklevel=3,
        )
        return
    present = _versions()

    def feature_release(versions, name):
        return versions.get(name, "").split(".")[:2]

    if any(
        feature_release(saved, name) != feature_release(present, name)
        for name in ("sklin", "scikit-learn")
    ):
        differing = [
            f"{name} {saved.get(name, 'unknown')} (here {present[name]})"
            for name in present
            if saved.get(name) != present[name]
        ]
        warnings.warn(
            f"{str(path)!r} was saved with {', '.join(differing)}: its predictions may differ, or "
            "fail.",
            UserWarning,
            stacklevel=3,
        )


def _trusted_names(trusted):
    if isinstance(trusted, str | bytes | bool) or not hasattr(trusted, "__iter__"):
        raise TypeError(
            "trusted must be a sequence of names, classes and functions, "
            f"got {trusted!r}, a {type(trusted).__name__}."
        )
    names = []
    for thing in trusted:
        if not isinstance(thing, str) and not (callable(thing) and hasattr(thing, "__name__")):
            raise TypeError(f"trusted must hold names, classes and functions, got {thing!r}.")
        names.append(thing if isinstance(thing, str) else name_of(thing))
    return names


def _check_size(file, path, max_bytes):
    """The schema and the versions of an archive that is no larger, unpacked, than is allowed.

    skops unpacks an array once for each node that names it, so that the nodes are counted.
    """

    def check(size):
        if size > max_bytes:
            raise _Refusal(
                f"{str(path)!r} takes more than max_bytes={max_bytes:,} bytes when it is loaded. "
                "If you trust it, load it with a larger max_bytes."
            )

    check(file.getbuffer().nbytes)
    with ZipFile(file) as archive:
        size = SCHEMA_WEIGHT * _unpacked(archive.getinfo("schema.json"))
        check(size)
        schema = json.loads(archive.read("schema.json"))
        seen = set()
        for node in _nodes(schema):
            key = node.get("__id__") or id(node), node.get("file")
            if not isinstance(node.get("file"), str) or key in seen:
                continue
            seen.add(key)
            info = archive.getinfo(node["file"])
            size += _unpacked(info)
            check(size)
            if node["__loader__"] == "SparseMatrixNode":  # an archive in the archive
                with archive.open(info) as inner, ZipFile(io.BytesIO(inner.read())) as parts:
                    size += sum(map(_unpacked, parts.infolist()))
            check(size)
        versions = {}
        if VERSIONS in archive.namelist():
            check(_unpacked(archive.getinfo(VERSIONS)) * SCHEMA_WEIGHT)
            versions = json.loads(archive.read(VERSIONS))
            for word in [*versions, *versions.values()]:
                if not re.fullmatch(r"[\w.+!-]{1,64}", word, flags=re.ASCII):
                    raise ValueError(f"{word!r} is no version")
    return schema, versions


def _unpacked(info):
    if info.compress_type not in COMPRESSIONS:
        raise ValueError(f"{info.filename!r} is compressed in a way that save does not use")
    return info.file_size


def _nodes(schema):
    """Every dictionary of a schema that skops takes for a node."""
    left = [schema]
    while left:  # no recursion: files may be nested deeply
        part = left.pop()
        if isinstance(part, dict):
            if isinstance(part.get("__loader__"), str):
                yield part
            left += part.values()
        elif isinstance(part, list):
            left += part


def _untrusted(skops, data, schema, trusted):
    """Names in the file that nobody trusts, or not in the place where they stand."""
    safe = safe_types()
    names = set(skops.get_untrusted_types(data=data)) - set(safe)
    for node in _nodes(schema):
        name = f"{node.get('__module__')}.{node.get('__class__')}"
        if name in safe and node["__loader__"] not in safe[name]:
            names.add(name)
    return sorted(names - set(trusted))


def _check_keys(data):
    with ZipFile(io.BytesIO(data)) as archive:
        schema = json.loads(archive.read("schema.json"))
    for node in _nodes(schema):
        if node["__loader__"] != "DictNode":
            continue
        types = [f"{key['__module__']}.{key['__class__']}" for key in node["key_types"]["content"]]
        strange = sorted({name for name in types if not KEYS.fullmatch(name)})
        if strange:
            raise ValueError(f"a dictionary has keys of type {', '.join(strange)}")
        if len(types) != len(node["content"]):
            raise ValueError("a dictionary has keys that read the same")


def replace_file(path, data):
    """Write a file in one stroke: whatever happens, there is the old one or the new one."""
    # By open, not by tempfile, so that its rights are those of any new file.
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with beside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
