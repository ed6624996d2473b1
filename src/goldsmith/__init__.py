"""Goldsmith: gold stars in, a better model out, and the proof beside it.

The loop:            data → models → serve → run → stars → train → compare → (data)
Who may import whom: cli > app > migrations > web, gateway > connect > webhooks > compare > train > stars > run >
                     serve > models > data > environments > jobs > people > storage > settings > wire, errors
Run, never imported: trainers
"""
