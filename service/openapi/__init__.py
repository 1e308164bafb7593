"""The HTTP API described: `document.yaml`, a file in `paths/` for each endpoint, and the page that shows them."""
