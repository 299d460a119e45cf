"""Who may do what: users, roles, sessions, tokens, and who did what."""
