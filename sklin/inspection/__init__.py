"""Pictures of what a classifier and its features have learned."""

from ._alpha_path import AlphaPathDisplay
from ._drawing import draw_confusion_matrix, draw_mosaic, draw_templates

__all__ = ["AlphaPathDisplay", "draw_confusion_matrix", "draw_mosaic", "draw_templates"]
