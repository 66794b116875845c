"""The table `events`."""

from invoiced_pipeline.catalog.model import Column, Table

EVENTS = Table(
    name="events",
    singular="event",
    description=(
        "Events: what happened to records, with a snapshot of the record at that time. Rows are "
        "only ever added. Optional."
    ),
    path="/events",
    docs_url="https://developer.invoiced.com/api/events",
    listing="appended",
    columns=(
        Column("id", "bigint", "Event ID; ids rise in the order in which events were written."),
        Column("type", "text", "What happened to what, e.g. `invoice.paid` or `customer.merged`."),
        Column("timestamp", "timestamp", "When it happened (UTC); the replication key."),
        Column(
            "data",
            "json",
            (
                "JSON object: `object` is the record after the change (before it, if it was "
                "deleted), `previous` the former values of changed fields. Columns that are hashed "
                "or dropped in a table are so in here, too."
            ),
            embeds_records=True,
        ),
        Column(
            "previous",
            "json",
            "Former values of changed fields as JSON, if the API sends them outside `data`.",
            embeds_records=True,
        ),
        Column("user", "json", "Who made the change, as a JSON object.", sensitive=True),
    ),
    list_params=(("include", "user"),),
    replication_key="timestamp",
    filters_by_id=False,
)
