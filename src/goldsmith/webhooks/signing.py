"""Signatures as the Standard Webhooks specification has them: HMAC-SHA256 over id, time and body. Pure.

>>> secret, message = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
>>> headers_of(secret, message, 1614265330, b'{"test": 2432232314}')["webhook-signature"]
'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
"""

import base64
import hashlib
import hmac
import secrets

SECRET_START = "whsec_"  # noqa: S105 - how a secret begins


def new_secret() -> str:
    """256 random bits, written as the specification wants it."""
    return SECRET_START + base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def headers_of(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """What goes with a message, so that the other side knows who sent it, and when."""
    key = base64.b64decode(secret.removeprefix(SECRET_START))
    signed = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }
