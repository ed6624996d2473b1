"""Messages go to public hosts over https, and nowhere else unless somebody has named the host."""

import ipaddress

import pytest

from goldsmith.webhooks import addresses
from goldsmith.webhooks.errors import AddressNotAllowed

PUBLIC = "93.184.215.14"


def place(url: str, *ips: str, own: tuple[str, ...] = ()) -> addresses.Place:
    return addresses.place_of(url, own_hosts=own, look_up=lambda host, _: list(ips) or [host])


def test_a_public_host_is_taken_with_the_address_that_was_looked_at() -> None:
    found = place("https://example.com:8443/hook?a=b", PUBLIC)
    assert (found.ip, found.port, found.path, found.is_encrypted) == (PUBLIC, 8443, "/hook?a=b", True)
    assert found.host_header == "example.com:8443"
    assert place("https://example.com", PUBLIC).host_header == "example.com"


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "2002:7f00:1::", "64:ff9b::7f00:1", "2001:0:53aa:64c:0:1:80ff:fffe", "ff02::1",
    ],
)  # fmt: skip
def test_what_is_not_public_is_refused(ip: str) -> None:
    with pytest.raises(AddressNotAllowed):
        place("https://example.com/hook", ip)


def test_one_private_address_among_public_ones_is_enough() -> None:
    with pytest.raises(AddressNotAllowed):
        place("https://example.com/hook", PUBLIC, "10.0.0.1")


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "ftp://example.com", "file:///etc/passwd", "https://", "https://a:b@example.com/",
        "https://example.com/#x", "http://example.com/", "https://exa mple.com", "https://example.com:99999/",
        "https://[::1", "https://example.com/\r\nHost: x", "https://example.com/" + "x" * 2000, "gopher://127.0.0.1:6379/_",
    ],
)  # fmt: skip
def test_what_is_no_address_for_messages_is_refused(url: str) -> None:
    with pytest.raises(AddressNotAllowed):
        place(url, PUBLIC)


@pytest.mark.parametrize(
    "url", ["https://2130706433/", "https://127.1/", "https://0x7f.1/", "https://[::ffff:7f00:1]/"]
)
def test_loopback_in_other_words_is_refused(url: str) -> None:
    with pytest.raises(AddressNotAllowed):
        addresses.place_of(url)


def test_a_host_that_was_named_may_be_at_home_and_unencrypted() -> None:
    assert place("http://ci.local:8080/hook", "192.168.1.7", own=("CI.local",)).ip == "192.168.1.7"


def test_even_a_host_that_was_named_does_not_lead_to_the_machines_own_service() -> None:
    with pytest.raises(AddressNotAllowed):
        place("http://ci.local/hook", "169.254.169.254", own=("ci.local",))


def test_a_host_that_cannot_be_found_is_said() -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise OSError(host)

    with pytest.raises(AddressNotAllowed, match="cannot be found"):
        addresses.place_of("https://example.com/", look_up=nowhere)


def test_public_is_public() -> None:
    assert addresses.is_public(ipaddress.ip_address(PUBLIC))
    assert addresses.is_public(ipaddress.ip_address("2606:2800:21f:cb07:6820:80da:af6b:8b2c"))
