"""Writes small files in MaxMind's format: a binary tree of networks, and the record of each."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

# Marks where the metadata begins.
METADATA = b"\xab\xcd\xefMaxMind.com"
TEXT, MAP, LIST = 2, 7, 11
# The kinds of whole numbers, by their bytes.
WHOLE = {2: 5, 4: 6, 8: 9}
SWISS = {"country": {"iso_code": "CH"}, "subdivisions": [{"iso_code": "ZH"}]}


def mmdb(places: Mapping[str, Any], kind: str = "Test-City") -> bytes:
    """Return a file with the record of each network; none contains another."""
    nodes: list[list[int | None]] = [[None, None]]
    data = bytearray()
    for network, record in places.items():
        bits = _bits(network)
        node = 0
        for bit in bits[:-1]:
            if nodes[node][bit] is None:
                nodes.append([None, None])
                nodes[node][bit] = len(nodes) - 1
            node = nodes[node][bit] or 0
        # Negative until the number of nodes is known.
        nodes[node][bits[-1]] = -1 - len(data)
        data += _value(record)
    tree = b"".join(_record(value, len(nodes)) for node in nodes for value in node)
    about = {
        "node_count": len(nodes).to_bytes(4, "big"),
        "record_size": b"\0\x18",
        "ip_version": b"\0\6",
        "database_type": kind,
        "languages": ["en"],
        "binary_format_major_version": b"\0\2",
        "binary_format_minor_version": b"\0\0",
        "build_epoch": bytes(7) + b"\1",
        "description": {"en": "for a test"},
    }
    return tree + bytes(16) + bytes(data) + METADATA + _value(about)


def _bits(network: str) -> list[int]:
    found = ipaddress.ip_network(network)
    # Networks of IPv4 are the lowest ones of IPv6.
    number = int(found.network_address)
    length = found.prefixlen + (96 if found.version == 4 else 0)
    return [number >> (127 - place) & 1 for place in range(length)]


def _record(value: int | None, nodes: int) -> bytes:
    if value is None:
        value = nodes
    elif value < 0:
        value = nodes + 16 - 1 - value
    return value.to_bytes(3, "big")


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return _head(TEXT, len(value.encode())) + value.encode()
    if isinstance(value, bytes):  # a whole number
        return _head(WHOLE[len(value)], len(value)) + value
    if isinstance(value, list):
        return _head(LIST, len(value)) + b"".join(map(_value, value))
    return _head(MAP, len(value)) + b"".join(_value(name) + _value(each) for name, each in value.items())


def _head(kind: int, size: int) -> bytes:
    assert size < 29
    return bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])
