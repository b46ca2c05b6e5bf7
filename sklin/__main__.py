"""`python -m sklin`: compare feature sets under linear classifiers on pictures."""

import argparse
import csv
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

import sklin
from sklin._comparison import BAG_OF_WORDS, CLASSIFIERS, RAW_PIXELS, THUMBNAIL, Comparison
from sklin.datasets import load_image_folder, load_pictures
from sklin.inspection import draw_confusion_matrix, draw_mosaic, draw_templates

PROGRAM = "python -m sklin"
MAX_SIDE = 128
FEWEST_IMAGES = 4

DESCRIPTION = f"""\
Compare image features under linear classifiers, and show what comes of it.

Without FOLDER, on ten pictures that come with scikit-image: which picture is this patch of
32 x 32 pixels from? Nothing is downloaded. It takes less than a minute.

With FOLDER, on your own images: one sub-folder for each class, at least {FEWEST_IMAGES} images in each, in any
sizes and formats that Pillow reads. Images longer than {MAX_SIDE} pixels are reduced to that. Files that
cannot be read are reported and skipped. A quarter of each class is kept for the test.

The table has a row for raw pixels (of thumbnails of {THUMBNAIL} x {THUMBNAIL}), a colour histogram, HoG (pooled
histograms of oriented gradients), a bag of visual words, the last three all together, and for
comparison 1-NN and 5-NN on pixels. For each of the two classifiers it shows

  cv     accuracy in cross-validation at the chosen alpha
  alpha  strength of the regularizer, chosen by cross-validation on the training images
  test   accuracy on the test images
  s      seconds to choose alpha and fit; those to make the features come before
"""

EPILOG = """\
Files written into the output folder, replacing those of an earlier run:

  comparison.csv        the table
  templates.png         the weights of the raw-pixel classifier, as one image for each class
  codebook.png          the visual words
  confusion.png         the confusion matrix of the best classifier on the test images
  best_pipeline.joblib  the best, by cross-validation, fitted, for images as uint8 arrays in RGB:
                        joblib.load("best_pipeline.joblib").predict([image])

Exit status: 0 if all went well, 2 for a mistake in the arguments or the images, 130 if interrupted
(what was computed until then stays).
"""


