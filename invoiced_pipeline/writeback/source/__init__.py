"""From a source's rows to the API's terms: read, decoded, mapped, with the problems found."""
