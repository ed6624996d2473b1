"""A source, a measure and a training backend for Goldsmith: a template to begin with."""
