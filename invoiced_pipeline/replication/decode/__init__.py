"""From records of the API to Arrow batches: columns, child rows, hashed values."""
