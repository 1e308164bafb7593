"""A service that the description of the API is tested on."""

from __future__ import annotations

import pytest

from tests.http.support.described import (
    TOLD_BY_BODY,
    WRITES,
    send,
)
from tests.http.support.site import Site


@pytest.fixture(scope="session")
def told(site: Site) -> Site:
    """Give a service that holds the examples of events and of saved objects."""
    for operation in [*WRITES, *TOLD_BY_BODY]:
        for name, content_type, value in operation.bodies:
            send(site, operation, content_type, value, name)
    return site
