"""Images to learn from: bundled pictures, CIFAR-10 from its binary files, a folder of images."""

from ._cifar10 import load_cifar10
from ._folder import load_image_folder
from ._pictures import load_pictures

__all__ = ["load_cifar10", "load_image_folder", "load_pictures"]