def main(argv=None):
    """Run the comparison.

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
    output = Path(arguments.output)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            output.mkdir(parents=True, exist_ok=True)
            train, test, groups = _load(arguments.folder)
        except (OSError, ValueError) as error:
            print(f"{PROGRAM}: error: {error}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print(f"{PROGRAM}: interrupted", file=sys.stderr)
            return 130
        return _run(Comparison(train, test, groups), output)


def _parser():
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", nargs="?", metavar="FOLDER", help="folder of images with one sub-folder a class"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        default="sklin-results",
        help="folder for the results (default: %(default)s)",
    )
    parser.add_argument("--version", action="version", version=f"sklin {sklin.__version__}")
    return parser


def _show_warning(message, category, filename, lineno, file=None, line=None):
    print(f"{PROGRAM}: warning: {message}", file=sys.stderr)


def _load(folder):
    """Training and test (images, labels), and the groups of the training images."""
    if folder is None:
        train, test = load_pictures(subset="train"), load_pictures(subset="test")
        names = np.array(train.target_names)
        return (train.images, names[train.target]), (test.images, names[test.target]), train.tiles
    dataset = load_image_folder(folder, max_side=MAX_SIDE)
    names, counts = np.unique(dataset.target, return_counts=True)
    few = [f"{n!r} has {k}" for n, k in zip(names.tolist(), counts, strict=True) if k < FEWEST_IMAGES]
    if few:
        raise ValueError(
            f"every class needs at least {FEWEST_IMAGES} images that can be read, but "
            f"{', '.join(few)}. Add images, or move the sub-folder elsewhere."
        )
    images = np.empty(len(dataset.images), dtype=object)  # np.array would stack them
    images[:] = dataset.images
    # train_test_split would promise no test image to a small class beside large ones.
    splitter = StratifiedKFold(FEWEST_IMAGES, shuffle=True, random_state=0)
    fit, held = next(splitter.split(images, dataset.target))
    return (images[fit], dataset.target[fit]), (images[held], dataset.target[held]), None


def _run(comparison, output):
    """Print the table row by row, then write the files."""
    (_, labels), (test_images, _) = comparison.splits[-1]
    print(
        f"{len(labels)} training and {len(test_images)} test images of {len(np.unique(labels))} "
        f"classes, {len(comparison.splits) - 1} folds of cross-validation\n"
    )
    progress = Progress(comparison.n_steps)
    results, status = [], 0
    try:
        # A second thread gains little on matrices of this size and, where another process keeps
        # a core busy, spins: a run of 30 s became one of 270.
        with threadpool_limits(1):
            print(_header(), flush=True)
            for row in comparison.rows(progress.step):
                results += row
                progress.clear()
                print(_line(row), flush=True)
    except KeyboardInterrupt:
        progress.clear()
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        status = 130
    finally:
        progress.clear()
    try:
        _write(comparison, results, output)
    except OSError as error:
        print(f"{PROGRAM}: error: cannot write the results: {error}", file=sys.stderr)
        return 2
    return status


def _header():
    groups = "".join(f"   {f' {name} ':-^26}" for name in CLASSIFIERS)
    columns = f"   {'cv':>5} {'alpha':>7} {'test':>5} {'s':>6}" * len(CLASSIFIERS)
    return f"{'':<17}{'':>7}{'':>6}{groups}\n{'features':<17}{'numbers':>7}{'s':>6}{columns}"


def _line(row):
    first = row[0]
    cells = "".join(
        f"   {r.cv_accuracy:5.3f} {'' if r.alpha is None else format(r.alpha, 'g'):>7} "
        f"{r.test_accuracy:5.3f} {r.seconds:6.1f}"
        for r in row
    )
    return f"{first.features:<17}{first.n_features:>7}{first.feature_seconds:>6.1f}{cells}"


def _write(comparison, results, output):
    """Write the files that the results allow, and name them."""
    if not results:
        return
    written = {"comparison.csv": "the table"}
    _write_csv(results, output / "comparison.csv")

    def best(features):
        return max(
            (r for r in results if r.features == features and r.alpha), key=_merit, default=None
        )

    raw = best(RAW_PIXELS)
    if raw:
        model = raw.pipeline[-1]
        draw_templates(
            # From weights of standardised pixels to weights of pixels.
            model.coef_ / raw.pipeline[0][-1].scale_,
            (THUMBNAIL, THUMBNAIL, 3),
            labels=model.classes_,
            title=f"Weights of raw pixels, {raw.classifier}",
        ).save(output / "templates.png")
        written["templates.png"] = f"weights of the {raw.classifier} on raw pixels"
    bag = best(BAG_OF_WORDS)
    if bag:
        words = bag.pipeline[0][0].words_
        draw_mosaic(words, zoom=5, title=f"{len(words)} visual words").save(output / "codebook.png")
        written["codebook.png"] = "the visual words"

    winner = max((r for r in results if r.alpha), key=_merit)
    classes = winner.pipeline[-1].classes_
    draw_confusion_matrix(
        confusion_matrix(comparison.test_labels, winner.predictions, labels=classes),
        classes,
        title=f"{winner.features}, {winner.classifier}: {winner.test_accuracy:.1%} of the test images",
    ).save(output / "confusion.png")
    written["confusion.png"] = "its confusion matrix on the test images"
    joblib.dump(winner.pipeline, output / "best_pipeline.joblib", compress=3)
    written["best_pipeline.joblib"] = "the same, fitted, for joblib.load"

    print(
        f"\nBest in cross-validation: {winner.features} with the {winner.classifier}, "
        f"test accuracy {winner.test_accuracy:.3f}.\nWritten to {output.resolve()}:"
    )
    for name, text in written.items():
        print(f"  {name:<22}{text}")


def _merit(result):
    return result.cv_accuracy


def _write_csv(results, path):
    columns = [
        "features",
        "classifier",
        "n_features",
        "feature_seconds",
        "cv_accuracy",
        "alpha",
        "test_accuracy",
        "seconds",
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for result in results:
            cells = [getattr(result, column) for column in columns]
            writer.writerow([f"{c:.6g}" if isinstance(c, float) else c for c in cells])


class Progress:
    """A progress bar on the terminal; a line for each new kind of work anywhere else.

    Parameters
    ----------
    n_steps : int
        Number of calls of `step` until all is done.
    stream : file, default=None
        Where to write; None means standard error.
    """

    WIDTH = 24

    def __init__(self, n_steps, stream=None):
        self.n_steps = n_steps
        self.stream = sys.stderr if stream is None else stream
        self.done = -1
        self.text = ""

    def step(self, text):
        """Say that the work before is done, and what comes next.

        Parameters
        ----------
        text : str
            What comes next.
        """
        self.done += 1
        share = min(self.done / self.n_steps, 1)
        if self.stream.isatty():
            full = round(share * self.WIDTH)
            bar = "#" * full + "." * (self.WIDTH - full)
            line = f"[{bar}] {share:4.0%} {text}"[:79]
            print("\r" + line.ljust(79), end="", file=self.stream, flush=True)
        elif text != self.text:
            print(f"{share:4.0%} {text}", file=self.stream, flush=True)
        self.text = text

    def clear(self):
        """Wipe the bar off the terminal, to make room for other output."""
        if self.stream.isatty():
            print("\r" + " " * 79 + "\r", end="", file=self.stream, flush=True)


if __name__ == "__main__":
    sys.exit(main())
