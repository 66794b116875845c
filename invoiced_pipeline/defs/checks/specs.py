"""Asset checks: specs from the catalog, and results from what was found after a load."""

from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.defs.names import asset_key
from invoiced_pipeline.replication.checks import DESCRIPTIONS, Finding, checks_of
from invoiced_pipeline.settings import ConnectionSettings


def check_specs(connection: ConnectionSettings, tables: Sequence[Table]) -> list[dg.AssetCheckSpec]:
    """The checks of some tables; none of them blocks, for what is loaded is loaded."""
    return [
        dg.AssetCheckSpec(
            check, asset=asset_key(connection, table), description=DESCRIPTIONS[check]
        )
        for table in tables
        for check in checks_of(table)
    ]


def logged_or_planned(
    context: dg.AssetExecutionContext, results: Iterable[dg.AssetCheckResult]
) -> list[dg.AssetCheckResult]:
    """Logs results of checks that the run did not plan; returns the others, which the op yields."""
    planned: list[dg.AssetCheckResult] = []
    for each in results:
        if each.asset_key is None or each.check_name is None:
            continue
        if dg.AssetCheckKey(each.asset_key, each.check_name) in context.selected_asset_check_keys:
            planned.append(each)
            continue
        evaluation = dg.AssetCheckEvaluation(
            asset_key=each.asset_key,
            check_name=each.check_name,
            passed=each.passed,
            metadata=each.metadata,
            severity=each.severity,
            description=each.description,
        )
        # Dagster logs evaluations, too, but its type of events leaves them out.
        context.log_event(evaluation)  # pyright: ignore[reportArgumentType]
    return planned


def check_results(
    key: dg.AssetKey,
    findings: Iterable[Finding],
    more: Mapping[str, dg.MetadataValue] | None = None,
) -> list[dg.AssetCheckResult]:
    """What was found of the table `key`, as Dagster shows it; `more` is metadata of each result."""
    return [
        dg.AssetCheckResult(
            # Without its key a result would take those of later tables along (Dagster 1.13).
            asset_key=key,
            check_name=finding.check,
            passed=finding.passed,
            severity=dg.AssetCheckSeverity.ERROR
            if finding.is_error
            else dg.AssetCheckSeverity.WARN,
            description=finding.text,
            metadata={
                **{name: dg.MetadataValue.int(count) for name, count in finding.counts.items()},
                **(more or {}),
            },
        )
        for finding in findings
    ]
