"""
Colour, HoG, words: which features?
===================================

A linear classifier sees what its features say. Compare them by cross-validation, as one
hyperparameter of a pipeline.
"""

# %%
# Which of ten pictures is this patch from? Patches of one tile of a picture overlap, so a tile is
# kept in one fold: it is the patch's group.

import matplotlib.pyplot as plt
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklin import HOG, BagOfVisualWords, ColorHistogram, LinearSVMClassifier, SoftmaxClassifier
from sklin.datasets import load_pictures
from sklin.inspection import FeatureComparisonDisplay

pictures = load_pictures(n_per_picture=30)
X, y = pictures.images, pictures.target
folds = list(GroupKFold(4).split(X, y, groups=pictures.tiles))


def flatten(images):
    """One row of pixels a picture."""
    return images.reshape(len(images), -1)


words = BagOfVisualWords(n_words=50, grid=(1, 1), random_state=0)
features = {
    "pixels": FunctionTransformer(flatten),
    "colour": ColorHistogram(),
    "HoG": HOG(),
    "words": words,
    "all together": make_union(ColorHistogram(), HOG(), words),
}
classifiers = {
    "softmax": SoftmaxClassifier(alpha=0.1, tol=1e-2),
    "SVM": LinearSVMClassifier(alpha=0.1, loss="squared_hinge", tol=1e-2),
}

# %%
# Features are standardised within each fold, so that none outweighs another by its unit alone.

scores = {}
for name, extractor in features.items():
    scores[name] = {}
    for classifier_name, classifier in classifiers.items():
        pipeline = make_pipeline(extractor, StandardScaler(), classifier)
        scores[name][classifier_name] = cross_val_score(pipeline, X, y, cv=folds)
    print(f"{name:14}", {key: round(float(value.mean()), 3) for key, value in scores[name].items()})

# %%
# A small dot for each fold, a large one for their mean. With 300 images, more features need not be
# better: fifty words alone serve the SVM better than all sets together, where they are a few
# columns among many. Hence the comparison.

figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
display = FeatureComparisonDisplay.from_scores(scores, ax=axes)
plt.show()
