"""The custom operation: any request of the API."""

from invoiced_pipeline.catalog.operations.model import Operation

CUSTOM = Operation(
    name="custom",
    title="Custom request",
    description="Any method and path of the API; the body is the row as it is mapped.",
    kind="custom",
    method="POST",
    path="/",
    docs_url="https://developer.invoiced.com/api",
    singular="record",
    success=frozenset({200, 201, 204}),
)
