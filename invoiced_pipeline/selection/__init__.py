"""Which tables and columns a connection replicates, and what it hashes or drops."""
