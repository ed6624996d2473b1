"""Static files under addresses that change with their content; the programs of others carry their licences."""

from goldsmith.web import assets


def test_an_address_carries_the_files_hash() -> None:
    assert assets.address("goldsmith.css").startswith("/static/goldsmith.css?v=")
    assert assets.address("goldsmith.css") != assets.address("goldsmith.js")


def test_the_programs_of_others_have_their_licence_beside_them() -> None:
    for name in ("htmx", "chart"):
        assert (assets.STATIC / "vendor" / f"{name}.LICENSE").is_file()
        assert name in (assets.STATIC / "vendor" / "README.md").read_text(encoding="utf-8")
