"""
A folder of your own images
===========================

From files on disk to predicted classes: colour, HoG and visual words side by side. Images may
differ in size.
"""

# %%
# A folder with one sub-folder for each class. Here it is written first; put the path of yours in
# the place of ``folder``.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
from PIL import Image
from sklearn.model_selection import train_test_split
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklin import HOG, BagOfVisualWords, ColorHistogram, SoftmaxClassifier
from sklin.datasets import load_image_folder, load_pictures

temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)
pictures = load_pictures(n_per_picture=20)
for i, (image, target) in enumerate(zip(pictures.images, pictures.target, strict=True)):
    place = folder / pictures.target_names[target]
    place.mkdir(exist_ok=True)
    side = 32 - i % 4  # of several sizes
    Image.fromarray(image[:side]).save(place / f"{i}.png")

# %%
# The classes are the sub-folders' names. (Two patches may overlap, so this split flatters: split
# your own images so that near copies stay together.)

images = load_image_folder(folder)
temporary.cleanup()
print(len(images.images), "images of", len(images.target_names), "classes")
train, test, y_train, y_test = train_test_split(
    images.images, images.target, stratify=images.target, random_state=0
)

# %%
# A grid of cells gives rows of one length, whatever the size of the image.

features = FeatureUnion(
    [
        ("colour", ColorHistogram()),
        ("HoG", HOG(grid=(4, 4))),
        ("words", BagOfVisualWords(n_words=30, grid=(1, 1), random_state=0)),
    ]
)
model = make_pipeline(features, StandardScaler(), SoftmaxClassifier(alpha=0.1))
model.fit(train, y_train)
accuracy = model.score(test, y_test)
print(f"test accuracy {accuracy:.3f}")

# %%
# Some test images and what the model takes them for. A patch without texture is anybody's guess.

predicted = model.predict(test)
figure, grid = plt.subplots(2, 5, figsize=(8, 4), layout="constrained")
for axes, image, guess, truth in zip(grid.flat, test, predicted, y_test, strict=False):
    axes.imshow(image)
    axes.set_title(guess if guess == truth else f"{guess}\n(is {truth})", fontsize=9)
    axes.axis("off")
plt.show()
