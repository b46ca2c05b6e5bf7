"""`python -m sklin predict MODEL IMAGES...`: the classes of image files, by a saved model."""

import argparse
import csv
import json
import os
import sys
import warnings

import numpy as np
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

import sklin
from sklin.datasets._files import open_image, pillow_quiet, to_bytes
from sklin.features._progress import Progress

PROGRAM = "python -m sklin predict"

# Images are decoded and predicted so many, or so many bytes, at a time.
IMAGES_PER_CHUNK = 256
BYTES_PER_CHUNK = 2**26

DESCRIPTION = """\
Predict the classes of image files with a model that sklin.save wrote, such as
the best_pipeline.skops of `python -m sklin FOLDER`.

For each image there is a line with its file, its label and a score, which the
header names:

  probability  of the label, if the model gives probabilities (softmax)
  margin       the label's score less that of the runner-up, otherwise (SVM)

The model gets arrays (height, width, 3) of bytes, of the size that the image
has, or (height, width, 1) if it was fitted on grey ones. It should have been
fitted on such; if it wants images of one size, others are reported.
"""

EPILOG = """\
Nothing in MODEL is run. A model that holds functions or classes of your own is
refused until each is named by --trust.

Exit status: 0 if all went well, 1 if some images could not be read or
predicted (each is reported on stderr, and the rest are done), 2 for a mistake
in the arguments or a model that cannot be used, 130 if interrupted; the lines
up to there are written.
"""


def main(argv=None):
    """Predict the classes of image files.

    Parameters
    ----------
    argv : list of str, default=None
        The arguments; None takes those of the command line.

    Returns
    -------
    int
        The exit status.
    """
    arguments = _parser().parse_args(argv)
    if hasattr(sys.stdout, "reconfigure"):  # names of files can be any bytes
        sys.stdout.reconfigure(errors="backslashreplace")
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            model = Model(sklin.load(arguments.model, trusted=arguments.trust))
            files = list(_files(arguments.images))
            if not files:
                raise ValueError("IMAGES: the folders hold no file.")
            # One thread, as in the comparison: the matrices are small.
            with threadpool_limits(1):
                return _run(model, files, arguments)
        except BrokenPipeError:  # whoever reads, `head` for one, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except (ImportError, OSError, TypeError, ValueError) as error:
            return _fail(error)
        except KeyboardInterrupt:
            print(f"{PROGRAM}: interrupted", file=sys.stderr)
            return 130


class Model:
    """A saved model, split into what makes the features and what predicts.

    Features are made once for both label and score.

    Parameters
    ----------
    model : estimator
        A fitted classifier, most likely a pipeline, or a search of one.
    """

    def __init__(self, model):
        name = type(model).__name__
        while hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        self.channels = 1 if _image_shape(model)[2:] == (1,) else 3
        self.transform, self.classifier = lambda images: images, model
        if isinstance(model, Pipeline):
            self.classifier = model[-1]
            if len(model) > 1:
                self.transform = model[:-1].transform
        if not (hasattr(self.classifier, "predict") and hasattr(self.classifier, "classes_")):
            raise ValueError(f"MODEL: it holds a {name}, expected a fitted classifier.")
        self.classes = [str(label) for label in self.classifier.classes_]
        if hasattr(self.classifier, "predict_proba"):
            self.scoring, self.score = "probability", self.classifier.predict_proba
        elif hasattr(self.classifier, "decision_function"):
            self.scoring, self.score = "margin", self.classifier.decision_function
        else:
            self.scoring, self.score = "score", None

    def predict(self, images):
        """Labels and scores of images.

        Parameters
        ----------
        images : list of n ndarrays of shape (h, w, c), uint8
            The images.

        Returns
        -------
        list of n tuples (label, score)
            Labels as Python's own objects; the score is None if the classifier has none.
        """
        X = self.transform(images)
        labels = self.classifier.predict(X).tolist()
        if self.score is None:
            return [(label, None) for label in labels]
        scores = np.asarray(self.score(X), dtype=float)
        if self.scoring == "probability":
            best = scores.max(axis=1)
        elif scores.ndim == 1:
            best = np.abs(scores)
        else:
            second, first = np.partition(scores, -2, axis=1)[:, -2:].T
            best = first - second
        return list(zip(labels, best.tolist(), strict=True))


