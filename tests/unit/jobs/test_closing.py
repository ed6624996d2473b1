"""A home folder that is being closed, seen from the processes beside it."""

import signal
import subprocess
import sys

from goldsmith.jobs.closing import closing, is_closing
from goldsmith.storage.files import Home


def test_it_is_closing_only_while_somebody_closes_it(home: Home) -> None:
    assert not is_closing(home)
    with closing(home):
        assert is_closing(home)
    assert not is_closing(home)


def test_whoever_closes_it_and_is_killed_leaves_it_open(home: Home) -> None:
    program = (
        "import pathlib, sys, time\n"
        "from goldsmith.jobs.closing import closing\n"
        "from goldsmith.storage.files import Home\n"
        "with closing(Home(pathlib.Path(sys.argv[1]))): print('closed', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, home.root], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"closed\n"
        assert is_closing(home)
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert not is_closing(home)
