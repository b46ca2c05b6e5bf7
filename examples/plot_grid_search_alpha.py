"""
Choose lambda by cross-validation
=================================

The lecture's lambda, here ``alpha``, balances the loss on the training pictures against the size
of the weights. It is a hyperparameter: choose it on pictures that the weights were not fitted to.
"""

# %%
# Few training pictures, so that lambda matters.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split

from sklin import SoftmaxClassifier, SoftmaxClassifierCV
from sklin.inspection import AlphaPathDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, train_size=400, stratify=y, random_state=0
)
alphas = np.logspace(-6, 0, 7)
folds = StratifiedKFold(5, shuffle=True, random_state=0)

# %%
# Any search of scikit-learn does it.

search = GridSearchCV(SoftmaxClassifier(), {"alpha": alphas}, cv=folds).fit(X_train, y_train)
print(f"grid search: alpha {search.best_params_['alpha']:g}, {search.best_score_:.3f} validation")

# %%
# ``SoftmaxClassifierCV`` does the same, each fit starting from its neighbour's weights.

path = SoftmaxClassifierCV(alphas=alphas, cv=folds).fit(X_train, y_train)
print(f"path:        alpha {path.alpha_:g}, {path.score(X_test, y_test):.3f} on test pictures")

# %%
# Where lambda is too large, the weights are held near zero and the accuracy falls. Where it is
# too small, they follow the training pictures alone.

figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
display = AlphaPathDisplay.from_estimator(path, ax=axes)
plt.show()
