"""How long browsers may keep static files."""

from tests.web.conftest import Site

from goldsmith.web import assets


def test_the_right_hash_is_kept_for_ever_and_any_other_asked_for_again(site: Site) -> None:
    client = site.client()
    assert client.get(assets.address("goldsmith.css")).headers["cache-control"] == assets.FOREVER
    for path in ("/static/goldsmith.css", "/static/goldsmith.css?v=old", "/static/goldsmith.css?v="):
        assert client.get(path).headers["cache-control"] == "no-cache", path
