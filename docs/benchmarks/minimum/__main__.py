"""Time to the minimum: sklin and its peers on the same objectives, side by side in one run.

Run it as ``python docs/benchmarks/minimum --cifar FOLDER_OR_TAR_GZ`` on an otherwise idle machine,
with the official binary files of CIFAR-10; without them the features are of patches of the pictures
that come with scikit-image. ``--quick`` is for a look, ``--help`` says the rest. It prints

- for each case and alpha, the seconds until each method is within 1e-2, 1e-3 and 1e-4 of the
  minimum, relative, how many times sklin's that is, and sklin's passes over the data;
- the table of the goals, and what was found;

and it draws time against suboptimality into ``minimum.png`` (if matplotlib is installed) and leaves
all figures in ``minimum.json``, from which ``--redraw`` prints and draws again.

How it is measured. sklin is watched: one fit, as the estimator makes it, including the validation
of the data and all set-up, notes the time, the value and the proven gap after each iteration. Peers
tell nothing on the way, so they make whole fits, each with twice the iterations of the last and
next to no tolerance, until they are there or the next would take longer than the budget; between
two fits the time is interpolated, in their favour. What counts for all is the value of sklin's
objective at their weights (`_peers.py` derives C and the like from alpha). The minimum is the best
value that anybody found, and the gap that sklin has proven says how much lower it can be. All get
the same arrays and the same threads. Softmaxes have an intercept; hinges have none, for LinearSVC
penalises its own. Ratios carry over to other machines, seconds do not.
"""

import argparse
import json
import math
import os
import platform
import tempfile
import time
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import scipy
import sklearn
from _cases import Case, cases
from _data import Source
from _draw import draw
from _goals import Row, favoured, measured, rows_of_races
from _peers import peers
from _race import FAVOUR, LEVELS, OURS, race, read_off, seconds_to_proof, warm_up

WIDTH = 36


def arguments():
    parser = argparse.ArgumentParser(
        prog="python docs/benchmarks/minimum",
        description="Time to the minimum of the same objective: sklin and its peers.",
    )
    add = parser.add_argument
    add("--cifar", metavar="FOLDER_OR_TAR_GZ", help="official binary files of CIFAR-10")
    add(
        "--cases",
        default="*",
        help="patterns of names, separated by commas: " + ", ".join(map(str, cases())),
    )
    add("--peers", default="*", help="patterns of names of peers, separated by commas")
    add("--alphas", type=float, nargs="+", help="default: 0.1 0.001 0.00001")
    add("--rows", type=int, help="largest number of samples")
    add(
        "--budget",
        type=float,
        help="seconds that a peer's fit may take, default 10; sklin, and peers on which a goal "
        f"hangs, get {FAVOUR} times that",
    )
    add("--repeat", type=int, help="how often fits of less than a second are made, default 3")
    add("--out", type=Path, help="folder of the picture, the figures and the features")
    add("--quick", action="store_true", help="2,000 samples, alpha 0.001, a budget of 0.2")
    add("--redraw", action="store_true", help="print and draw the figures of the last run again")
    found = parser.parse_args()
    defaults = (2_000, 0.2, 1, [1e-3]) if found.quick else (None, 10.0, 3, [1e-1, 1e-3, 1e-5])
    for name, default in zip(("rows", "budget", "repeat", "alphas"), defaults, strict=True):
        if getattr(found, name) is None:
            setattr(found, name, default)
    found.out = found.out or Path(tempfile.gettempdir()) / "sklin-benchmark"
    found.patterns = found.cases.split(",")
    found.cases = [c for c in cases() if any(fnmatch(str(c), p) for p in found.patterns)]
    if not found.cases:
        parser.error(f"--cases {','.join(found.patterns)} names none of the cases")
    return found


def cell(seconds, ours, unsure=False):
    if not math.isfinite(seconds):
        return f"{'-':>18}"
    ratio = f"({seconds / ours:#.2g}x)".replace(".x", "x") if math.isfinite(ours) else ""
    if math.isfinite(ours) and seconds >= 100 * ours:
        ratio = f"({seconds / ours:.0f}x)"
    return f"{seconds:9.3f}{'?' if unsure else ' '}{ratio:>8}"


