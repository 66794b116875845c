"""The report as one HTML file: no script, and nothing that a browser would have to fetch."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from invoiced_pipeline.report import images
from invoiced_pipeline.report.colours import COLOURS
from invoiced_pipeline.report.exhibit import Exhibit
from invoiced_pipeline.report.formats import day, minute
from invoiced_pipeline.report.report import Report

_FOLDER = Path(__file__).parent


def render(report: Report) -> str:
    """Returns the report's HTML; all texts from the warehouse are escaped."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"day": day, "minute": minute, "picture": _picture}
    environment.tests["nought"] = _is_nought
    style = (_FOLDER / "page.css").read_text(encoding="utf-8")
    return environment.get_template("page.html").render(
        report=report,
        colours=COLOURS,
        style=Markup(style),  # noqa: S704 - our own file
    )


def _is_nought(cell: str) -> bool:
    return bool(cell) and not cell.strip("0.")


def _picture(exhibit: Exhibit) -> Markup:
    assert exhibit.chart is not None  # noqa: S101 - the template asks
    return Markup(images.svg(exhibit.chart))  # noqa: S704 - vl-convert escapes texts
