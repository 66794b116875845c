"""Lists of the API: windows of `updated_at`, pages, single records, ids and events."""
