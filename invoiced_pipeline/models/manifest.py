"""What Dagster needs of dbt's manifest: `python -m invoiced_pipeline.models.manifest` writes it.

It is part of the package, so that loading the definitions neither starts dbt nor writes a file.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from invoiced_pipeline.models.profile import profile_of
from invoiced_pipeline.models.project import NAME, PROJECT
from invoiced_pipeline.settings import WarehouseSettings

DOCUMENT = Path(__file__).with_name("manifest.json")

_NODE = (
    "alias", "attached_node", "description", "fqn", "meta", "name",
    "original_file_path", "package_name", "path", "resource_type", "source_name", "tags",
    "unique_id",
)  # fmt: skip
_CONFIG = ("enabled", "materialized", "meta", "severity")
_COLUMN = ("name", "data_type", "description")


def read_manifest(adapter: str) -> dict[str, Any]:
    """Returns the manifest for dagster-dbt.

    Args:
        adapter: dbt's name of the kind of warehouse, which is that of the settings.
    """
    manifest = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    manifest["metadata"]["adapter_type"] = adapter
    return manifest


def slim(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the part of dbt's manifest that does not depend on a warehouse or a folder."""
    staging = "models/staging/"
    nodes = {
        name: _slim_node(node)
        for name, node in sorted(manifest["nodes"].items())
        # Dagster has checks of its own on the tables behind them.
        if node["package_name"] == NAME and not _tests_a_model_in(staging, node, manifest)
    }
    sources = {name: _slim_node(node) for name, node in sorted(manifest["sources"].items())}
    known = nodes.keys() | sources.keys()
    return {
        "metadata": {"project_name": NAME},
        "nodes": nodes,
        "sources": sources,
        **{
            which: {
                name: sorted(known.intersection(others))
                for name, others in sorted(manifest[which].items())
                if name in known
            }
            for which in ("parent_map", "child_map")
        },
        "exposures": {},
        "metrics": {},
    }


def parse(folder: Path) -> dict[str, Any]:
    """Has dbt parse the project, which opens no warehouse, and returns its manifest.

    Args:
        folder: For what dbt writes.

    Raises:
        subprocess.CalledProcessError: dbt failed.
    """
    profile = profile_of(WarehouseSettings(path=folder / "warehouse.duckdb"), "invoiced_models")
    profile.write(folder)
    places = {"DBT_PROFILES_DIR": folder, "DBT_TARGET_PATH": folder, "DBT_LOG_PATH": folder}
    subprocess.run(  # noqa: S603 - dbt, and our own folders
        [Path(sys.executable).with_name("dbt"), "parse", "--project-dir", PROJECT],
        env=os.environ | {name: str(path) for name, path in places.items()},
        check=True,
    )
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def render(manifest: Mapping[str, Any]) -> str:
    """Returns the text of the packaged manifest."""
    return json.dumps(slim(manifest), indent=1) + "\n"


def _slim_node(node: Mapping[str, Any]) -> dict[str, Any]:
    slimmed = {name: node[name] for name in _NODE if node.get(name)}
    is_end_model = node["resource_type"] == "model" and node["config"]["materialized"] == "table"
    columns = node["columns"] if is_end_model else {}
    return {
        "description": "",
        "meta": {},
        "tags": [],
        **slimmed,
        "relation_name": None,
        "config": {name: node["config"].get(name) for name in _CONFIG},
        "columns": {
            name: {each: column[each] for each in _COLUMN} for name, column in columns.items()
        },
        "depends_on": {"nodes": sorted(node.get("depends_on", {}).get("nodes", []))},
    }


def _tests_a_model_in(folder: str, node: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    model = manifest["nodes"].get(node.get("attached_node") or "")
    return model is not None and model["original_file_path"].startswith(folder)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as _folder:
        DOCUMENT.write_text(render(parse(Path(_folder))), encoding="utf-8")
