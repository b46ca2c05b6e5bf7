"""The picture: a row for each case, a column for each alpha, time against suboptimality."""

import numpy as np
from _cases import Case
from _race import LEVELS, OURS

COLOURS = {
    OURS: "black",
    "LogisticRegression lbfgs": "#0072b2",
    "LogisticRegression newton-cg": "#e69f00",
    "LogisticRegression newton-cholesky": "#cc79a7",
    "LogisticRegression saga": "#56b4e9",
    "LinearSVC crammer_singer": "#d55e00",
    "LinearSVC ovr, dual": "#d55e00",
    "LinearSVC ovr, primal": "#8c510a",
    "SGDClassifier": "#009e73",
    "lightning FistaClassifier": "#7b3294",
    "lightning CDClassifier": "#c2a5cf",
    "lightning SDCAClassifier": "#999933",
}
TOP, FLOOR = 10.0, 1e-5


def draw(results, file):
    """Draw the results of races into a file; False if matplotlib is missing."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    rows = list(dict.fromkeys(tuple(result["case"]) for result in results))
    columns = sorted({result["alpha"] for result in results}, reverse=True)
    figure, axes = plt.subplots(
        len(rows),
        len(columns),
        figsize=(3.3 * len(columns) + 2.9, 2.3 * len(rows) + 0.9),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    drawn = {(tuple(result["case"]), result["alpha"]): result for result in results}
    for i, row in enumerate(rows):
        lines = {}
        for j, alpha in enumerate(columns):
            ax = axes[i, j]
            result = drawn.get((row, alpha))
            if i == 0:
                ax.set_title(f"alpha = {alpha:g}", fontsize=11)
            if result is None:
                ax.axis("off")
                continue
            # The first that there is, in its row.
            ax.tick_params(labelleft=not lines)
            _panel(ax, result, lines)
            if i == len(rows) - 1:
                ax.set_xlabel("seconds")
        title = f"{Case(*row).title}\n{result_of(results, row)['data'].replace(', ', chr(10), 1)}"
        axes[i, -1].legend(
            lines.values(),
            lines.keys(),
            title=title,
            title_fontproperties={"weight": "bold", "size": 8},
            alignment="left",
            loc="upper left",
            bbox_to_anchor=(1.02, 1.04),
            fontsize=8,
            frameon=False,
        )
    figure.supylabel("how far above the minimum, relative", fontsize=11)
    figure.suptitle(
        "Left and low is better. Grey: nearer than the minimum itself is proven.", fontsize=10
    )
    figure.savefig(file, dpi=110)
    plt.close(figure)
    return True


def result_of(results, row):
    return next(result for result in results if tuple(result["case"]) == row)


def _panel(ax, result, lines):
    """One race; what is farther off than `TOP` runs along the upper edge."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    minimum = result["minimum"]
    for name, curve in result["curves"].items():
        if not curve:
            continue
        seconds, values = np.array([note[:2] for note in curve]).T
        off = np.clip(values / minimum - 1, FLOOR, TOP)
        ours = name == OURS
        (line,) = ax.plot(
            seconds,
            off,
            color=COLOURS.get(name, "grey"),
            linewidth=3 if ours else 1.3,
            marker=None if ours and len(curve) > 1 else ".",
            markersize=5,
            zorder=3 if ours else 2,
        )
        lines[name] = line
    ours = np.array([note[:3] for note in result["curves"][OURS]])
    gap = np.clip(ours[:, 2] / ours[:, 1], FLOOR, None)
    shown = np.isfinite(gap)
    (line,) = ax.plot(
        ours[shown, 0], np.minimum.accumulate(gap[shown]), color="black", ls=":", lw=1.3
    )
    lines["sklin, proven"] = line
    if result["gap"] > FLOOR:
        # Below it the minimum itself is not known well enough to tell.
        ax.axhspan(FLOOR / 10, result["gap"], color="0.9", zorder=0, lw=0)
    ax.set(xscale="log", yscale="log", ylim=(FLOOR / 1.5, 1.3 * TOP))
    ax.set_yticks([1, 0.1, *LEVELS, FLOOR])
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
    ax.minorticks_off()
    ax.grid(True, color="0.9", lw=0.6)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=8)
