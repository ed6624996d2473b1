"""Answers of runs that are shown where their rows came from, to whoever works on them there."""
