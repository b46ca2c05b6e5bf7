"""The order of the gallery: first things first."""

LESSONS = (
    "first_steps",
    "grid_search_alpha",
    "feature_sets",
    "templates",
    "random_search_to_descent",
    "gradient_check",
    "course_assignment",
    "image_folder",
    "columns",
    "calibrated_svm",
    "partial_fit",
    "dask",
)


class ByLesson:
    """The place of an example in the list above; new ones come last."""

    def __init__(self, folder):
        pass

    def __call__(self, file):
        name = file.removeprefix("plot_").removesuffix(".py")
        return LESSONS.index(name) if name in LESSONS else len(LESSONS)
