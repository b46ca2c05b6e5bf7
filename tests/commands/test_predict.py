"""`python -m sklin predict MODEL IMAGES...`, run through its `main`."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sklin
from sklin import HOG, ColorHistogram, LinearSVMClassifier, SoftmaxClassifier
from sklin.__main__ import main
from sklin.commands import _predict

COLOURS = {"blue": (0, 0, 200), "green": (0, 200, 0), "red": (200, 0, 0)}


def image(name, rng, shape=(20, 24)):
    noise = rng.integers(-40, 40, size=(*shape, 3))
    return np.clip(np.array(COLOURS[name]) + noise, 0, 255).astype(np.uint8)


@pytest.fixture
def files(tmp_path):
    """Two files of each colour, of different sizes, in folders of their names."""
    rng = np.random.default_rng(0)
    paths = []
    for name in COLOURS:
        (tmp_path / "images" / name).mkdir(parents=True)
        for i in range(2):
            path = tmp_path / "images" / name / f"{i}.png"
            Image.fromarray(image(name, rng, (16 + i, 20))).save(path)
            paths.append(path)
    return paths


def saved(classifier, tmp_path, names=tuple(COLOURS), labels=None):
    rng = np.random.default_rng(1)
    images = [image(name, rng, (18 + i % 2, 20)) for i in range(5) for name in names]
    labels = np.array([*names] * 5) if labels is None else labels
    features = ColorHistogram(bins=3, grid=(1, 1))
    model = make_pipeline(features, StandardScaler(), classifier).fit(images, labels)
    path = tmp_path / "model.skops"
    sklin.save(model, path)
    return model, str(path)


def pixels(files):
    return [np.array(Image.open(file)) for file in files]


def test_a_table_names_each_file_its_class_and_its_probability(files, tmp_path, capsys):
    model, path = saved(SoftmaxClassifier(tol=1e-2), tmp_path)
    assert main(["predict", path, *map(str, files)]) == 0
    printed = capsys.readouterr()
    head, *rows = printed.out.splitlines()
    assert head.split() == ["file", "label", "probability"]
    assert printed.err == ""
    expected = model.predict_proba(pixels(files))
    for row, file, scores in zip(rows, files, expected, strict=True):
        name, label, probability = row.split()
        assert name == str(file) and label == file.parent.name
        assert float(probability) == pytest.approx(scores.max(), abs=1e-4)


@pytest.mark.parametrize("names", [tuple(COLOURS), ("blue", "red")])
def test_csv_of_a_folder_has_scores_of_an_svm(names, files, tmp_path, capsys):
    model, path = saved(LinearSVMClassifier(alpha=0.1, tol=1e-2), tmp_path, names)
    folder = tmp_path / "images"
    assert main(["predict", path, str(folder), "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["file"] for row in rows] == [str(file) for file in files]
    scores = model.decision_function(pixels(files))
    scores = np.abs(scores) if scores.ndim == 1 else scores.max(axis=1)
    np.testing.assert_allclose([float(row["score"]) for row in rows], scores, rtol=1e-5)
    assert [row["label"] for row in rows] == model.predict(pixels(files)).tolist()


def test_json_keeps_the_kinds_of_labels(files, tmp_path, capsys):
    _, path = saved(SoftmaxClassifier(tol=1e-2), tmp_path, labels=np.array([0, 1, 2] * 5))
    assert main(["predict", path, *map(str, files), "-f", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["label"] for row in rows] == [0, 0, 1, 1, 2, 2]
    assert all(1 / 3 < row["probability"] <= 1 for row in rows)


def test_chunks_change_nothing(files, tmp_path, monkeypatch, capsys):
    _, path = saved(SoftmaxClassifier(tol=1e-2), tmp_path)
    arguments = ["predict", path, *map(str, files), "-f", "csv"]
    main(arguments)
    expected = capsys.readouterr().out
    for name, value in [("CHUNK", 4), ("CHUNK_PIXELS", 1)]:
        monkeypatch.setattr(_predict, name, value)
        assert main(arguments) == 0
        printed = capsys.readouterr()
        assert printed.out == expected
        assert "% images" in printed.err  # a list of more than a chunk is long


def test_what_cannot_be_read_is_named_and_the_others_predicted(files, tmp_path, capsys):
    _, path = saved(SoftmaxClassifier(tol=1e-2), tmp_path)
    broken = tmp_path / "broken.png"
    broken.write_bytes(files[0].read_bytes()[:60])
    sources = [str(broken), str(files[0]), str(tmp_path / "nowhere.png"), str(files[-1])]
    assert main(["predict", path, *sources, "-f", "json"]) == 1
    printed = capsys.readouterr()
    assert [row["label"] for row in json.loads(printed.out)] == ["blue", "red"]
    first, second = printed.err.splitlines()
    assert repr(str(broken)) in first and "cannot read" in first
    assert "nowhere.png" in second and "there is no such file" in second
    assert main(["predict", path, str(broken), "-f", "json"]) == 1
    assert json.loads(capsys.readouterr().out) == []


def test_grey_models_are_given_grey(files, tmp_path, capsys):
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(6, 16, 20), dtype=np.uint8)
    model = make_pipeline(HOG(), SoftmaxClassifier(tol=1e-2)).fit(images, [0, 1] * 3)
    sklin.save(model, tmp_path / "grey.skops")
    small = [str(file) for file in files if file.name == "0.png"]  # 16 x 20 as well
    assert main(["predict", str(tmp_path / "grey.skops"), *small]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_mistakes_end_with_a_sentence_and_status_2(files, tmp_path, capsys):
    _, path = saved(SoftmaxClassifier(tol=1e-2), tmp_path)
    (tmp_path / "empty").mkdir()
    text = tmp_path / "text.skops"
    text.write_text("no model")
    sklin.save(HOG(), tmp_path / "hog.skops")
    rows = SoftmaxClassifier(tol=1e-2).fit(np.eye(4), [0, 1, 0, 1])
    sklin.save(rows, tmp_path / "rows.skops")
    for model, source, sentence in [
        (str(tmp_path / "none.skops"), files[0], "there is no file"),
        (str(text), files[0], "cannot be read as a model"),
        (str(tmp_path / "hog.skops"), files[0], "a HOG predicts nothing"),
        (str(tmp_path / "rows.skops"), files[0], "dim"),
        (path, tmp_path / "empty", "there is no file in the folder"),
    ]:
        assert main(["predict", model, str(source)]) == 2
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        assert printed.err.startswith("python -m sklin predict: error: ")
        assert sentence in printed.err


def own_root(X):
    return np.sqrt(X)


def test_functions_of_strangers_are_refused_until_trusted(files, tmp_path, capsys):
    from sklearn.preprocessing import FunctionTransformer

    rng = np.random.default_rng(0)
    images = [image(name, rng) for name in [*COLOURS] * 3]
    steps = (ColorHistogram(bins=3, grid=(1, 1)), FunctionTransformer(own_root))
    model = make_pipeline(*steps, SoftmaxClassifier(tol=1e-2)).fit(images, [*COLOURS] * 3)
    path = str(tmp_path / "own.skops")
    sklin.save(model, path)
    assert main(["predict", path, str(files[0])]) == 2
    assert f"{__name__}.own_root" in capsys.readouterr().err
    assert main(["predict", path, str(files[0]), "--trust", f"{__name__}.own_root"]) == 0


def test_ctrl_c_ends_with_status_130(files, tmp_path, monkeypatch, capsys):
    _, path = saved(SoftmaxClassifier(tol=1e-2), tmp_path)

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(_predict, "open_image", interrupted)
    assert main(["predict", path, str(files[0])]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_help(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["predict", "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for word in ("MODEL", "IMAGES", "--format", "--trust", "probability", "130"):
        assert word in text
