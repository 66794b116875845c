"""One request on its way to its handler, and the routes."""
