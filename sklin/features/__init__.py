"""Image features: transformers that turn images into rows of numbers."""

from ._bag_of_visual_words import BagOfVisualWords
from ._color_histogram import ColorHistogram
from ._hog import HOG

__all__ = ["HOG", "BagOfVisualWords", "ColorHistogram"]
