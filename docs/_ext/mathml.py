"""Formulas as MathML, which browsers draw by themselves: nothing is fetched from the network."""

from docutils import nodes
from latex2mathml import converter
from sphinx.errors import SphinxError


def convert(formula, **options):
    try:
        return converter.convert(formula, **options)
    except Exception as error:
        raise SphinxError(f"No MathML for the formula {formula!r}: {error!r}") from error


def visit_inline(translator, node):
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def visit_block(translator, node):
    # Lines that are aligned are a table to MathML; a blank line in numpydoc parts two formulas.
    for formula in filter(None, map(str.strip, node.astext().split("\n\n"))):
        translator.body.append(f"<div class='math'>{convert(formula, display='block')}</div>")
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