def print_race(result):
    case, curves, minimum = Case(*result["case"]), result["curves"], result["minimum"]
    unsure = result["gap"] > LEVELS[-1]
    print(
        f"\n{case}: {case.title}; {result['data']}; alpha {result['alpha']:g}\n"
        f"minimum {minimum:.6g}, at most {max(result['gap'], 0):.0e} lower by proof"
        + ("; ? is near the best value found, which may not be the minimum" * unsure)
    )
    print(f"{'seconds to':{WIDTH}}" + "".join(f"{level:>9.0e}{'':9}" for level in LEVELS))
    ours = [read_off(result, OURS, level) for level in LEVELS]
    for name, curve in curves.items():
        spent, end = result["ends"][name]
        if not curve:
            print(f"{name:{WIDTH}}{end}")
            continue
        times = [read_off(result, name, level) for level in LEVELS]
        off = curve[-1][1] / minimum - 1
        note = "" if math.isfinite(times[-1]) else f"  {off:.0e} off after {spent:.3g} s"
        if note and end == "itself":
            note += ", where it stops by itself"
        elif note and end not in ("budget", "target", "callback"):
            note += f" ({end})"
        if name == OURS:
            passes = next((n[3] for n in curve if n[1] <= minimum * (1 + LEVELS[-1])), None)
            note += f"  {curve[-1][3] if passes is None else passes} passes over the data"
        doubts = [result["gap"] > level for level in LEVELS]
        print(f"{name:{WIDTH}}" + "".join(map(cell, times, ours, doubts)) + note)
        if name == OURS:
            proven = [seconds_to_proof(curve, level) for level in LEVELS]
            gap = curve[-1][2] / curve[-1][1]
            note = "" if math.isfinite(proven[-1]) else f"  {gap:.0e} proven after {spent:.3g} s"
            print(f"{'sklin, proven':{WIDTH}}" + "".join(map(cell, proven, ours)) + note)


def print_goals(rows):
    print("\nGoals")
    header = Row("what", "against", "goal", "found", "met")
    widths = [max(len(str(row[i])) for row in [header, *rows]) for i in range(len(header))]
    for row in [header, *rows]:
        print("| " + " | ".join(f"{t:{w}}" for t, w in zip(row, widths, strict=True)) + " |")
        if row is header:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def report(results, rows, out):
    """The goals and the picture; the races have been printed."""
    rows = [*rows_of_races(results), *map(Row._make, rows)]
    if rows:
        print_goals(rows)
    order = {case: i for i, case in enumerate(cases())}
    results = sorted(results, key=lambda r: (order[Case(*r["case"])], -r["alpha"]))
    file = out / "minimum.png"
    if results and draw(results, file):
        print(f"\nThe picture is {file}.")
    elif results:
        print("\nThere is no picture: matplotlib is not installed.")


def run(args):
    """All races and the other measurements, printed and kept as they come."""
    source = Source(args.cifar, args.rows, args.out)
    found, missing = peers()
    found = [p for p in found if any(fnmatch(p.name, part) for part in args.peers.split(","))]
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    print(
        f"Images: {source}. Python {platform.python_version()}, numpy {np.__version__}, scipy "
        f"{scipy.__version__}, scikit-learn {sklearn.__version__}, {os.cpu_count()} cores, "
        f"OMP_NUM_THREADS {threads}; {args.budget:g} s for a peer's fit."
    )
    print(*missing, sep="\n", flush=True)
    warm_up(args.cases, found)
    results, rows = [], []
    for name in dict.fromkeys(case.data for case in args.cases):
        data = source.load(name)
        here = [case for case in args.cases if case.data == name]
        for case in here:
            rivals = [peer for peer in found if (case.loss, case.regularizer) in peer.serves]
            for alpha in args.alphas:
                names = favoured(case, alpha)
                result = race(case, data, alpha, rivals, args.budget, names, args.repeat)
                print_race(result)
                results.append(result)
        done = [result for result in results if Case(*result["case"]) in here]
        rows += measured(name, data, args.alphas, done, FAVOUR * args.budget, 5 * args.repeat)
        keep = {"results": results, "rows": rows}
        (args.out / "minimum.json").write_text(json.dumps(keep))
    return results, rows


def main():
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()
    if args.redraw:
        file = args.out / "minimum.json"
        if not file.exists():
            raise SystemExit(f"There is no {file} to draw from: run without --redraw first.")
        kept = json.loads(file.read_text())
        results, rows = kept["results"], kept["rows"]
        for result in results:
            print_race(result)
    else:
        results, rows = run(args)
    report(results, rows, args.out)
    print(f"{time.perf_counter() - begin:.0f} s in all.")


if __name__ == "__main__":
    main()
