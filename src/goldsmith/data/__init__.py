"""1. Rows come in, are checked, and become immutable versions. Knows nothing of models."""
