"""`python -m benchmarks`: measures, prints, and writes `results.md` with its charts."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import report, results, suite
from benchmarks.accounts import FOLDER
from benchmarks.cases import CASES, QUICK_CASES
from benchmarks.processes import ROOT, CommandFailedError, measure
from benchmarks.writing import CUSTOMERS

_QUICK = (5_000,)
_PLOT_PYTHON = ROOT / ".venv-plot" / "bin" / "python"
_ENVIRONMENTS = (".venv-tap", ".venv-target", ".venv-plot")


def main(
    sizes: Annotated[
        str, typer.Option(help="Numbers of invoices, separated by commas: one account each.")
    ] = "20000,100000",
    quick: Annotated[  # noqa: FBT002 - a flag of a command is a boolean with a default
        bool,
        typer.Option("--quick", help="One small account, to see that it works."),
    ] = False,
    output: Annotated[Path, typer.Option(help="Folder for results.md and its charts.")] = ROOT
    / "benchmarks",
) -> None:
    """Compare this pipeline with tap-invoiced | target-duckdb over the same local API."""
    console = Console()
    if missing := [name for name in _ENVIRONMENTS if not (ROOT / name).is_dir()]:
        console.print(f"{', '.join(missing)} not found: run `make bench`, which creates them.")
        raise typer.Exit(1)
    chosen = _QUICK if quick else tuple(int(size) for size in sizes.split(","))
    began = time.monotonic()
    try:
        found = suite.run(
            chosen,
            QUICK_CASES if quick else CASES,
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
    command = "make bench-quick" if quick else f"make bench ARGS='--sizes {sizes}'"
    report.write(found, output / "results.md", command)
    folder = output.resolve()
    plot = [str(_PLOT_PYTHON), "-m", "benchmarks.plot", str(folder / "results.md"), str(folder)]
    measure(plot, folder=FOLDER / "plot")
    console.print(f"Wrote {output / 'results.md'} and its charts", soft_wrap=True)


def _line(began: float, text: str) -> str:
    return f"{time.monotonic() - began:6.0f} s  {text}"


if __name__ == "__main__":
    typer.run(main)
