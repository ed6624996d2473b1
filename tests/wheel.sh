#!/usr/bin/env bash
# Goldsmith from a wheel: built, installed into an empty environment outside the checkout, started in an empty home; then
# the whole loop, by the commands of the tutorial, with the fakes that the wheel ships.
set -euo pipefail
cd "$(dirname "$0")/.."
checkout=$PWD
# Short, because SQLite and sockets live in it; outside the checkout, so that nothing is found by accident.
place=$(mktemp -d /tmp/goldsmith-wheel.XXXXXX)
up_pid=
clean_up() {
    if [ -n "$up_pid" ]; then kill -INT "$up_pid" 2>/dev/null || true; wait "$up_pid" 2>/dev/null || true; fi
    rm -rf "$place"
}
trap clean_up EXIT
say() { printf -- '-- %s (after %s s)\n' "$1" "$SECONDS"; }
fail() { printf 'FAILED: %s\n' "$1" >&2; [ ! -f "$place/up.log" ] || tail -n 30 "$place/up.log" >&2; exit 1; }

start() {
    setsid "${run[@]}" "$place/venv/bin/goldsmith" up >up.log 2>&1 &
    up_pid=$!
}
stop() {
    kill -INT "$up_pid"
    for _ in $(seq 150); do kill -0 "$up_pid" 2>/dev/null || break; sleep 0.1; done
    ! kill -0 "$up_pid" 2>/dev/null || fail "Ctrl-C did not stop it within 15 s"
    wait "$up_pid" || fail "it ended with exit code $?"
    up_pid=
    local left
    left=$(pgrep -a -f "^$place/venv" || true)
    [ -z "$left" ] || fail "processes are left: $left"
}

say "building the wheel"
.venv/bin/python -m build --wheel --no-isolation --outdir "$place/dist" . >"$place/build.log" 2>&1 || { cat "$place/build.log"; fail "no wheel"; }
wheel=$(ls "$place"/dist/*.whl)

say "looking into it: $(basename "$wheel"), $(du -k "$wheel" | cut -f1) kB"
.venv/bin/python tests/wheel_contents.py "$wheel"

say "installing it into an empty environment, at the pinned versions"
"$(.venv/bin/python -c 'import sys; print(sys._base_executable)')" -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint requirements.txt "$wheel" \
    2> >(grep -v '^WARNING: Location' >&2)

cd "$place"
# Nothing of the checkout and nothing of the caller's settings may leak in.
run=(env -i PATH=/usr/bin:/bin LANG=C.UTF-8 HOME="$place/user" GOLDSMITH_HOME="$place/user/home" HF_HUB_OFFLINE=1)
mkdir -p "$place/user"
read -r port engine_port < <("$place/venv/bin/python" - <<'PYTHON'
import socket
probes = [socket.socket() for _ in range(2)]
for probe in probes:
    probe.bind(("127.0.0.1", 0))
print(*(probe.getsockname()[1] for probe in probes))
PYTHON
)
run+=(GOLDSMITH_PORT="$port" GOLDSMITH_ENGINE_PORT="$engine_port")
where=$("${run[@]}" "$place/venv/bin/python" -c 'import goldsmith; print(goldsmith.__file__)')
case $where in "$place"/*) ;; *) fail "the installed package is not used: $where" ;; esac

say "the command line"
"${run[@]}" "$place/venv/bin/goldsmith" --help >help.txt
grep -q "Gold stars" help.txt || fail "no help"
key=$("${run[@]}" "$place/venv/bin/goldsmith" --json keys add "the wheel's test" | sed -E 's/.*"key": "([^"]+)".*/\1/')
[ -n "$key" ] || fail "no key"

# Three tries, because a start on a busy machine says more about the machine.
is_quick=
for try in 1 2 3; do
    say "goldsmith up, start $try"
    start
    code=0
    "$place/venv/bin/python" "$checkout/tests/wheel_answers.py" "http://127.0.0.1:$port" "$key" || code=$?
    [ "$code" = 0 ] || [ "$code" = 3 ] || fail "it did not answer as it should"
    stop
    [ "$code" = 3 ] || { is_quick=yes; break; }
done
if [ -z "$is_quick" ]; then
    load=$(cut -d' ' -f1 /proc/loadavg)
    # Speed is measured in benchmarks, never decided by a timed test on somebody's busy machine: it is said, loudly.
    say "NOT SHOWN: answering within 3 s. It was later three times, with a load of $load on $(nproc) cores"
fi

say "the loop with fakes: data, run, stars, training set, training, deploy, compare, default"
start
mkdir "$place/walk"
# -P: whatever is imported comes from the wheel, not from beside the script.
"${run[@]}" "$place/venv/bin/python" -P "$checkout/tests/tutorial.py" "$place/walk" || fail "the loop did not go all around"
stop
say "the wheel works${is_quick:+, and starts within 3 s}"
