"""Who may do what, and where: sites and keys."""
