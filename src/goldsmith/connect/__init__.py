"""Where stars already live: other applications whose good answers come in, each with its provenance."""
