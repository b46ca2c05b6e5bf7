"""How estimators show themselves: short in print, with links into the documentation in HTML."""

import pathlib
import re

import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr

import sklin
from sklin.losses import WestonWatkins
from sklin.optimizers import SGD
from sklin.regularizers import ElasticNet

INDEX = pathlib.Path(__file__).parent.parent / "docs" / "api" / "index.rst"
ESTIMATORS = [getattr(sklin, name) for name in sklin.__all__ if name[0].isupper()]
COMPONENTS = [WestonWatkins, SGD, ElasticNet]


def documented():
    """The pages that the API's index makes, "module.name"."""
    module, pages = None, set()
    for line in INDEX.read_text(encoding="utf-8").splitlines():
        if line.startswith(".. currentmodule:: "):
            module = line.removeprefix(".. currentmodule:: ")
        elif re.fullmatch(r"   \w+", line):
            pages.add(f"{module}.{line.strip()}")
    return pages


@pytest.mark.parametrize("kind", [*ESTIMATORS, *COMPONENTS], ids=lambda kind: kind.__name__)
def test_html_links_to_a_page_that_is_built(kind, monkeypatch):
    monkeypatch.setenv("SKLIN_DOCS", "file:///some/where/")
    [page] = re.findall(r'href="file:///some/where/api/generated/([^"#]+)\.html"', found(kind()))[
        :1
    ]
    assert page in documented()


def found(estimator):
    return estimator_html_repr(estimator)


def test_no_link_leads_nowhere(monkeypatch):
    monkeypatch.delenv("SKLIN_DOCS", raising=False)
    for kind in [*ESTIMATORS, *COMPONENTS]:
        assert "api/generated" not in found(kind())
    # scikit-learn's own keep theirs.
    html = found(make_pipeline(StandardScaler(), sklin.SoftmaxClassifier()))
    assert "sklearn.preprocessing.StandardScaler.html" in html

    class Own(sklin.SoftmaxClassifier):
        pass

    monkeypatch.setenv("SKLIN_DOCS", "file:///some/where")
    assert "some/where" not in found(Own())


def test_all_public_names_have_a_page():
    names = {page.rsplit(".", 1)[1] for page in documented()}
    assert set(sklin.__all__) <= names
    for page in documented():
        module, name = page.rsplit(".", 1)
        assert name in __import__(module, fromlist=["__all__"]).__all__


def test_print_shows_what_was_changed():
    assert repr(sklin.SoftmaxClassifier(alpha=0.1)) == "SoftmaxClassifier(alpha=0.1)"
    assert repr(sklin.HOG()) == "HOG()"
    model = sklin.LinearSVMClassifier(optimizer=SGD(learning_rate=0.5), regularizer=ElasticNet(0.3))
    assert "".join(repr(model).split()) == (
        "LinearSVMClassifier(optimizer=SGD(learning_rate=0.5),regularizer=ElasticNet(l1_ratio=0.3))"
    )
