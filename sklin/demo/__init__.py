"""The lecture's interactive demo: a page on which a linear classifier is trained in view.

The page draws and takes input; every loss, penalty, gradient and step that it shows is computed
here, by the package's own losses, regularizers and optimizers.
"""
