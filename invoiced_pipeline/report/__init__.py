"""The report: receivables from the models, and the pipeline's runs, as one HTML file."""
