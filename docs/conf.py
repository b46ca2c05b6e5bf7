"""The site: `pip install ".[docs]" && sphinx-build -W docs site`, offline."""

import os
import sys
from pathlib import Path

# Every estimator of the gallery runs on one thread of the BLAS, as its matrices are small.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Where the question marks of estimators in the gallery lead.
os.environ["SKLIN_DOCS"] = ".."
sys.path.insert(0, str(Path(__file__).parent / "_ext"))
sys.path.insert(0, str(Path(__file__).parent.parent))

import sklin

project = "sklin"
author = "The sklin developers"
copyright = "2026, the sklin developers, BSD 3-Clause"
version = release = sklin.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "mathml",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["benchmarks", "_ext", "_build"]
html_math_renderer = "mathml"
templates_path = ["_templates"]

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3

autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "min_reported_time": 1,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,  # its pages fetch scripts from the network
    "nested_sections": False,
    "within_subsection_order": "lessons.ByLesson",
    "plot_gallery": os.environ.get("SKLIN_GALLERY", "1") == "1",
}

html_theme = "pydata_sphinx_theme"
html_title = "sklin"
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["sklin.css"]
html_theme_options = {
    "navbar_align": "left",
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True


def setup(app):
    def skip(app, what, name, thing, skip, options):
        """Leave out what scikit-learn has documented, in words that link to its own pages."""
        module = getattr(thing, "__module__", None) or ""
        return True if module.startswith("sklearn") or name.endswith("_request") else None

    app.connect("autodoc-skip-member", skip)
