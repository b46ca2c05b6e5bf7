"""`python -m sklin [FOLDER]`, run through its `main`."""

import csv
import io
import os
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pytest
from PIL import Image

import sklin
from sklin.__main__ import main
from sklin.commands._comparison import Comparison, _compact, folds, reduced, thumbnails
from sklin.commands._progress import Progress

FILES = {
    "comparison.csv",
    "templates.png",
    "codebook.png",
    "confusion.png",
    "best_pipeline.skops",
}


def _image(kind, rng, smallest=16, largest=40):
    """Red stripes lying or standing, of any size: which, only a feature of edges can tell."""
    h, w = rng.integers(smallest, largest, size=2)
    along = np.arange(h)[:, np.newaxis] if kind == "lying" else np.arange(w)
    red = 128 + 100 * np.sin(along + rng.uniform(0, 7)) + np.zeros((h, w))
    return np.dstack([red, np.zeros((h, w)), np.zeros((h, w))]).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for kind in ("lying", "standing"):
        (tmp_path / "images" / kind).mkdir(parents=True)
        for i in range(12):
            Image.fromarray(_image(kind, rng)).save(tmp_path / "images" / kind / f"{i}.png")
    return tmp_path / "images"


def test_a_folder_of_images(folder, tmp_path, capsys):
    (folder / "lying" / "broken.png").write_bytes(b"no image")
    output = tmp_path / "new" / "results"
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert main([str(folder), "--output", str(output)]) == 0
    printed = capsys.readouterr()
    assert "warning: Skipped 1 unreadable file" in printed.err
    assert "broken.png" in printed.err
    assert "Traceback" not in printed.err
    assert "18 training and 6 test images of 2 classes" in printed.out
    for name in ("raw pixels", "colour histogram", "HoG", "bag of words", "all together"):
        assert f"\n{name} " in printed.out
    assert str(output) in printed.out
    assert {file.name for file in output.iterdir()} == FILES

    with (output / "comparison.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12  # five feature sets under two classifiers, and two baselines
    assert {row["alpha"] == "" for row in rows if "-NN" in row["features"]} == {True}
    hog = [float(row["test_accuracy"]) for row in rows if row["features"] == "HoG"]
    assert hog == [1, 1]
    for name in ("templates.png", "codebook.png", "confusion.png"):
        with Image.open(output / name) as picture:
            assert min(picture.size) > 50

    pipeline = sklin.load(output / "best_pipeline.skops")
    rng = np.random.default_rng(1)
    kinds = ["lying", "standing"] * 5
    images = [_image(kind, rng) for kind in kinds]
    assert pipeline.predict(images).tolist() == kinds

    for i, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    files = [str(tmp_path / f"{i}.png") for i in range(len(images))]
    assert main(["predict", str(output / "best_pipeline.skops"), *files]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == kinds


def test_without_skops_the_best_pipeline_is_written_by_joblib(
    folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("sklin.commands._comparison.ALPHAS", (0.1,))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "best_pipeline.skops").write_text("of an earlier run")
    monkeypatch.setitem(sys.modules, "skops.io", None)
    assert main([str(folder), "--output", str(tmp_path / "out")]) == 0
    assert "for joblib.load; with skops" in capsys.readouterr().out
    written = {file.name for file in (tmp_path / "out").iterdir()}
    assert written == {*FILES, "best_pipeline.joblib"} - {"best_pipeline.skops"}
    pipeline = joblib.load(tmp_path / "out" / "best_pipeline.joblib")
    assert pipeline.predict([_image("lying", np.random.default_rng(1))]).shape == (1,)


def test_photographs(tmp_path, monkeypatch, capsys):
    """Their words are histograms of directions, which are drawn as stars."""
    monkeypatch.setattr("sklin.commands._comparison.ALPHAS", (0.1,))
    rng = np.random.default_rng(0)
    for kind in ("lying", "standing"):
        (tmp_path / kind).mkdir()
        for i in range(12):
            Image.fromarray(_image(kind, rng, 150, 200)).save(tmp_path / kind / f"{i}.jpg")
    assert main([str(tmp_path), "--output", str(tmp_path / "out")]) == 0
    assert "Best in cross-validation" in capsys.readouterr().out
    assert {file.name for file in (tmp_path / "out").iterdir()} == FILES
    with Image.open(tmp_path / "out" / "codebook.png") as picture:
        assert picture.convert("L").getextrema() == (0, 255)
        ink = (np.asarray(picture.convert("L")) < 128).mean()
    assert 0.01 < ink < 0.5


def test_a_picture_that_fails_costs_no_model(folder, tmp_path, monkeypatch):
    """What took longest is written first."""
    monkeypatch.setattr("sklin.commands._comparison.ALPHAS", (0.1,))

    def fail(*args, **kwargs):
        raise RuntimeError("no picture")

    for name in ("draw_templates", "draw_codebook", "draw_confusion_matrix"):
        monkeypatch.setattr(f"sklin.commands._comparison.{name}", fail)
    with pytest.raises(RuntimeError, match="no picture"):
        main([str(folder), "--output", str(tmp_path / "out")])
    written = {file.name for file in (tmp_path / "out").iterdir()}
    assert written == {"comparison.csv", "best_pipeline.skops"}


def test_few_images_lessen_the_folds_or_are_too_few(tmp_path, capsys):
    rng = np.random.default_rng(0)
    labels = np.array(["lying"] * 2 + ["standing"] * 9)
    assert len(folds(labels)) == 2
    for kind, n in [("lying", 3), ("standing", 9)]:
        (tmp_path / kind).mkdir()
        for i in range(n):
            Image.fromarray(_image(kind, rng)).save(tmp_path / kind / f"{i}.png")
    assert main([str(tmp_path), "--output", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    assert "every class needs at least 4 images" in printed.err
    assert "'lying' has 3" in printed.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["nothing", "file", "empty folder", "output is a file"])
def test_mistakes_end_with_a_sentence_and_status_2(kind, folder, tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("no folder")
    (tmp_path / "empty").mkdir()
    images = {"file": file, "empty folder": tmp_path / "empty", "output is a file": folder}
    output = file if kind == "output is a file" else tmp_path / "out"
    path = images.get(kind, tmp_path / "nowhere")
    assert main([str(path), "--output", str(output)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    [line] = printed.err.splitlines()
    assert line.startswith("python -m sklin: error: ")
    assert repr(str(output if kind == "output is a file" else path)) in line


def test_unknown_options_end_with_status_2(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--nonsense"])
    assert caught.value.code == 2
    assert "--nonsense" in capsys.readouterr().err


def test_ctrl_c_keeps_the_table_so_far(folder, tmp_path, monkeypatch, capsys):
    rows = Comparison.rows

    def interrupted(self, step):
        yield next(rows(self, step))
        raise KeyboardInterrupt

    monkeypatch.setattr(Comparison, "rows", interrupted)
    assert main([str(folder), "--output", str(tmp_path / "out")]) == 130
    printed = capsys.readouterr()
    assert "\nraw pixels " in printed.out
    assert "interrupted" in printed.err
    text = (tmp_path / "out" / "comparison.csv").read_text()
    assert text.count("raw pixels") == 2


def test_ctrl_c_while_loading(folder, tmp_path, monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("sklin.commands._compare.load_image_folder", interrupted)
    assert main([str(folder), "--output", str(tmp_path / "out")]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_help_and_version_of_the_command():
    def run(option):
        return subprocess.run(
            [sys.executable, "-m", "sklin", option],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ).stdout

    assert run("--version").strip() == f"sklin {sklin.__version__}"
    text = run("--help")
    for word in ("FOLDER", "--output", "sub-folder", "alpha", "skipped", "130", *FILES):
        assert word in text


def test_every_step_is_announced(folder, monkeypatch):
    from sklin.commands import _comparison
    from sklin.commands._compare import _load

    monkeypatch.setattr(_comparison, "ALPHAS", (1.0, 0.1))
    train, test, groups = _load(folder)
    comparison = Comparison(train, test, groups)
    steps = []
    rows = list(comparison.rows(steps.append))
    assert len(steps) == comparison.n_steps
    assert [len(row) for row in rows] == [2, 2, 2, 2, 2, 1, 1]


def test_progress_draws_a_bar_on_a_terminal_and_lines_elsewhere():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for stream, n_lines in [(Terminal(), 0), (io.StringIO(), 2)]:
        progress = Progress(4, stream)
        for text in ("one", "one", "two", "two"):
            progress.step(text)
        progress.clear()
        assert stream.getvalue().count("\n") == n_lines
        assert " 75% two" in stream.getvalue() if n_lines == 0 else "50% two" in stream.getvalue()
        if n_lines == 0:
            assert stream.getvalue().endswith("\r")


def test_folds_keep_groups_and_classes_together():
    labels = np.repeat(["a", "b"], 30)
    groups = np.arange(60) // 5
    for fit, held in folds(labels, groups):
        assert not set(groups[fit]) & set(groups[held])
        assert set(labels[held]) == {"a", "b"} == set(labels[fit])


def test_thumbnails_and_reduction_leave_small_images_alone():
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(3, 32, 32, 3), dtype=np.uint8)
    assert np.array_equal(np.rint(thumbnails(images) * 255), images.reshape(3, -1))
    assert np.array_equal(reduced(images), images)
    large = np.full((300, 150, 3), 7, dtype=np.uint8)
    [small] = reduced([large])
    assert small.shape == (128, 64, 3)
    assert (small == 7).all()
    assert thumbnails([large, images[0]]).shape == (2, 3072)


def test_fewer_columns_give_the_same_inner_products():
    rng = np.random.default_rng(0)
    X, held = rng.normal(size=(8, 30)), rng.normal(size=(5, 30))
    small, small_held = _compact(X, held)
    assert small.shape == (8, 8)
    assert np.allclose(small @ small.T, X @ X.T)
    assert np.allclose(small_held @ small.T, held @ X.T)
    assert _compact(X.T, held.T)[0] is not None
    assert _compact(X.T, held.T)[0].shape == (30, 8)


@pytest.mark.slow
def test_the_bundled_pictures(tmp_path):
    assert main(["--output", str(tmp_path)]) == 0
    with (tmp_path / "comparison.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    accuracy = {}
    for row in rows:
        accuracy.setdefault(row["features"], []).append(float(row["test_accuracy"]))
    assert min(accuracy["bag of words"]) >= 0.90
    assert min(accuracy["all together"]) >= 0.90
    for name in ("HoG", "colour histogram"):
        assert min(accuracy[name]) > max(accuracy["raw pixels"])


def test_results_that_cannot_be_written_are_an_error(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sklin.commands._comparison.ALPHAS", (0.1,))

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert main([str(folder), "--output", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    assert "cannot write the results: [Errno 28] No space left" in printed.err
    assert "raw pixels" in printed.out
    assert not list((tmp_path / "out").iterdir())
