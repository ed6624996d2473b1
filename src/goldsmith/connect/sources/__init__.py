"""Where rows come from: one kind of source a file, all with the same small protocol (`types.py`) and the same tests.

A source reads, and knows neither Goldsmith's database nor what becomes of its rows; `connect/syncing` keeps them.
"""
