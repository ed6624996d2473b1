"""Conquests that are executed here: an eidos, candidates and a model in; answers out, kept where conquests live."""
