"""Shadows: their page, and the API over the same."""
