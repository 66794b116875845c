"""The Invoiced API: client, lists and events, and a check of the connection."""
