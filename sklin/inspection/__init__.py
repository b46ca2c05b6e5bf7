"""Pictures of what a classifier and its features have learned."""

from ._alpha_path import AlphaPathDisplay
from ._codebook import CodebookDisplay
from ._drawing import draw_confusion_matrix, draw_mosaic, draw_templates

__all__ = [
    "AlphaPathDisplay",
    "CodebookDisplay",
    "draw_confusion_matrix",
    "draw_mosaic",
    "draw_templates",
]
