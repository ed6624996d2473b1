"""Goldsmith's parts inside another application: what a token of it may see and do, for one philosopher and domain."""
