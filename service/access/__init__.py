"""Who may do what, and where: sites, keys, sign-ins and share links."""
