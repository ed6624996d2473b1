"""Sources of rows: their pages, and the API over the same."""
