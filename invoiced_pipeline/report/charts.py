"""The few kinds of charts that exhibits are drawn with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import altair as alt

from invoiced_pipeline.report.colours import CARD, INK, MUTED, Colour

_COMPACT = "replace(format(datum.value, '.3~s'), 'G', 'B')"
"""Amounts on axes and beside marks: 12.5k, 3M, and B where SI has G."""

Chart = alt.LayerChart | alt.FacetChart  # altair cannot tell which a layer becomes
Label = str | Sequence[str]


@dataclass(frozen=True, slots=True)
class Series:
    """One of several kinds of values in a chart."""

    name: str
    colour: Colour


@dataclass(frozen=True, slots=True)
class Point:
    """A value of a chart.

    Attributes:
        key: Where it is on the axis of categories.
        value: Its size.
        series: Name of its series.
        text: What is written beside it.
    """

    key: str
    value: float
    series: str = ""
    text: str = ""


def month_labels(months: Sequence[date]) -> dict[str, Label]:
    """Returns the axis labels of months by their keys; the year is below the first and January."""
    return {
        month_key(each): (
            (f"{each:%b}", f"{each:%Y}") if index == 0 or each.month == 1 else f"{each:%b}"
        )
        for index, each in enumerate(months)
    }


def month_key(month: date) -> str:
    """Returns the place of a month on an axis."""
    return f"{month:%Y-%m}"


def stacked_columns(
    points: Sequence[Point],
    labels: Mapping[str, Label],
    series: Sequence[Series],
    *,
    labelled: bool = False,
) -> Chart:
    """Draws a column for each label, in which the values of all series are stacked.

    Negative values are below zero.

    Args:
        points: Values; none for 0.
        labels: All keys with their labels.
        series: The lowest first.
        labelled: Whether each value is written above its column.
    """
    order = {each.name: index for index, each in enumerate(series)}
    values = [
        {"key": each.key, "series": each.series, "order": order[each.series], "value": each.value}
        for each in points
    ]
    base = alt.Chart(alt.Data(values=values)).encode(x=_keys(labels))
    bars = base.mark_bar(stroke=CARD.light, strokeWidth=0.8).encode(
        y=_amounts(), color=_colours(series), order=alt.Order("order:Q")
    )
    zero = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(color=MUTED.light)
    layers = [bars, zero.encode(y="zero:Q")]
    if labelled:
        layers.append(_labels_above(base))
    return alt.layer(*layers)


def lines(points: Sequence[Point], labels: Mapping[str, Label], series: Sequence[Series]) -> Chart:
    """Draws a line for each series; a gap stays a gap. The last value is written at its end.

    Args:
        points: Values; a key without a value has no point.
        labels: All keys with their labels.
        series: The upper line first.
    """
    known = {(each.key, each.series): each for each in points}
    values = [
        {"key": key, "series": each.name, "value": known[key, each.name].value}
        if (key, each.name) in known
        else {"key": key, "series": each.name, "value": None}
        for each in series
        for key in labels
    ]
    base = alt.Chart(alt.Data(values=values)).encode(
        x=_keys(labels), y=_amounts(), color=_colours(series)
    )
    line = base.mark_line(strokeWidth=2.5, invalid="break-paths-show-domains", clip=False)
    dots = base.mark_point(filled=True, size=28, opacity=1, invalid="filter")
    layers: list[alt.Chart] = [line, dots]
    top = max(each.value for each in points)
    for index, each in enumerate(series):
        own = [point for point in points if point.series == each.name]
        if own and (index == 0 or own[-1].value > top / 8):  # or it would be written on the axis
            layers.append(_end_label(own[-3:], labels, each.colour, above=index == 0))
    return alt.layer(*layers)


def bars(points: Sequence[Point], colour: Colour) -> Chart:
    """Draws a horizontal bar for each point in their order, with its text beside it."""
    values = [{"key": each.key, "value": each.value, "text": each.text} for each in points]
    most = max((each.value for each in points), default=0) or 1
    base = alt.Chart(alt.Data(values=values)).encode(
        y=alt.Y(
            "key:N",
            sort=None,
            axis=alt.Axis(title=None, labelLimit=170, domain=False, ticks=False, labelPadding=8),
        ),
        # Room for the text of the longest bar.
        x=alt.X("value:Q", axis=None, scale=alt.Scale(domain=[0, most * 1.5])),
    )
    text = base.mark_text(align="left", dx=5, color=INK.light).encode(text="text:N")
    return (base.mark_bar(color=colour.light, height=alt.RelativeBandSize(0.7)) + text).properties(
        height=alt.Step(26)
    )


def shares(points: Sequence[Point], series: Sequence[Series]) -> Chart:
    """Draws a bar of equal length for each key, divided as its series divide the sum."""
    order = {each.name: index for index, each in enumerate(series)}
    values = [
        {"key": each.key, "series": each.series, "order": order[each.series], "value": each.value}
        for each in points
    ]
    axis = alt.Axis(title=None, domain=False, ticks=False, labelPadding=8, labelLimit=190)
    chart = (
        alt.Chart(alt.Data(values=values))
        .mark_bar(stroke=CARD.light, strokeWidth=0.8)
        .encode(
            y=alt.Y("key:N", sort=None, axis=axis),
            x=alt.X(
                "value:Q",
                stack="normalize",
                axis=alt.Axis(title=None, format="%", tickCount=4, grid=False),
            ),
            color=_colours(series, columns=3),  # the names of bars take room from it
            order=alt.Order("order:Q"),
        )
        .properties(height=alt.Step(34))
    )
    return alt.layer(chart)


def grid(points: Sequence[Point], labels: Mapping[str, Label], colour: Colour) -> Chart:
    """Draws a square for each series (row) and key (column); a larger value is stronger."""
    values = [{"key": each.key, "row": each.series, "value": each.value} for each in points]
    rows = list(dict.fromkeys(each.series for each in points))
    chart = (
        alt.Chart(alt.Data(values=values))
        .mark_rect(color=colour.light, stroke=CARD.light)
        .encode(
            x=_keys(labels),
            y=alt.Y(
                "row:N",
                sort=rows,
                axis=alt.Axis(title=None, domain=False, ticks=False, labelLimit=170),
            ),
            opacity=alt.Opacity(
                "value:Q", scale=alt.Scale(type="sqrt", range=[0.3, 1]), legend=None
            ),
        )
        .properties(height=alt.Step(22))
    )
    return alt.layer(chart)


def _keys(labels: Mapping[str, Label]) -> alt.X:
    texts = json.dumps(
        {key: label if isinstance(label, str) else list(label) for key, label in labels.items()}
    )
    return alt.X(
        "key:O",
        scale=alt.Scale(domain=list(labels), paddingInner=0.15, paddingOuter=0.1),
        axis=alt.Axis(
            title=None, labelExpr=f"({texts})[datum.value]", labelAngle=0, labelOverlap="parity",
            ticks=False, grid=False, labelPadding=6,
        ),
    )  # fmt: skip


def _amounts() -> alt.Y:
    axis = alt.Axis(title=None, labelExpr=_COMPACT, domain=False, ticks=False, tickCount=5)
    return alt.Y("value:Q", axis=axis)


def _colours(series: Sequence[Series], *, columns: int = 0) -> alt.Color:
    return alt.Color(
        "series:N",
        scale=alt.Scale(
            domain=[each.name for each in series], range=[each.colour.light for each in series]
        ),
        legend=None if len(series) == 1 else alt.Legend(columns=columns),
    )


def _labels_above(base: alt.Chart) -> alt.Chart:
    return (
        base.transform_filter("datum.value != 0")
        .transform_calculate(text=_COMPACT)
        .mark_text(dy=-7, color=INK.light, fontSize=11)
        .encode(y="value:Q", text="text:N")
    )


def _end_label(
    last: Sequence[Point], labels: Mapping[str, Label], colour: Colour, *, above: bool
) -> alt.Chart:
    """Writes the last point's text above or below the last points."""
    height = (max if above else min)(each.value for each in last)
    value = {"key": last[-1].key, "value": height, "text": last[-1].text}
    mark = {"align": "right", "dx": 6, "dy": -13 if above else 16, "fontWeight": "bold"}
    return (
        alt.Chart(alt.Data(values=[value]))
        .mark_text(color=colour.light, **mark)
        .encode(x=_keys(labels), y="value:Q", text="text:N")
    )
