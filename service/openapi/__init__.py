"""The description of the HTTP API: `document.yaml`, the files in `paths/`, and the page that shows them."""
