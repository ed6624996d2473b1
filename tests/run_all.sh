#!/bin/sh
# Everything, in the order of cost. A step that fails does not hold back the next ones, so one round shows all that is broken; it
# ends with 1 then. Each step is timed; at the end the times stand beside the budgets of tests/BUDGET.md.
set -eu
python=.venv/bin/python
times=$(mktemp)
failed=
# Thousands of databases are made and thrown away: in memory, where 4 GiB of it can be had, PostgreSQL makes one five times as fast.
memory=
if [ "$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print ($4 > 4194304) }')" = 1 ]; then
    memory=$(mktemp -d /dev/shm/goldsmith-tests-XXXXXX)
    chmod 755 "$memory"
fi
preparing=
prepared=
leave() {
    code=$?
    [ -z "$preparing" ] || kill "$preparing" 2>/dev/null || true
    $python -m tests.budget <"$times"
    rm -rf "$times" "$memory" "$prepared"
    exit "$code"
}
trap leave EXIT

# step NAME SENTENCE COMMAND...: NAME is the step's name in tests/BUDGET.md and in GOLDSMITH_TEST_STEP
step() {
    name=$1
    printf '\n-- %s: %s\n' "$name" "$2"
    shift 2
    began=$(date +%s)
    GOLDSMITH_TEST_STEP=$name "$@" || failed="$failed $name"
    [ -z "$memory" ] || rm -rf "$memory"/*
    printf '%s %s\n' "$name" "$(($(date +%s) - began))" >>"$times"
}

step quick "no engine, no training, no network; on SQLite" \
    env TMPDIR="${memory:-${TMPDIR:-/tmp}}" \
    $python -m pytest -n 3 -q --dist loadgroup -m "not real and not browser and not documents and not long and not postgresql"

step documents "the commands of the tutorial and of the how-tos, as they stand there, with the fakes" \
    $python -m pytest -q -n 0 -m documents tests/acceptance

step postgresql "the same tests, and the whole loop with the fakes, on PostgreSQL" \
    env GOLDSMITH_TEST_POSTGRESQL=1 TMPDIR="${memory:-${TMPDIR:-/tmp}}" \
    $python -m pytest -n 3 -q --dist loadgroup -m "postgresql and not real and not browser and not long"

step long "real processes that are killed, disks that are full at every write in turn, every route asked in many ways" \
    env GOLDSMITH_TEST_POSTGRESQL=1 \
    $python -m pytest -n 2 -q --dist loadgroup -m "long and not real and not browser and not documents"

# Environments are made beside the tests in the browser, which leave a core idle.
prepared=$(mktemp)
$python -m tests.real.prepare >"$prepared" 2>&1 &
preparing=$!
finish_preparing() {
    wait "$preparing" && code=0 || code=$?
    preparing=
    cat "$prepared"
    return "$code"
}

step browser "the whole loop in a browser, and every page: by mouse, by keys, without JavaScript" \
    sh -c "$python -m tests.chromium && $python -m pytest -q -p no:xdist -m browser tests/browser"

step prepare "heavy environments and the model (minutes the first time, kept in $GOLDSMITH_TEST_HOME)" \
    finish_preparing

step real "real training and a real engine, one test at a time" \
    $python -m pytest -q -p no:xdist -m real tests/real

if [ -n "$failed" ]; then
    printf '\n-- failed:%s\n' "$failed"
    exit 1
fi
printf '\n-- all tests passed. Next: make demo\n'
