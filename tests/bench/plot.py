"""The rates as a picture: one panel a group, one bar a server, the spread of the runs as a line across its end."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt

from bench import report

OURS, BASELINE, OTHERS = "#1f6feb", "#57606a", "#afb8c1"


def draw(results: Mapping[str, Any], file: Path) -> None:
    """Write the SVG; equal figures give an equal file."""
    groups = [group for group in results["groups"].values() if group["kind"] == "rate"]
    if not groups:
        return
    # Text stays text: small, and searchable.
    mpl.rcParams.update({"svg.hashsalt": "wiretape", "svg.fonttype": "none", "font.size": 9})
    kept = [[row for row in group["rows"] if row["runs"]] for group in groups]
    heights = [len(rows) + 1.2 for rows in kept]
    ratios = {"height_ratios": heights}
    figure, panels = plt.subplots(
        len(groups), 1, figsize=(8, sum(heights) * 0.27), squeeze=False, gridspec_kw=ratios, layout="constrained"
    )
    for panel, group, rows in zip(panels[:, 0], groups, kept, strict=True):
        _panel(panel, group, rows)
    # Transparent would be unreadable on a dark page.
    figure.savefig(file, metadata={"Date": None, "Creator": None}, facecolor="white")
    plt.close(figure)


def _panel(panel: Any, group: Mapping[str, Any], rows: list[Mapping[str, Any]]) -> None:
    most = max((max(report.figures(row, "rate")) for row in rows), default=1)
    for place, row in enumerate(rows):
        found = report.figures(row, "rate")
        middle = report.median(row, "rate") or 0
        ours = row["name"] == "wiretape"
        panel.barh(place, middle, color=OURS if ours else BASELINE if row["name"] == report.BASELINE else OTHERS)
        panel.plot([min(found), max(found)], [place, place], color="black", linewidth=1)
        times = report.ratio(group, row)
        label = f" {middle:,.0f}" + (f"  ({times:.1f} times)" if times and row["name"] != report.BASELINE else "")
        panel.text(max(found) + most * 0.005, place, label, va="center", fontweight="bold" if ours else "normal")
    panel.set_title(f"{group['title']}, {group['unit']}", loc="left", fontsize=9)
    panel.set_yticks(range(len(rows)), [row["name"] for row in rows])
    panel.set_xlim(0, most * 1.2)
    panel.set_xticks([])
    panel.invert_yaxis()
    for side in ("top", "right", "bottom"):
        panel.spines[side].set_visible(False)
