"""Pictures of what a classifier and its features have learned."""

from ._alpha_path import AlphaPathDisplay
from ._codebook import CodebookDisplay
from ._drawing import draw_confusion_matrix, draw_mosaic, draw_templates
from ._hog import HOGDisplay

__all__ = [
    "AlphaPathDisplay",
    "CodebookDisplay",
    "HOGDisplay",
    "draw_confusion_matrix",
    "draw_mosaic",
    "draw_templates",
]
