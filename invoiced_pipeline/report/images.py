"""Charts as SVG for the page, and as PNG for Dagster's UI."""

import struct
import textwrap
import zlib
from collections.abc import Mapping
from typing import Any

import vl_convert

from invoiced_pipeline.report.charts import Chart
from invoiced_pipeline.report.colours import CARD, INK, MUTED, RULE, with_variables

_WIDTH = 440
"""Pixels: text of 12 of them can still be read when a phone shrinks the picture."""

_HEIGHT = 250
_FONT = "Liberation Sans, Arial, Helvetica, sans-serif"

_CONFIG: Mapping[str, Any] = {
    "font": _FONT,
    "aria": False,  # the page describes each picture as a whole
    "padding": 4,
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED.light,
        "labelFontSize": 12,
        "gridColor": RULE.light,
        "domainColor": RULE.light,
        "tickColor": RULE.light,
    },
    "legend": {
        "orient": "top",
        "title": None,
        "labelColor": INK.light,
        "labelFontSize": 12,
        "labelLimit": 200,
        "symbolType": "square",
        "symbolStrokeWidth": 0,
        "columnPadding": 10,
    },
    "title": {"color": INK.light, "fontSize": 14},
    "text": {"fontSize": 12},
}


def svg(chart: Chart) -> str:
    """Renders a chart for the page, in the colours of its style sheet."""
    return with_variables(vl_convert.vegalite_to_svg(_spec(chart, "transparent")))


def png(chart: Chart, title: str) -> bytes:
    """Renders a chart in light colours, with its title: it stands alone."""
    lines_of_title = textwrap.wrap(title, 58)
    heading = {"text": lines_of_title, "anchor": "start", "frame": "bounds", "offset": 12}
    drawn = vl_convert.vegalite_to_png(_spec(chart, CARD.light) | {"title": heading}, scale=1.25)
    return _compressed(drawn)


def _compressed(png: bytes) -> bytes:
    """Returns a PNG with the same pixels in a quarter of the bytes: vl-convert compresses little.

    A PNG is a signature and chunks: length, type, data, checksum (RFC 2083, section 3).
    """
    kept, data, at = [png[:8]], b"", 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        chunk, at = png[at : at + length + 12], at + length + 12
        if kind == b"IDAT":
            data += chunk[8:-4]
        else:
            kept.append(chunk)
    packed = b"IDAT" + zlib.compress(zlib.decompress(data), 9)
    chunk = struct.pack(">I", len(packed) - 4) + packed + struct.pack(">I", zlib.crc32(packed))
    return b"".join((*kept[:-1], chunk, kept[-1]))


def _spec(chart: Chart, background: str) -> dict[str, Any]:
    """Returns the Vega-Lite specification; altair would validate and copy it at every step."""
    spec = chart.to_dict(validate=False)
    size = {"width": _WIDTH, "autosize": {"type": "fit-x"}}
    if "height" not in spec and all("height" not in layer for layer in spec["layer"]):
        size["height"] = _HEIGHT
    return spec | size | {"config": {"background": background, **_CONFIG}}
