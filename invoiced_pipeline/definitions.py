"""The code location: `dagster ... -m invoiced_pipeline.definitions`."""

from invoiced_pipeline.defs.assembly import project_definitions
from invoiced_pipeline.garbage_collection import collect_rarely
from invoiced_pipeline.settings import load_settings

collect_rarely()
defs = project_definitions(load_settings())
