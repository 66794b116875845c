"""What several commands share: options, progress, tables, and how a command ends."""
