"""Ratios, targets, tables and charts of given figures."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from benchmarks.airbyte_records import record_counts
from benchmarks.api import Served
from benchmarks.cases import (
    AIRBYTE_EIGHT,
    AIRBYTE_SIX,
    CASES,
    IN_DAGSTER_NINE,
    IN_DAGSTER_SIX,
    LARGE,
    LARGE_CASES,
    NO_LATENCY,
    REQUESTS_IN_FLIGHT,
    TAP,
    WITHOUT_DAGSTER_NINE,
    Case,
    Engine,
    Phase,
)
from benchmarks.fixed_cost import FixedCost
from benchmarks.processes import ROOT
from benchmarks.report import Grid, grids, is_comparable, markdown, ratios, write
from benchmarks.results import Floor, Measurement, Results, load, save
from benchmarks.scale_section import TITLE, with_scale
from benchmarks.stored_figures import StoredFigure, stored_figures
from benchmarks.sync import Sync
from benchmarks.tap import rows_read
from benchmarks.targets import judge
from benchmarks.writing import Writing
from invoiced_pipeline import settings


def measurement(size: int, phase: Phase, case: Case, seconds: float | None = None) -> Measurement:
    """The tap loads 1,000 rows in 10 s, Airbyte's engine reads them in 5 s; all others take 1 s."""
    rows = {"customers": 100, "invoices": 900}
    took = seconds or {Engine.TAP: 10.0, Engine.AIRBYTE: 5.0}.get(case.engine, 1.0)
    stages = (
        {"extract": 0.5, "normalize": 0.1, "load": 0.3}
        if case.engine is Engine.WITHOUT_DAGSTER
        else {}
    )
    sync = Sync(rows=rows, seconds=took, cpu_seconds=took / 2, peak_mb=400, stages=stages)
    return Measurement(size, phase, case, sync, Served(requests=10, cpu_seconds=0.1))


def writing(name: str, seconds: float) -> Writing:
    return Writing(
        name=name, records=2_000, seconds=seconds, cpu_seconds=1.0, peak_mb=200, requests=2_001
    )


@pytest.fixture
def results() -> Results:
    sizes = (20_000, 100_000)
    return Results(
        measurements=tuple(
            measurement(size, phase, case)
            for size in sizes
            for phase in Phase
            for case in CASES
            if phase in case.phases
        ),
        accounts={size: {"customers": 100, "invoices": size} for size in sizes},
        floors={
            size: Floor(page_milliseconds=1.5, rows={"invoices": 100}, seconds={"invoices": 0.1})
            for size in sizes
        },
        fixed_cost=FixedCost(empty_project=4.0, one_row=5.0, one_table=5.5),
        writing=(writing("ours", 15.0), writing("SDK loop", 220.0)),
        machine={
            "date": "2026-11-01",
            "cores": "2",
            "load": "0.0",
            "processor": "x",
            "system": "y",
            "versions": "z",
        },
    )


def met(results: Results, text: str) -> bool | None:
    (verdict,) = [each for each in judge(results) if text in each.target]
    return verdict.met


def test_ratios_are_ours_by_the_taps() -> None:
    ours = measurement(1, Phase.FIRST, WITHOUT_DAGSTER_NINE)
    tap = measurement(1, Phase.FIRST, TAP)
    assert ratios(ours, tap) == [10.0, 1.0, 1.0, 0.1, 0.1]
    idle = replace(ours, sync=replace(ours.sync, rows={"invoices": 0}))
    assert ratios(idle, tap)[0] is None
    assert ratios(ours, replace(tap, sync=idle.sync))[0] is None


def test_only_equal_conditions_are_compared() -> None:
    assert not is_comparable(TAP)
    assert not is_comparable(AIRBYTE_SIX)
    assert not is_comparable(NO_LATENCY)
    assert is_comparable(IN_DAGSTER_NINE)


def test_targets_are_judged_by_the_largest_account(results: Results) -> None:
    # 10 times as fast as the tap, where the target is 12 or 9; 5 times as fast as Airbyte's engine.
    assert met(results, "ours, without Dagster, 6 tables: a first sync loads") is False
    assert met(results, "ours, in Dagster, 6 tables: a first sync loads") is True
    assert met(results, "6 times Airbyte's") is False
    assert met(results, "1.1 times what the API needs") is True
    assert met(results, "requests of a first sync") is True
    assert met(results, "below 450 MB") is True
    assert met(results, "at most 1.15 times that") is True
    assert met(results, "after 1,000 changes") is True
    assert met(results, "9 tables: idle sync, at most 1.1 times") is True
    assert met(results, "idle sync, nine tables: at most 3 requests") is True
    assert met(results, "invoices takes at most 4 s") is True
    assert met(results, "one row with dlt") is True
    assert met(results, "fixed cost") is True
    assert met(results, "by write-back") is True


def test_growth_with_the_account_fails_a_target(results: Results) -> None:
    slow = measurement(100_000, Phase.CHANGED, IN_DAGSTER_NINE, seconds=1.11)
    others = [
        each
        for each in results.measurements
        if (each.size, each.phase, each.case) != (slow.size, slow.phase, slow.case)
    ]
    assert met(replace(results, measurements=(*others, slow)), "1,000 changes") is False


def test_an_account_without_the_other_engines_is_judged_for_growth_alone(results: Results) -> None:
    large = tuple(
        measurement(LARGE, phase, case, seconds=7.0) for phase in Phase for case in LARGE_CASES
    )
    more = replace(
        results,
        measurements=results.measurements + large,
        accounts={**results.accounts, LARGE: {"invoices": LARGE}},
    )
    assert met(more, "ours, in Dagster, 6 tables: a first sync loads") is True
    assert met(more, "below 450 MB") is True
    assert met(more, "after 1,000 changes") is False
    titles = [grid.title for grid in grids(more) if grid.title.startswith(f"{LARGE:,} invoices")]
    assert titles == [f"{LARGE:,} invoices, {LARGE:,} records: figures"]


