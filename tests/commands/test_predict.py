"""`python -m sklin predict MODEL IMAGES...`, run through its `main`."""

import csv
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import sklin
from sklin import HOG, ColorHistogram, LinearSVMClassifier, SoftmaxClassifier
from sklin.__main__ import main
from sklin.commands import _predict

pytest.importorskip("skops.io")

COLORS = {"blue": (20, 30, 200), "green": (10, 180, 20), "red": (220, 10, 30)}


def picture(color, rng, size=None):
    """Noise about a colour, of any size."""
    h, w = rng.integers(8, 30, size=2) if size is None else size
    return np.clip(COLORS[color] + rng.normal(0, 20, (h, w, 3)), 0, 255).astype(np.uint8)


def training(size=None, n=8):
    rng = np.random.default_rng(0)
    labels = np.array(list(COLORS) * n)
    return [picture(label, rng, size) for label in labels], labels


def fitted(classifier, size=None):
    return make_pipeline(ColorHistogram(bins=2), classifier).fit(*training(size))


@pytest.fixture
def folder(tmp_path):
    """Pictures in folders of their own, their names in the order in which they are to come."""
    rng = np.random.default_rng(1)
    for i, color in enumerate([*COLORS, *COLORS]):
        (tmp_path / "images" / color).mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(color, rng)).save(tmp_path / "images" / color / f"{i}.png")
    (tmp_path / "images" / ".hidden").mkdir()
    (tmp_path / "images" / ".hidden" / "no image").write_text("")
    (tmp_path / "images" / ".DS_Store").write_text("")
    return tmp_path / "images"


@pytest.fixture
def model(tmp_path):
    sklin.save(fitted(SoftmaxClassifier()), tmp_path / "model.skops")
    return str(tmp_path / "model.skops")


def rows(text, kind):
    if kind == "json":
        return [tuple(row.values()) for row in json.loads(text)]
    if kind == "csv":
        return [
            (f, label, float(score)) for f, label, score in list(csv.reader(io.StringIO(text)))[1:]
        ]
    lines = [line.split(maxsplit=2) for line in text.splitlines()[1:]]
    return [(file, label, float(score)) for label, score, file in lines]


