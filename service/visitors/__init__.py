"""What the service tells about visitors of pages, before it drops agent and address: `$browser` and others."""
