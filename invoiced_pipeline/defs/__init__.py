"""Everything that Dagster sees; the only package that imports it."""