@pytest.mark.parametrize("kind", ["text", "csv", "json"])
def test_a_folder_of_images(kind, model, folder, capsys):
    assert main(["predict", model, str(folder), "--format", kind]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "probability" in printed.out
    found = rows(printed.out, kind)
    files = sorted(str(file) for file in folder.rglob("*.png"))
    assert [file for file, *_ in found] == files
    pipeline = sklin.load(model)
    images = [np.asarray(Image.open(file)) for file in files]
    assert [label for _, label, _ in found] == pipeline.predict(images).tolist()
    assert [label for _, label, _ in found] == [file.split(os.sep)[-2] for file in files]
    expected = pipeline.predict_proba(images).max(axis=1)
    digits = 1e-4 if kind == "text" else 1e-15
    assert np.allclose([score for *_, score in found], expected, rtol=0, atol=digits)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_margin_of_an_svm_is_to_the_runner_up(n_classes, folder, tmp_path, capsys):
    images, labels = training()
    kept = [i for i, label in enumerate(labels) if label in list(COLORS)[:n_classes]]
    pipeline = make_pipeline(ColorHistogram(bins=2), LinearSVMClassifier(alpha=0.1))
    pipeline.fit([images[i] for i in kept], labels[kept])
    sklin.save(pipeline, tmp_path / "model")
    files = sorted(map(str, folder.rglob("*.png")))
    assert main(["predict", str(tmp_path / "model"), *files, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    scores = pipeline.decision_function([np.asarray(Image.open(file)) for file in files])
    if n_classes == 2:
        expected = np.abs(scores)
    else:
        scores = np.sort(scores, axis=1)
        expected = scores[:, -1] - scores[:, -2]
    assert [row["margin"] for row in found] == pytest.approx(expected.tolist())


@pytest.mark.parametrize(
    "classifier",
    [
        GridSearchCV(SoftmaxClassifier(), {"alpha": [0.1, 1.0]}, cv=2),
        CalibratedClassifierCV(LinearSVMClassifier(alpha=0.1), cv=2),
    ],
    ids=["search", "calibrated"],
)
def test_searches_and_calibrated_classifiers(classifier, folder, tmp_path, capsys):
    whole = GridSearchCV(
        make_pipeline(ColorHistogram(), classifier), {"colorhistogram__bins": [2, 3]}, cv=2
    )
    images, labels = training()
    column = np.empty(len(images), dtype=object)
    column[:] = images
    sklin.save(whole.fit(column, labels), tmp_path / "model")
    assert main(["predict", str(tmp_path / "model"), str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "probability" in printed
    assert [label for _, label, _ in rows(printed, "text")] == sorted([*COLORS, *COLORS])


def test_labels_that_are_numbers_stay_numbers(folder, tmp_path, capsys):
    images, labels = training()
    pipeline = make_pipeline(ColorHistogram(bins=2), SoftmaxClassifier())
    sklin.save(pipeline.fit(images, np.unique(labels, return_inverse=True)[1]), tmp_path / "model")
    assert main(["predict", str(tmp_path / "model"), str(folder), "--format", "json"]) == 0
    assert [row["label"] for row in json.loads(capsys.readouterr().out)] == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("kind", ["text", "csv", "json"])
def test_unreadable_images_are_reported_and_the_rest_go_on(
    kind, model, folder, capsys, monkeypatch
):
    (folder / "green" / "broken.png").write_bytes(b"no image")
    whole = next(folder.glob("red/*.png")).read_bytes()
    (folder / "red" / "cut.png").write_bytes(whole[: len(whole) // 2])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    Image.new("L", (200, 200)).save(folder / "bomb.png")
    files = [str(folder), str(folder / "nowhere.png")]
    assert main(["predict", model, *files, "--format", kind]) == 1
    printed = capsys.readouterr()
    assert len(rows(printed.out, kind)) == 6
    reports = printed.err.splitlines()
    assert len(reports) == 4
    for name, reason in [
        ("bomb.png", "decompression bomb"),
        ("broken.png", "cannot identify"),
        ("cut.png", "truncated"),
        ("nowhere.png", "there is no such file"),
    ]:
        [line] = [line for line in reports if name in line]
        assert line.startswith("python -m sklin predict: ")
        assert reason in line


def test_images_that_the_model_does_not_take_are_reported(folder, tmp_path, capsys):
    images, labels = training(size=(16, 16))
    pipeline = make_pipeline(HOG(), SoftmaxClassifier()).fit(np.array(images), labels)
    sklin.save(pipeline, tmp_path / "model")
    for name, size in [("a.png", (16, 16)), ("b.png", (20, 16)), ("c.png", (16, 16))]:
        Image.new("RGB", size).save(tmp_path / name)
    files = [str(tmp_path / name) for name in ("a.png", "b.png", "c.png")]
    assert main(["predict", str(tmp_path / "model"), *files]) == 1
    printed = capsys.readouterr()
    assert [file for file, *_ in rows(printed.out, "text")] == [files[0], files[2]]
    [line] = printed.err.splitlines()
    assert "b.png' cannot be predicted" in line
    assert "(16, 20, 3)" in line
    # If it takes none, the model is at fault.
    assert main(["predict", str(tmp_path / "model"), files[1]]) == 2
    assert "cannot predict" in capsys.readouterr().err


def test_grey_images_for_a_model_of_grey_images(tmp_path, capsys):
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(12, 16, 16), dtype=np.uint8)
    pipeline = make_pipeline(HOG(), SoftmaxClassifier()).fit(images, np.arange(12) % 2)
    sklin.save(pipeline, tmp_path / "model")
    Image.fromarray(images[3]).save(tmp_path / "grey.png")
    options = ["--format", "json"]
    assert main(["predict", str(tmp_path / "model"), str(tmp_path / "grey.png"), *options]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert row["label"] == pipeline.predict(images[3:4])[0]


def test_chunks_are_bounded_and_miss_nothing(model, folder, capsys, monkeypatch):
    sizes = []
    predict = _predict.Model.predict
    monkeypatch.setattr(
        _predict.Model,
        "predict",
        lambda self, images: sizes.append(len(images)) or predict(self, images),
    )
    (folder / "a broken one.png").write_text("")
    main(["predict", model, str(folder), "--format", "csv"])
    whole = capsys.readouterr().out
    assert sizes == [6]
    for name, limit in [("IMAGES_PER_CHUNK", 2), ("BYTES_PER_CHUNK", 1)]:
        sizes.clear()
        with monkeypatch.context() as patch:
            patch.setattr(_predict, name, limit)
            main(["predict", model, str(folder), "--format", "csv"])
        assert capsys.readouterr().out == whole
        assert max(sizes) <= 2
        assert sum(sizes) == 6


@pytest.mark.parametrize("kind", ["no model", "no skops file", "transformer", "folder", "empty"])
def test_mistakes_end_with_a_sentence_and_status_2(kind, model, folder, tmp_path, capsys):
    path, images = tmp_path / "other", folder
    if kind == "no skops file":
        path.write_bytes(b"\x80\x04N.")
    elif kind == "transformer":
        sklin.save(HOG(), path)
    elif kind == "folder":
        path = tmp_path
    elif kind == "empty":
        path, images = model, tmp_path / "empty"
        images.mkdir()
    assert main(["predict", str(path), str(images)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    [line] = printed.err.splitlines()
    assert line.startswith("python -m sklin predict: error: ")


class Negative(TransformerMixin, BaseEstimator):
    """A transformer that sklin does not know."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return [255 - image for image in X]


def test_what_is_ones_own_must_be_trusted(folder, tmp_path, capsys):
    pipeline = make_pipeline(Negative(), ColorHistogram(bins=2), SoftmaxClassifier())
    sklin.save(pipeline.fit(*training()), tmp_path / "model")
    name = f"{__name__}.Negative"
    arguments = ["predict", str(tmp_path / "model"), str(folder)]
    assert main(arguments) == 2
    assert f"not trusted: {name!r}" in capsys.readouterr().err
    assert main([*arguments, "--trust", name]) == 0
    assert len(rows(capsys.readouterr().out, "text")) == 6


@pytest.mark.parametrize("kind", ["text", "csv", "json"])
def test_ctrl_c_keeps_the_lines_so_far(kind, model, folder, monkeypatch, capsys):
    predict, calls = _predict.Model.predict, []

    def interrupted(self, images):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return predict(self, images)

    monkeypatch.setattr(_predict.Model, "predict", interrupted)
    monkeypatch.setattr(_predict, "IMAGES_PER_CHUNK", 2)
    assert main(["predict", model, str(folder), "--format", kind]) == 130
    printed = capsys.readouterr()
    assert len(rows(printed.out, kind)) == 4
    assert printed.err == "python -m sklin predict: interrupted\n"


def test_names_that_would_break_the_table(model, folder, capsys):
    odd = os.path.join(os.fsencode(folder), b"\xff \x1b[2J\n.png")
    (folder / "red" / "2.png").rename(os.fsdecode(odd))
    for kind in ("text", "csv", "json"):
        assert main(["predict", model, str(folder), "--format", kind]) == 0
        printed = capsys.readouterr().out
        assert len(rows(printed, kind)) == 6
        if kind != "csv":
            assert "\x1b" not in printed


def test_a_long_list_says_how_far_it_is(model, folder, monkeypatch, capsys):
    monkeypatch.setattr("sklin.features._progress.PATIENCE", 0)
    monkeypatch.setattr(
        "sklin.features._progress.perf_counter", iter(range(0, 10_000, 20)).__next__
    )
    monkeypatch.setattr(_predict, "IMAGES_PER_CHUNK", 2)
    assert main(["predict", model, str(folder)]) == 0
    assert "predict: 4 of 6 images" in capsys.readouterr().err


def run(*arguments, **options):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "sklin", "predict", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=env, **options)


def test_help_of_the_command():
    text = run("--help", check=True).stdout
    for word in ("MODEL", "IMAGES", "--format", "--trust", "margin", "probability", "130", "run"):
        assert word in text


def test_a_reader_who_leaves_early_is_no_error(model, folder):
    code = f"{sys.executable} -m sklin predict {model} {folder} {folder} --format csv | head -n 0"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(code, shell=True, capture_output=True, text=True, env=env)
    assert ended.stderr == ""


def test_a_classifier_without_scores_gives_labels(folder, tmp_path, capsys):
    votes = VotingClassifier(
        [("one", SoftmaxClassifier(alpha=0.1)), ("other", SoftmaxClassifier())]
    )
    sklin.save(fitted(votes), tmp_path / "model.skops")
    trust = ["--trust", "sklearn.utils._bunch.Bunch"]  # VotingClassifier's
    files = [str(tmp_path / "model.skops"), str(folder)]
    assert main(["predict", *files, *trust, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["label"] for row in found] == [row["file"].split(os.sep)[-2] for row in found]
    assert {row["score"] for row in found} == {None}


@pytest.mark.filterwarnings("default")
def test_warnings_of_the_model_are_one_line(model, folder, monkeypatch, capsys):
    monkeypatch.setattr(sklin, "__version__", "99.1")
    assert main(["predict", model, str(folder)]) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 7
    [line] = printed.err.splitlines()
    assert line.startswith("python -m sklin predict: warning: ")
    assert "was saved with" in line
