"""Draws two charts of `results.md`: `python -m benchmarks.plot RESULTS.md FOLDER`.

Runs in the environment of `plot.lock`, which has none of the project's dependencies.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import altair as alt

from benchmarks.stored_figures import StoredFigure, stored_figures

SUMMARY = "summary.png"
DETAILS = "details.png"

# Colours of Okabe and Ito's palette, which people with colour blindness tell apart. The background
# is white and opaque, so that the charts can be read on a dark page, too.
_COLOURS = {"tap": "#D55E00", "Airbyte": "#009E73"}
_OUR_COLOUR = "#0072B2"
_INK, _GREY = "#222222", "#666666"

_FIRST, _CHANGED, _IDLE = "first sync", "after 1,000 changes", "idle sync"
_TAP = "tap | target, 6 tables"
_SUMMARY_ENGINES = {
    _TAP: "tap-invoiced | target-duckdb",
    "Airbyte, reading alone, 6 tables": "Airbyte's engine, reading alone",
    "ours, in Dagster, 6 tables": "this project, in Dagster",
    "ours, without Dagster, 6 tables": "this project, without Dagster",
}
_PANELS = (
    ("rows_per_second", _FIRST, "Rows per second", "first sync; more is better", ",.0f"),
    ("peak_mb", _FIRST, "Peak memory, MB", "first sync; less is better", ",.0f"),
    ("seconds", _CHANGED, "Seconds", "after 1,000 changes; less is better", ".1f"),
)
_DETAIL_PANELS = (*_PANELS, ("seconds", _IDLE, "Seconds", "nothing changed; less is better", ".1f"))


def main(source: str, folder: str) -> None:
    """Draws the chart of the README and that of all engines."""
    figures = stored_figures(Path(source).read_text(encoding="utf-8"))
    _save(_summary(figures), Path(folder) / SUMMARY)
    _save(_details(figures), Path(folder) / DETAILS)


def _summary(figures: Sequence[StoredFigure]) -> alt.HConcatChart:
    """Three panels: the six tables that all engines have, in the tap's largest account."""
    largest = max(figure.invoices for figure in figures if figure.engine == _TAP)
    rows = [
        asdict(figure) | {"engine": _SUMMARY_ENGINES[figure.engine]}
        for figure in figures
        if figure.invoices == largest and figure.engine in _SUMMARY_ENGINES
    ]
    title = f"The same six tables of an account with {largest:,} invoices"
    return _panels(rows, _PANELS, width=200, step=34, title=title)


def _details(figures: Sequence[StoredFigure]) -> alt.VConcatChart:
    """Every engine in four panels, an account below the other."""
    accounts = []
    for invoices in dict.fromkeys(figure.invoices for figure in figures):
        rows = [asdict(figure) for figure in figures if figure.invoices == invoices]
        title = f"{invoices:,} invoices"
        accounts.append(_panels(rows, _DETAIL_PANELS, width=170, step=22, title=title))
    return alt.vconcat(*accounts, spacing=30)


def _panels(
    rows: Sequence[dict[str, Any]],
    panels: Sequence[tuple[str, str, str, str, str]],
    *,
    width: int,
    step: int,
    title: str,
) -> alt.HConcatChart:
    """One row of charts; the engines are in the order of their first row."""
    engines = list(dict.fromkeys(row["engine"] for row in rows))
    charts = []
    for at, (measure, sync, heading, note, numbers) in enumerate(panels):
        values = [row for row in rows if row["sync"] == sync]
        charts.append(
            _bars(values, measure, engines, numbers, named=at == 0).properties(
                width=width,
                height=alt.Step(step),
                title=alt.Title(heading, subtitle=note, anchor="start", frame="group"),
            )
        )
    return alt.hconcat(*charts, spacing=24).properties(
        title=alt.Title(title, anchor="start", fontSize=15, offset=14)
    )


def _bars(
    values: Sequence[dict[str, Any]],
    measure: str,
    engines: Sequence[str],
    numbers: str,
    *,
    named: bool,
) -> alt.LayerChart:
    """A bar for each engine with its figure beside it; engines are named in the first panel."""
    names = alt.Axis(title=None, ticks=False, domain=False, labelLimit=300, labelPadding=8)
    widest = max(row[measure] for row in values)
    places = alt.Scale(domain=list(engines))
    coloured = [row | {"colour": _colour(row["engine"])} for row in values]
    base = alt.Chart(alt.Data(values=coloured)).encode(
        y=alt.Y("engine:N", sort=None, scale=places, axis=names if named else None),
        # Room for the label of the longest bar.
        x=alt.X(f"{measure}:Q", axis=None, scale=alt.Scale(domain=[0, widest * 1.3])),
        color=alt.Color("colour:N", scale=None),
    )
    labels = base.mark_text(align="left", dx=5, fontSize=12, fontWeight="bold").encode(
        text=alt.Text(f"{measure}:Q", format=numbers)
    )
    absent = [{"engine": name} for name in engines if all(row["engine"] != name for row in values)]
    not_measured = (
        alt.Chart(alt.Data(values=absent))
        .mark_text(align="left", dx=2, fontSize=11, color=_GREY)
        .encode(y=alt.Y("engine:N", sort=None), x=alt.value(0), text=alt.value("not measured"))
    )
    return base.mark_bar(height=alt.RelativeBandSize(0.7)) + labels + not_measured


def _colour(engine: str) -> str:
    return next((colour for word, colour in _COLOURS.items() if word in engine), _OUR_COLOUR)


def _save(chart: alt.HConcatChart | alt.VConcatChart, path: Path) -> None:
    chart.configure(background="white", padding=18, font="Liberation Sans").configure_view(
        stroke=None
    ).configure_axis(labelColor=_INK, labelFontSize=12).configure_title(
        color=_INK, subtitleColor=_GREY, fontSize=13, subtitleFontSize=12
    ).save(str(path), scale_factor=1.5)


if __name__ == "__main__":
    main(*sys.argv[1:])
