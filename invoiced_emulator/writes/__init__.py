"""What all handlers that change records share."""
