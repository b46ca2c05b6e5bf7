"""
First steps
===========

Fit the softmax classifier to small pictures, ask it for classes and probabilities, and see where
it errs.
"""

# %%
# The pictures: handwritten digits of 8 x 8 pixels, grey levels 0 to 16. Every picture is a row.

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split

from sklin import SoftmaxClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)
print(f"{len(X_train)} training and {len(X_test)} test pictures of {X.shape[1]} numbers")

# %%
# The scores of the ten classes are s = W x + b. ``alpha`` is the lecture's lambda, the weight of
# the penalty on W. The fit stops when the objective is proven to be near its minimum:
# ``duality_gap_`` says how near.

classifier = SoftmaxClassifier(alpha=1e-4).fit(X_train, y_train)
print(f"objective {classifier.objective_:.4f}, at most {classifier.duality_gap_:.1e} too large")

# %%
# One score per class, and the probabilities that the softmax makes of them.

probabilities = classifier.predict_proba(X_test)
accuracy = classifier.score(X_test, y_test)
predicted = classifier.predict(X_test)
print(f"the first test picture is a {y_test[0]}, predicted {predicted[0]}")
print("its probabilities:", probabilities[0].round(3))
print(f"test accuracy {accuracy:.3f}")

# %%
# Rows are the true digits, columns the predicted ones.

figure, axes = plt.subplots(figsize=(5.5, 5), layout="constrained")
display = ConfusionMatrixDisplay.from_estimator(
    classifier, X_test, y_test, ax=axes, cmap="Blues", colorbar=False
)
axes.set_title(f"Test accuracy {accuracy:.1%}")
plt.show()
