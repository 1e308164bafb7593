"""The names of properties that begin with $: the service sets them, and pages cannot.

Only the top of properties counts. An import and a server key may bring such names, because exports have them.
"""

from __future__ import annotations

import msgspec

from service.ingest.refusals import EventError, shown

OWN = "$"
# What the service adds to an event is never longer.
MOST_OWN_BYTES = 1_024
# The two ways in which JSON writes a name that begins with $.
_WRITTEN = ('"$', '"\\u0024')
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def refuse_own_names(properties: str | None) -> None:
    """Raise EventError when the JSON of an event's properties has a name of the service's own."""
    name = next(iter(_own(properties)), None) if properties else None
    if name is not None:
        raise EventError(
            "invalid_field",
            f"properties.{shown(name)}: names that begin with {OWN} are set by the service: leave it out, or send the"
            " event with a server key or by an import",
            f"properties.{shown(name)}",
        )


def own_bytes(properties: str) -> int:
    """Return how much room the service's own properties take of an object in JSON, at most MOST_OWN_BYTES."""
    # The quotes, the colon and a comma.
    taken = sum(len(name.encode()) + len(bytes(value)) + 4 for name, value in _own(properties).items())
    return min(taken, MOST_OWN_BYTES)


def _own(properties: str) -> dict[str, msgspec.Raw]:
    if not any(written in properties for written in _WRITTEN):
        return {}
    return {name: value for name, value in _members.decode(properties).items() if name.startswith(OWN)}


def with_members(properties: str | None, members: str) -> str | None:
    """Return an object in JSON with more members, the text of which may be empty."""
    if not members:
        return properties
    if properties is None or not properties[1:-1].strip():
        return f"{{{members}}}"
    return f"{properties[:-1]},{members}}}"
