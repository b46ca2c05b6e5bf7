"""
On a dask cluster
=================

Feature extraction and grid searches run over joblib, and joblib runs on dask. The numbers are the
same; only the place where they are computed is another.
"""

# %%
# A cluster of two threads in this process. On a real one, give ``Client`` its address: nothing
# else changes.

import matplotlib.pyplot as plt
import numpy as np
from distributed import Client, LocalCluster
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklin import HOG, SoftmaxClassifier
from sklin.datasets import load_pictures

X, y = load_pictures(n_per_picture=30, return_X_y=True)
hog = HOG()
search = GridSearchCV(
    make_pipeline(hog, StandardScaler(), SoftmaxClassifier(tol=1e-3)),
    {"softmaxclassifier__alpha": np.logspace(-3, 1, 5)},
    cv=3,
)
alone = hog.fit_transform(X)
search_alone = search.fit(X, y).cv_results_["mean_test_score"]

with (
    LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
    ) as cluster,
    Client(cluster),
    parallel_config(backend="dask"),
):
    on_dask = hog.fit_transform(X)
    search_on_dask = search.fit(X, y).cv_results_["mean_test_score"]

# %%
# The same features, and the same scores.

print("features equal:", np.array_equal(alone, on_dask))
print("largest difference of the scores:", np.abs(search_alone - search_on_dask).max())

alphas = search.param_grid["softmaxclassifier__alpha"]
figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
axes.semilogx(alphas, search_alone, "o", markersize=11, color="#56b4e9", label="without dask")
axes.semilogx(alphas, search_on_dask, "x", color="black", label="on dask")
axes.set(xlabel="alpha", ylabel="cross-validated accuracy")
axes.legend()
plt.show()
