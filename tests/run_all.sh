#!/bin/sh
# Everything, in the order of cost: quick tests, then what needs a browser, then real training and a real engine.
set -eu
python=.venv/bin/python
began=$(date +%s)
say() { printf '\n-- %s (after %s s)\n' "$1" "$(($(date +%s) - began))"; }

say "quick tests: no engine, no training, no network"
$python -m pytest -n 2 -q -m "not real and not browser and not long" --dist loadgroup

say "a Chromium for the pages (half a minute the first time)"
$python -m tests.chromium

say "the whole loop in a browser, and every page: by mouse, by keys, without JavaScript"
$python -m pytest -q -p no:xdist -m browser tests/browser

say "heavy environments and the model for the real tests (minutes the first time, kept in $GOLDSMITH_TEST_HOME)"
$python -m tests.real.prepare

say "the loop with real training and a real engine, one test at a time"
GOLDSMITH_REAL=1 $python -m pytest -q -p no:xdist -m real tests/real

say "all tests passed. Next: make demo"
