import time

from goldsmith.serve import bell
from goldsmith.storage.files import Home


def test_every_ring_is_heard(home: Home) -> None:
    heard = [bell.heard(home)]
    for _ in range(5):
        bell.ring(home)
        heard.append(bell.heard(home))
        time.sleep(0.011)
    assert heard[0] == 0
    assert len(set(heard)) == len(heard)


def test_nobody_else_can_ring(home: Home) -> None:
    bell.ring(home)
    assert (home.root / bell.NAME).stat().st_mode & 0o077 == 0