def _image_shape(model):
    """The shape of the images that a model was fitted on, where a part of it says so, or ()."""
    parts = [*getattr(model, "steps", ()), *getattr(model, "transformer_list", ())]
    shapes = [_image_shape(part) for _, part in parts]
    return getattr(model, "image_shape_", next(filter(None, shapes), ()))


def _files(paths):
    """The files given, and those in the folders given, sorted; hidden ones are left out."""
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from (
                os.path.join(folder, name) for name in sorted(names) if not name.startswith(".")
            )


def _run(model, files, arguments):
    write, end = WRITERS[arguments.format](model)
    # Where the lines themselves can be seen to come, nothing more need be said.
    progress = Progress("predict", len(files), wanted=not sys.stdout.isatty())
    n_good = n_bad = 0
    try:
        with progress:
            for chunk, n_unreadable in _chunks(files, model.channels):
                good, bad = _predict(model, chunk)
                if bad and n_good + len(good) == 0:
                    file, error = bad[0]
                    return _fail(f"{arguments.model!r} cannot predict {file!r}: {error}")
                for file, error in bad:
                    _report(f"{file!r} cannot be predicted: {error}")
                for row in good:
                    write(*row)
                sys.stdout.flush()
                n_good, n_bad = n_good + len(good), n_bad + len(bad) + n_unreadable
                progress.advance(len(chunk) + n_unreadable)
    finally:
        end()
    return 1 if n_bad else 0


def _chunks(files, channels):
    """Lists of (file, image) of bounded size, and how many files beside each were unreadable."""
    chunk, size, n_unreadable = [], 0, 0
    for file in files:
        try:
            with pillow_quiet(), open_image(file) as opened:
                image = to_bytes(opened, channels)
        except ValueError as error:
            _report(f"{file!r} cannot be read as an image: {error}.")
            n_unreadable += 1
        else:
            chunk.append((file, image))
            size += image.nbytes
        if len(chunk) + n_unreadable >= IMAGES_PER_CHUNK or size >= BYTES_PER_CHUNK:
            yield chunk, n_unreadable
            chunk, size, n_unreadable = [], 0, 0
    yield chunk, n_unreadable


def _predict(model, chunk):
    """Rows (file, label, score) of the images that can be predicted, and errors of the others."""
    if not chunk:
        return [], []
    files, images = zip(*chunk, strict=True)
    try:
        results = model.predict(list(images))
        return [(file, *result) for file, result in zip(files, results, strict=True)], []
    except Exception as error:  # a model can hold anybody's transformer
        if len(chunk) == 1:
            return [], [(files[0], error)]
    # One of them, most likely: of another size than the model wants.
    good, bad = [], []
    for row in chunk:
        fine, faulty = _predict(model, [row])
        good, bad = good + fine, bad + faulty
    return good, bad


def _text(model):
    width = max(5, *(len(_printable(label)) for label in model.classes))
    print(f"{'label':<{width}}  {model.scoring:>11}  file")

    def write(file, label, score):
        score = "" if score is None else f"{score:.4f}"
        print(f"{_printable(str(label)):<{width}}  {score:>11}  {_printable(file)}")

    return write, lambda: None


def _csv(model):
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["file", "label", model.scoring])
    return lambda *row: writer.writerow(row), lambda: None


def _json(model):
    before = "[\n"

    def write(file, label, score):
        nonlocal before
        row = json.dumps({"file": file, "label": label, model.scoring: score})
        print(f"{before}  {row}", end="")
        before = ",\n"

    # However it ends, what is written can be read.
    return write, lambda: print("[]" if before == "[\n" else "\n]", flush=True)


WRITERS = {"text": _text, "csv": _csv, "json": _json}


def _printable(text):
    """A name as it is, unless it would break the line or speak to the terminal."""
    return text if text.isprintable() else repr(text)


def _report(sentence):
    print(f"{PROGRAM}: {sentence}", file=sys.stderr)


def _fail(error):
    _report(f"error: {error}")
    return 2


def _show_warning(message, category, filename, lineno, file=None, line=None):
    _report(f"warning: {message}")


def _parser():
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", metavar="MODEL", help="file that sklin.save wrote")
    parser.add_argument(
        "images", nargs="+", metavar="IMAGES", help="image files, and folders of them at any depth"
    )
    parser.add_argument(
        "--format", choices=WRITERS, default="text", help="how to print (default: %(default)s)"
    )
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="NAME",
        help="a function or class of your own, module.name, that the model may hold; repeatable",
    )
    return parser
