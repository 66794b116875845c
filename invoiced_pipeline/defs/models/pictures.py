"""The models' results with pictures of their rows, for the UI."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import dagster as dg

PICTURE = "picture"


def with_pictures(
    context: dg.AssetExecutionContext,
    events: Iterable[Any],
    draw: Callable[[], Mapping[str, str]],
) -> Iterator[Any]:
    """Yields dbt's events once dbt has ended, and adds each model's picture to its result.

    A DuckDB file cannot be read while dbt writes it. Events before an error are yielded without
    pictures. A picture that cannot be drawn is a warning: the model is built.

    Args:
        context: Of the op.
        events: What dagster-dbt yields.
        draw: Returns Markdown by the name of a model; called when dbt has ended.
    """
    ended: list[Any] = []
    failure: Exception | None = None
    try:
        for event in events:
            ended.append(event)  # noqa: PERF402 - an error must not lose those before it
    except Exception as error:  # noqa: BLE001 - raised below, after what was built
        failure = error
    pictures = {} if failure else _drawn(context, draw)
    for event in ended:
        yield _with_picture(context, event, pictures) if isinstance(event, dg.Output) else event
    if failure:
        raise failure


def _drawn(
    context: dg.AssetExecutionContext, draw: Callable[[], Mapping[str, str]]
) -> Mapping[str, str]:
    try:
        return draw()
    except Exception as error:  # noqa: BLE001 - no picture may fail a run that built the models
        context.log.warning("The pictures of the models could not be drawn: %s", error)
        return {}


def _with_picture(
    context: dg.AssetExecutionContext, event: "dg.Output[Any]", pictures: Mapping[str, str]
) -> "dg.Output[Any]":
    key = context.asset_key_for_output(event.output_name)
    picture = pictures.get(key.path[-1])
    if picture is None:
        return event
    return event.with_metadata({**event.metadata, PICTURE: dg.MetadataValue.md(picture)})
