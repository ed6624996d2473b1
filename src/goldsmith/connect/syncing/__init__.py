"""Connections to sources, and their syncs: rows come in once, with where they came from, and nothing is overwritten."""
