"""`python -m benchmarks`: measures, prints, and writes `results.md` with its charts."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import report, results, suite
from benchmarks.accounts import FOLDER
from benchmarks.cases import CASES, LARGE, LARGE_CASES, QUICK_CASES, Case
from benchmarks.processes import ROOT, CommandFailedError, measure
from benchmarks.writing import CUSTOMERS

_QUICK = 5_000
_PLOT_PYTHON = ROOT / ".venv-plot" / "bin" / "python"
_ENVIRONMENTS = (".venv-tap", ".venv-target", ".venv-airbyte", ".venv-plot")


def main(
    sizes: Annotated[
        str, typer.Option(help="Numbers of invoices, separated by commas: one account each.")
    ] = "20000,100000",
    quick: Annotated[  # noqa: FBT002 - a flag of a command is a boolean with a default
        bool,
        typer.Option("--quick", help="One small account, to see that it works."),
    ] = False,
    large: Annotated[  # noqa: FBT002 - likewise
        bool,
        typer.Option("--large", help=f"Also {LARGE:,} invoices, with this project alone."),
    ] = False,
    output: Annotated[
        Path,
        typer.Option(exists=True, file_okay=False, help="Folder for results.md and its charts."),
    ] = ROOT / "benchmarks",
) -> None:
    """Compare this pipeline with Stitch's and Airbyte's engines over the same local API."""
    console = Console()
    if missing := [name for name in _ENVIRONMENTS if not (ROOT / name).is_dir()]:
        console.print(f"{', '.join(missing)} not found: run `make bench`, which creates them.")
        raise typer.Exit(1)
    chosen = _cases_by_size(sizes, quick=quick, large=large)
    began = time.monotonic()
    try:
        found = suite.run(
            chosen,
            lambda text: console.print(_line(began, text), highlight=False, soft_wrap=True),
            repeats=1 if quick else 3,
            customers=CUSTOMERS // 10 if quick else CUSTOMERS,
        )
    except CommandFailedError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from error
    data = FOLDER / "results.json"
    results.save(found, data)
    report.show(found, console)
    report.write(found, output / "results.md", _command(sizes, quick=quick, large=large))
    folder = output.resolve()
    plot = [str(_PLOT_PYTHON), "-m", "benchmarks.plot", str(folder / "results.md"), str(folder)]
    measure(plot, folder=FOLDER / "plot")
    console.print(f"Wrote {output / 'results.md'} and its charts", soft_wrap=True)


def _cases_by_size(sizes: str, *, quick: bool, large: bool) -> dict[int, tuple[Case, ...]]:
    chosen = {_QUICK: QUICK_CASES} if quick else {int(size): CASES for size in sizes.split(",")}
    return chosen | ({LARGE: LARGE_CASES} if large else {})


def _command(sizes: str, *, quick: bool, large: bool) -> str:
    options = [] if quick else [f"--sizes {sizes}"]
    options += ["--large"] if large else []
    arguments = f" ARGS='{' '.join(options)}'" if options else ""
    return f"make bench{'-quick' if quick else ''}{arguments}"


def _line(began: float, text: str) -> str:
    return f"{time.monotonic() - began:6.0f} s  {text}"


if __name__ == "__main__":
    typer.run(main)