def test_requests_in_flight_are_the_default_of_the_settings() -> None:
    assert REQUESTS_IN_FLIGHT == settings.REQUESTS_IN_FLIGHT


def test_what_was_not_measured_is_not_judged(results: Results) -> None:
    small = tuple(each for each in results.measurements if each.size == 20_000)
    few = replace(results, measurements=small, accounts={20_000: results.accounts[20_000]})
    assert met(few, "below 450 MB") is None
    assert met(few, "1,000 changes") is None
    assert met(few, "fixed cost") is True


def test_results_survive_their_file(results: Results, tmp_path: Path) -> None:
    save(results, tmp_path / "results.json")
    assert load(tmp_path / "results.json") == results


def test_every_case_and_phase_is_reported(results: Results, tmp_path: Path) -> None:
    titles = [grid.title for grid in grids(results)]
    assert titles[0] == "20,000 invoices, 20,100 records: figures"
    assert titles[-1] == "Targets"
    write(results, tmp_path / "results.md", "make bench")
    text = (tmp_path / "results.md").read_text(encoding="utf-8")
    for case in CASES:
        for phase in case.phases:
            name = f"| {phase} | {case.name} |".replace("tap |", "tap \\|")
            stages = case.engine is Engine.WITHOUT_DAGSTER
            compared = is_comparable(case) * (1 + (phase in AIRBYTE_EIGHT.phases))
            assert text.count(name) == len(results.sizes) * (1 + compared + stages)


def test_charts_can_be_drawn_from_the_report(results: Results, tmp_path: Path) -> None:
    write(results, tmp_path / "results.md", "make bench")
    found = stored_figures((tmp_path / "results.md").read_text(encoding="utf-8"))
    assert [(each.invoices, each.sync, each.engine) for each in found] == [
        (each.size, each.phase, each.case.name) for each in results.measurements
    ]
    assert found[0] == StoredFigure(
        invoices=20_000,
        sync="first sync",
        engine="tap | target, 6 tables",
        rows_per_second=100,
        seconds=10,
        peak_mb=400,
    )


def test_readme_states_the_measured_figures() -> None:
    figures = stored_figures((ROOT / "benchmarks" / "results.md").read_text(encoding="utf-8"))
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    largest = max(each.invoices for each in figures if each.engine == TAP.name)
    tap, ours = (
        next(
            each
            for each in figures
            if (each.invoices, each.sync, each.engine) == (largest, Phase.FIRST, case.name)
        )
        for case in (TAP, IN_DAGSTER_SIX)
    )
    faster = ours.rows_per_second / tap.rows_per_second
    assert f"{largest:,} invoices loads {faster:.1f} times as many records per second" in readme
    fraction = {4: "quarter", 5: "fifth", 6: "sixth", 7: "seventh"}[
        round(tap.peak_mb / ours.peak_mb)
    ]
    assert f"in a {fraction} of the memory" in readme


def test_a_report_without_figures_is_refused() -> None:
    with pytest.raises(ValueError, match="no table of figures"):
        stored_figures("# Results\n")


def test_markdown_keeps_pipes_inside_cells() -> None:
    table = markdown(Grid("Speed", ("engine", "rows"), [["tap | target", "1"]], note="Small."))
    assert (
        table == "\n## Speed\n\nSmall.\n\n| engine | rows |\n|:---|---:|\n| tap \\| target | 1 |\n"
    )


def test_rows_are_counted_by_the_taps_own_log() -> None:
    log = """INFO Syncing stream:customers
INFO Fetching page # 1 of customers
INFO 100 objects returned
INFO Fetching page # 2 of customers
INFO 7 objects returned
INFO Syncing stream:plans
INFO 0 objects returned
"""
    assert rows_read(log) == {"customers": 107, "plans": 0}


def test_rows_are_counted_by_what_airbytes_engine_prints() -> None:
    messages = [
        b'{"type":"LOG","log":{"level":"INFO","message":"Starting"}}\n',
        b'{"type":"RECORD","record":{"stream":"plans","data":{"id":"a","type":"RECORD"}}}\n',
        b'{"type":"STATE","state":{"type":"STREAM"}}\n',
        b'{"type":"RECORD","record":{"stream":"plans","data":{"id":"b"}}}\n',
    ]
    assert record_counts(messages) == {"plans": 2}


def test_airbytes_manifest_has_the_tables_of_its_case() -> None:
    manifest = yaml.safe_load((ROOT / "benchmarks" / "airbyte_manifest.yaml").read_text())
    names = {stream["$parameters"]["name"] for stream in manifest["streams"]}
    assert names == set(AIRBYTE_EIGHT.tables)


def test_the_section_of_make_scale_stays_when_others_are_written(
    results: Results, tmp_path: Path
) -> None:
    path = tmp_path / "results.md"
    write(results, path, "make bench")
    before = path.read_text(encoding="utf-8")
    section = markdown(Grid(TITLE, ("", "one"), [["seconds", "1"]]))
    path.write_text(with_scale(before, section), encoding="utf-8")
    write(results, path, "make bench")
    assert path.read_text(encoding="utf-8") == before + section
    replaced = section.replace("| 1 |", "| 2 |")
    assert with_scale(path.read_text(encoding="utf-8"), replaced) == before + replaced
