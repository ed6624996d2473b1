"""How an install shows where it stands, on a terminal and in a log."""

import io

from rich.console import Console

from goldsmith.cli.installing import shown

NUM_FILES = 95


def install_into(console: Console, *, is_quiet: bool = False) -> None:
    with shown(console, is_quiet=is_quiet) as report:
        report("Making an empty environment for trl", 0.02)
        for number in range(1, NUM_FILES + 1):
            report(f"Fetching part{number} 1.0 ({number} of {NUM_FILES})", number / NUM_FILES)
        report("Fetching torch: 196.4 MB, this takes a while", None)
        report("Fetching torch: 196.4 MB, this takes a while", None)


def test_a_log_gets_every_tenth_file_the_last_one_and_what_is_large() -> None:
    written = io.StringIO()
    install_into(Console(file=written, width=120))
    lines = written.getvalue().splitlines()
    assert [line.split()[2] for line in lines if "part" in line] == [*(f"part{n}" for n in range(10, 95, 10)), "part95"]
    assert lines[0].strip() == "2%  Making an empty environment for trl"
    assert lines[-1].strip() == "Fetching torch: 196.4 MB, this takes a while"
    assert len(lines) == 12


def test_a_terminal_gets_one_line_that_moves() -> None:
    written = io.StringIO()
    install_into(Console(file=written, width=120, force_terminal=True))
    lines = [line for line in written.getvalue().splitlines() if "Making" in line]
    assert len(lines) == 1
    assert written.getvalue().count("\n") <= 3


def test_a_program_gets_nothing() -> None:
    written = io.StringIO()
    install_into(Console(file=written), is_quiet=True)
    assert written.getvalue() == ""
