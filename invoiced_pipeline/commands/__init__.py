"""Commands of `invoiced-pipeline` that have a module of their own."""
