"""
Images beside columns of a table
================================

One column of the table holds images, the others numbers and categories. ``ColumnTransformer``
gives each its own features.
"""

# %%
# A made-up task: a patch is from one of ten pictures, and of each there are two prints, of a low
# and of a high price. Which print it is cannot be seen in the patch, only in the table.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklin import ColorHistogram, SoftmaxClassifier
from sklin.datasets import load_pictures


def table(subset):
    """A row for each patch, and the class of each: picture and print."""
    pictures = load_pictures(subset=subset, n_per_picture=40)
    random = np.random.default_rng(["train", "test"].index(subset))
    dear = random.integers(2, size=len(pictures.target))
    rows = pd.DataFrame(
        {
            "image": list(pictures.images),
            "price": random.normal(np.where(dear, 30.0, 10.0), 5.0),
            "shop": random.choice(["market", "museum"], size=len(dear)),
        }
    )
    names = np.array(pictures.target_names)[pictures.target]
    return rows, np.char.add(names, np.where(dear, " (dear)", " (cheap)"))


rows, y = table("train")
rows_test, y_test = table("test")
print(rows.drop(columns="image").describe(include="all").round(1))

# %%
# Features of the image alone, of the other columns alone, and of both. A column may hold arrays,
# as here, or the paths of files.

image = (ColorHistogram(), "image")
numbers = (StandardScaler(), ["price"])
shop = (OneHotEncoder(), ["shop"])
columns = {"image": [image], "other columns": [numbers, shop], "both": [image, numbers, shop]}
accuracies = {}
for name, parts in columns.items():
    model = make_pipeline(
        make_column_transformer(*parts), StandardScaler(), SoftmaxClassifier(alpha=1e-2)
    )
    accuracies[name] = model.fit(rows, y).score(rows_test, y_test)
    print(f"{name:14} test accuracy {accuracies[name]:.3f}")

# %%
# Neither tells the class without the other. Together they are as good as the colours of so small a
# patch allow: the price tells the print nearly always, the colours the picture less than half of
# the time.

figure, axes = plt.subplots(figsize=(6, 2.6), layout="constrained")
bars = axes.barh(list(accuracies), list(accuracies.values()), color="#0072b2")
axes.bar_label(bars, fmt="%.2f", padding=3)
axes.set(xlabel="test accuracy", xlim=(0, 1))
axes.invert_yaxis()
plt.show()
