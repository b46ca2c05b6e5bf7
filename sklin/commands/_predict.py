"""`python -m sklin predict MODEL IMAGES...`: the class of each image, by a saved model."""

import argparse
import csv
import json
import os
import sys
import warnings
from pathlib import Path

import numpy as np

from sklin.commands._progress import Progress
from sklin.datasets._files import open_image, pillow_quiet, to_bytes
from sklin.persistence import load

PROGRAM = "python -m sklin predict"
# Images decoded at once; of 12 megapixels 2.3 GB would be too much, so their pixels count too.
CHUNK, CHUNK_PIXELS = 256, 2**26

DESCRIPTION = """\
Print the class of each image, and how sure the model is.

MODEL is a file that sklin.save wrote, best_pipeline.skops of "python -m sklin
FOLDER" for one. Such files are read without pickle; what is not trusted in
them is named and refused. IMAGES are files, or folders, whose files are taken
with those of their sub-folders, in the order of their names.

The score is the probability of the class where the model has probabilities
(SoftmaxClassifier); otherwise the score of the class (LinearSVMClassifier), of
which the larger is the surer, but which is no probability. The head of the
column says which.
"""

EPILOG = """\
Exit status: 0 if all went well, 1 if some images could not be read (they are
named on stderr, and the others are predicted), 2 for a mistake in the
arguments or a model that cannot be read or does not take such images, 130 if
interrupted.
"""


def main(argv=None):
    """Predict, and print.

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
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            files = _files(arguments.images)
            model = load(arguments.model, trusted=arguments.trust)
            return _run(model, files, WRITERS[arguments.format])
    except (ImportError, OSError, TypeError, ValueError, AttributeError) as error:
        print(f"{PROGRAM}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        return 130


def _parser():
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", metavar="MODEL", help="a file that sklin.save wrote")
    parser.add_argument("images", metavar="IMAGES", nargs="+", help="files or folders")
    parser.add_argument(
        "-f", "--format", choices=list(WRITERS), default="table", help="default: %(default)s"
    )
    parser.add_argument(
        "--trust",
        metavar="NAME",
        action="append",
        default=[],
        help="a type that the model may hold beside those of sklin and scikit-learn, as "
        "module.name; it may run code of its own. Can be repeated",
    )
    return parser


def _show_warning(message, category, filename, lineno, file=None, line=None):
    print(f"{PROGRAM}: warning: {message}", file=sys.stderr)


def _files(sources):
    """The files of all sources, those of folders in the order of their names."""
    files = []
    for source in map(Path, sources):
        if not source.is_dir():
            files.append(source)  # what is no file is told with its name, beside the others
            continue
        inside = sorted(
            Path(folder) / name
            for folder, _, names in os.walk(source)
            for name in names
            if not name.startswith(".")
        )
        if not inside:
            raise ValueError(f"IMAGES: there is no file in the folder {str(source)!r}.")
        files += inside
    return files


def _run(model, files, writer):
    if not hasattr(model, "predict"):
        raise TypeError(f"MODEL: a {type(model).__name__} predicts nothing; give a classifier.")
    channels = 1 if _takes_grey(model) else 3
    head = "probability" if hasattr(model, "predict_proba") else "score"
    writer = writer(head)
    progress, status = Progress(len(files)), 0
    is_long = len(files) > CHUNK
    chunk, n_pixels = [], 0
    with pillow_quiet():
        for i, file in enumerate(files):
            try:
                with open_image(file) as image:
                    pixels = to_bytes(image, channels)
            except ValueError as error:
                progress.clear()
                print(f"{PROGRAM}: cannot read {str(file)!r}: {error}", file=sys.stderr)
                status = 1
            else:
                chunk.append((file, pixels))
                n_pixels += pixels.size
            if len(chunk) == CHUNK or n_pixels >= CHUNK_PIXELS or i == len(files) - 1:
                if chunk:
                    progress.clear()
                    writer.write([name for name, _ in chunk], *_predict(model, chunk))
                chunk, n_pixels = [], 0
            if is_long:
                progress.step("images")
    progress.clear()
    writer.close()
    return status


def _takes_grey(model):
    """Whether the first step has seen images of one channel."""
    first = model[0] if hasattr(model, "steps") else model
    shape = getattr(first, "image_shape_", None)
    return shape is not None and shape[-1] == 1


def _predict(model, chunk):
    """Labels and scores of images."""
    images = np.empty(len(chunk), dtype=object)
    for i, (_, pixels) in enumerate(chunk):
        images[i] = pixels
    if len({pixels.shape for _, pixels in chunk}) == 1:
        images = np.stack(list(images))
    labels = model.predict(images)
    if hasattr(model, "predict_proba"):
        return labels, model.predict_proba(images).max(axis=1)
    if hasattr(model, "decision_function"):
        scores = model.decision_function(images)
        return labels, np.abs(scores) if scores.ndim == 1 else scores.max(axis=1)
    return labels, np.full(len(labels), np.nan)


class _Table:
    """Columns, as wide as the first chunk needs."""

    def __init__(self, head):
        self.head, self.widths = head, None

    def write(self, files, labels, scores):
        rows = [
            (str(file), str(label), f"{score:.4f}")
            for file, label, score in zip(files, labels, scores, strict=True)
        ]
        if self.widths is None:
            heads = ("file", "label", self.head)
            self.widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
            rows.insert(0, heads)
        for file, label, score in rows:
            first, second, third = self.widths
            print(f"{file:<{first}}  {label:<{second}}  {score:>{third}}")

    def close(self):
        """Nothing is left to say."""


class _CSV:
    """Comma-separated values, with a head."""

    def __init__(self, head):
        self.writer = csv.writer(sys.stdout, lineterminator="\n")
        self.writer.writerow(["file", "label", head])

    def write(self, files, labels, scores):
        for row in zip(files, labels, scores, strict=True):
            self.writer.writerow([str(row[0]), row[1], f"{row[2]:.6g}"])

    def close(self):
        """Nothing is left to say."""


class _JSON:
    """A list of objects, one a line."""

    def __init__(self, head):
        self.head, self.lead = head, "["

    def write(self, files, labels, scores):
        for file, label, score in zip(files, labels, scores, strict=True):
            label = label.item() if isinstance(label, np.generic) else label
            score = float(score) if np.isfinite(score) else None
            row = {"file": str(file), "label": label, self.head: score}
            print(self.lead, json.dumps(row), end="", sep="\n")
            self.lead = ","

    def close(self):
        print("[]" if self.lead == "[" else "\n]")


WRITERS = {"table": _Table, "csv": _CSV, "json": _JSON}
