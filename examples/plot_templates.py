"""
Reading templates
=================

Each class of a linear classifier has one row of weights, and a row has as many numbers as a
picture has pixels: it is a picture, the class's template.
"""

# %%
# The scaler moves each pixel's range to 0 to 1; the display takes the weights back through it.
# (Standardised pixels would read worse here: those that are almost always black get large weights.)

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from sklin import SoftmaxClassifier
from sklin.inspection import TemplatesDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
alphas = [1e-5, 1e-1]
models = {
    alpha: make_pipeline(MinMaxScaler(), SoftmaxClassifier(alpha=alpha)).fit(X_train, y_train)
    for alpha in alphas
}
norms = {alpha: (model[-1].coef_ ** 2).sum() for alpha, model in models.items()}

# %%
# A small lambda allows large weights: a template that hangs on single pixels.

print(f"alpha {alphas[0]:g}: sum of squares {norms[alphas[0]]:.3g}")
weak = TemplatesDisplay.from_estimator(models[alphas[0]], image_shape=(8, 8))
weak.figure_.suptitle(f"alpha = {alphas[0]:g}")
plt.show()

# %%
# A large one keeps them small, and neighbouring pixels agree: the stroke of a 0 is a bright ring
# around the dark hole, where ink counts against it.

print(f"alpha {alphas[1]:g}: sum of squares {norms[alphas[1]]:.3g}")
strong = TemplatesDisplay.from_estimator(models[alphas[1]], image_shape=(8, 8))
strong.figure_.suptitle(f"alpha = {alphas[1]:g}")
plt.show()
