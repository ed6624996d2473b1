"""Merged for speed: adapters added to their base's weights, on an engine of their own, proved and timed."""
