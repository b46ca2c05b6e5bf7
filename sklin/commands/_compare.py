"""`python -m sklin [FOLDER]`: compare feature sets under linear classifiers on pictures."""

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

import sklin
from sklin.commands._comparison import MAX_SIDE, THUMBNAIL, Comparison, header, line, write
from sklin.commands._progress import Progress
from sklin.datasets import load_image_folder, load_pictures

PROGRAM = "python -m sklin"
FEWEST_IMAGES = 4

DESCRIPTION = f"""\
Compare image features under linear classifiers, and show what comes of it.

Without FOLDER, on ten pictures that come with scikit-image: which picture is
this patch of 32 x 32 pixels from? Nothing is downloaded. It takes less than a
minute.

With FOLDER, on your own images: one sub-folder for each class, at least {FEWEST_IMAGES}
images in each, in any sizes and formats that Pillow reads. Images longer than
{MAX_SIDE} pixels are reduced to that. Files that cannot be read are reported and
skipped. A quarter of each class is kept for the test.

The table has a row for raw pixels (of thumbnails of {THUMBNAIL} x {THUMBNAIL}), a colour
histogram, HoG (pooled histograms of oriented gradients), a bag of visual
words, the last three all together, and for comparison 1-NN and 5-NN on pixels.
For each of two classifiers it shows

  cv     accuracy in cross-validation at the chosen alpha
  alpha  strength of the regularizer, chosen by cross-validation on the
         training images
  test   accuracy on the test images
  s      seconds to choose alpha and fit; those for the features come first

Fits stop within 1 % of the minimum or after 100 iterations, which is enough to
compare and to choose; refit the winner with a smaller tol for the last digits.
"""

EPILOG = """\
Other commands: "python -m sklin demo" opens the lecture's interactive demo in
the browser; "python -m sklin predict MODEL IMAGES..." names the class of each
image. Each has its own --help. A folder of such a name is given as ./demo.

Files written into the output folder, replacing those of an earlier run:

  comparison.csv        the table
  templates.png         the weights of the raw-pixel classifier, as one image
                        for each class
  codebook.png          the visual words
  confusion.png         the confusion matrix of the best classifier on the test
                        images
  best_pipeline.skops   the best by cross-validation, fitted, for
                        python -m sklin predict MODEL IMAGES...
                        and for Python. It takes images as uint8 arrays
                        (height, width, 3):
                        sklin.load("best_pipeline.skops").predict([image])
                        Without the package skops it is best_pipeline.joblib,
                        for joblib.load, which runs what is in a file.

Exit status: 0 if all went well, 2 for a mistake in the arguments or the
images, 130 if interrupted; the table up to there is kept.
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
            train, test, groups = _load(arguments.folder)
            if output.exists() and not output.is_dir():
                raise ValueError(f"--output: {str(output)!r} is a file, expected a folder.")
            output.mkdir(parents=True, exist_ok=True)
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
    counts = zip(names.tolist(), counts.tolist(), strict=True)
    few = [f"{name!r} has {count}" for name, count in counts if count < FEWEST_IMAGES]
    if few:
        raise ValueError(
            f"every class needs at least {FEWEST_IMAGES} images that can be read, but "
            f"{', '.join(few)}. Add images, or move the sub-folder elsewhere."
        )
    images = np.empty(len(dataset.images), dtype=object)
    for i, image in enumerate(dataset.images):  # images[:] = ... would stack images of one size
        images[i] = image
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
            print(header(), flush=True)
            for row in comparison.rows(progress.step):
                results += row
                progress.clear()
                print(line(row), flush=True)
    except KeyboardInterrupt:
        progress.clear()
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        status = 130
    try:
        write(results, comparison.test_labels, output)
    except OSError as error:
        print(f"{PROGRAM}: error: cannot write the results: {error}", file=sys.stderr)
        return 2
    return status
