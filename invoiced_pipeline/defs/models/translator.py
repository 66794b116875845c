"""How dbt's models and sources are named in the asset graph."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator

from invoiced_pipeline.defs.descriptions import paragraphs
from invoiced_pipeline.defs.names import model_key, models_job_name
from invoiced_pipeline.models.project import models_schema
from invoiced_pipeline.settings import ConnectionSettings


class ModelTranslator(DagsterDbtTranslator):
    """Names the models of one connection; its tables are their sources."""

    def __init__(self, connection: ConnectionSettings) -> None:
        super().__init__()
        self._connection = connection

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Returns `<dataset>/<table>` for a source, `<dataset>_models/<model>` for a model."""
        name, dataset = dbt_resource_props["name"], self._connection.dataset
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey([dataset, name])
        return model_key(dataset, name)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:  # noqa: ARG002
        """Returns `<dataset>_models`."""
        return models_job_name(self._connection.dataset)

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Returns the description without the SQL, which is in the dbt project."""
        text = dbt_resource_props["description"].strip()
        return paragraphs(text, self._connection.description)

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """Returns the columns, and the table in the warehouse."""
        schema = models_schema(self._connection.dataset)
        return {
            **super().get_metadata(dbt_resource_props),
            "dagster/table_name": f"{schema}.{dbt_resource_props['name']}",
        }

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str]:  # noqa: ARG002
        """Returns the connection's owners."""
        return self._connection.owners

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG002
        """Returns the connection's tags."""
        return self._connection.tags
