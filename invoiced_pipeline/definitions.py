"""The code location: `dagster ... -m invoiced_pipeline.definitions`."""

from invoiced_pipeline.defs.assembly import build_definitions
from invoiced_pipeline.settings import load_settings

defs = build_definitions(load_settings())
