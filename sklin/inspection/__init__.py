"""Pictures of what a classifier and its features have learned."""

from ._alpha_path import AlphaPathDisplay
from ._codebook import CodebookDisplay
from ._drawing import draw_codebook, draw_confusion_matrix, draw_mosaic, draw_templates
from ._feature_comparison import FeatureComparisonDisplay
from ._hog import HOGDisplay
from ._loss_curve import LossCurveDisplay
from ._templates import TemplatesDisplay

__all__ = [
    "AlphaPathDisplay",
    "CodebookDisplay",
    "FeatureComparisonDisplay",
    "HOGDisplay",
    "LossCurveDisplay",
    "TemplatesDisplay",
    "draw_codebook",
    "draw_confusion_matrix",
    "draw_mosaic",
    "draw_templates",
]
