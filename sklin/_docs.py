"""Links from estimators, as notebooks show them, to their pages in the documentation."""

import os


class DocumentationLinks:
    """Gives an estimator's HTML representation a link to its page.

    Where the documentation lies, a folder or an address, is read from the environment variable
    ``SKLIN_DOCS``: the site is built by whoever wants it, and a link that leads nowhere would be
    worse than none.
    """

    @property
    def _doc_link_module(self):
        # scikit-learn links what belongs to this package, and nothing belongs to "".
        return "sklin" if os.environ.get("SKLIN_DOCS") else ""

    @property
    def _doc_link_template(self):
        site = os.environ.get("SKLIN_DOCS", "").rstrip("/")
        return site + "/api/generated/{estimator_module}.{estimator_name}.html"
