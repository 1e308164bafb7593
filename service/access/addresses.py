"""Addresses of senders, as sockets and proxies write them."""

from __future__ import annotations

import ipaddress
import re

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Some gateways add the port: 192.0.2.1:4711, [2001:db8::1]:4711.
_WITH_PORT = re.compile(r"(\d+\.\d+\.\d+\.\d+):\d+|\[([^\]]*)\](?::\d+)?", re.ASCII)


def address_of(text: str) -> Address | None:
    """Return an address without its port, None for what is none. An address of IPv4 stays one in the form of IPv6."""
    if found := _WITH_PORT.fullmatch(text):
        text = found[1] or found[2]
    try:
        known = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (known.ipv4_mapped or known) if isinstance(known, ipaddress.IPv6Address) else known
