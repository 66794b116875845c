"""From the API's records to Arrow batches: typing, columns, child rows, redaction."""
