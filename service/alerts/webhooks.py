"""Posts messages to webhooks as JSON, signed as https://www.standardwebhooks.com describes.

`webhook-signature` is `v1,` and the HMAC-SHA256 of "id.timestamp.body" in base64, under the secret of the rule.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from importlib import import_module
from typing import Any

import msgspec

from service.alerts.errors import DeliveryFailed
from service.alerts.messages import Message
from sql import VERSION

# For the whole request, whatever the server does.
REQUEST_SECONDS = 20.0
PREFIX = "whsec_"
SECRET_BYTES = 32
TAKEN = range(200, 300)


def new_secret() -> str:
    """Return a new secret to sign with."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def body_of(message: Message, identity: str) -> bytes:
    """Return the body. `text` is what chats show that take such a post."""
    told = {"id": identity, **message.fields, "subject": message.subject, "text": f"{message.subject}\n{message.text}"}
    return msgspec.json.encode(told)


def signed_headers(body: bytes, identity: str, secret: str, at: datetime) -> dict[str, str]:
    """Return the headers that say which message it is, when it was sent, and who signed it."""
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.new(key, f"{identity}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": identity,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }


async def post(url: str, message: Message, identity: str, secret: str, at: datetime) -> None:
    """Post a message. Follows no redirect. Raises DeliveryFailed unless the answer is 2xx, in time."""
    body = body_of(message, identity)
    headers = {
        "content-type": "application/json",
        "user-agent": f"hourledger/{VERSION}",
        **signed_headers(body, identity, secret, at),
    }
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            status = await _status_of(url, body, headers)
    except TimeoutError as error:
        raise DeliveryFailed(f"the webhook has not answered within {REQUEST_SECONDS:g} s") from error
    if 300 <= status < 400:
        raise DeliveryFailed(
            f"the webhook answered {status}, and redirects are not followed: give the address it is at"
        )
    if status not in TAKEN:
        raise DeliveryFailed(f"the webhook answered {status}, not 2xx")


async def _status_of(url: str, body: bytes, headers: dict[str, str]) -> int:
    # In threads: the library takes a quarter of a second to load, and a client reads all trusted certificates.
    httpx: Any = await asyncio.to_thread(import_module, "httpx")
    client = await asyncio.to_thread(httpx.AsyncClient, follow_redirects=False, timeout=REQUEST_SECONDS)
    try:
        # The body of the answer is not read, because it may be endless.
        async with client, client.stream("POST", url, content=body, headers=headers) as answer:
            return int(answer.status_code)
    except httpx.HTTPError as error:
        # Not its text, which may hold the URL.
        raise DeliveryFailed(f"the webhook cannot be reached: {type(error).__name__}") from error
    except httpx.InvalidURL as error:
        raise DeliveryFailed("the URL of the webhook cannot be used") from error
