"""Draws results: `python -m benchmarks.plot RESULTS.json PICTURE.png`.

Runs in the environment of `plot.lock`, where nothing of the project's dependencies is installed.
"""

import json
import sys
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes

mpl.use("Agg")

from matplotlib import pyplot as plt

_COLOURS = ("#9aa5b1", "#7cb0e8", "#2f6fb7", "#8fd0a8", "#2f8f5b", "#d9a441")


def main(source: str, picture: str) -> None:
    """Draws rows per second and peak memory of first syncs, and seconds of every sync."""
    with open(source, encoding="utf-8") as file:  # noqa: PTH123 - plain Python
        measurements = json.load(file)["measurements"]
    first = [each for each in measurements if each["phase"] == "first sync"]
    figure, panels = plt.subplots(1, 3, figsize=(15, 5), layout="constrained")
    _bars(panels[0], "Rows per second, first sync", [(*_key(each), _speed(each)) for each in first])
    _bars(
        panels[1], "Peak memory, first sync, MB", [(*_key(e), e["sync"]["peak_mb"]) for e in first]
    )
    later = [each for each in measurements if each not in first]
    _bars(panels[2], "Seconds of later syncs", [(*_later(e), e["sync"]["seconds"]) for e in later])
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(picture, dpi=110)


def _key(each: dict[str, Any]) -> tuple[str, str]:
    return f"{each['size']:,}\ninvoices", each["case"]


def _later(each: dict[str, Any]) -> tuple[str, str]:
    return f"{each['size']:,}\n{each['phase']}", each["case"]


def _speed(each: dict[str, Any]) -> float:
    return sum(each["sync"]["rows"].values()) / each["sync"]["seconds"]


def _bars(panel: Axes, title: str, values: list[tuple[str, str, float]]) -> None:
    """One group of bars per first element, one colour per second."""
    groups = list(dict.fromkeys(group for group, _, _ in values))
    cases = list(dict.fromkeys(case for _, case, _ in values))
    width = 0.8 / len(cases)
    for at, case in enumerate(cases):
        heights = {group: height for group, each, height in values if each == case}
        places = [number + (at - (len(cases) - 1) / 2) * width for number in range(len(groups))]
        bars = panel.bar(
            places,
            [heights.get(group, 0) for group in groups],
            width,
            label=case,
            color=_COLOURS[at % len(_COLOURS)],
        )
        panel.bar_label(
            bars, fmt="{:,.0f}" if max(heights.values()) >= 100 else "{:.1f}", fontsize=7
        )
    panel.set_xticks(range(len(groups)), groups, fontsize=8)
    panel.set_title(title, loc="left", fontsize=11)
    panel.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    main(*sys.argv[1:])
