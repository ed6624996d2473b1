"""Signatures are those of the Standard Webhooks specification, as its own library checks them."""

import json

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from goldsmith.storage import clock
from goldsmith.webhooks import signing

BODY = b'{"type":"job.succeeded","data":{"title":"Zug \xc3\xbcber \xe2\x82\xac"}}'


def now() -> int:
    return int(clock.now().timestamp())


def test_the_specifications_library_takes_what_we_sign() -> None:
    secret = signing.new_secret()
    headers = signing.headers_of(secret, "msg_1", now(), BODY)
    assert Webhook(secret).verify(BODY, headers) == json.loads(BODY)


@pytest.mark.parametrize("wrong", ["body", "id", "time", "secret", "old"])
def test_it_refuses_what_was_changed_on_the_way(wrong: str) -> None:
    secret, at = signing.new_secret(), now() - (600 if wrong == "old" else 0)
    headers = signing.headers_of(secret, "msg_1", at, BODY)
    changes = {"id": {"webhook-id": "msg_2"}, "time": {"webhook-timestamp": str(at + 1)}}
    verifier = Webhook(signing.new_secret() if wrong == "secret" else secret)
    body = BODY + b" " if wrong == "body" else BODY
    with pytest.raises(WebhookVerificationError):
        verifier.verify(body, headers | changes.get(wrong, {}))


def test_a_vector_of_the_specification() -> None:
    headers = signing.headers_of(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_no_two_secrets_are_equal() -> None:
    assert len({signing.new_secret() for _ in range(50)}) == 50
