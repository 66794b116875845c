"""Reading lists: windows of `updated_at`, pages, related records and events."""
