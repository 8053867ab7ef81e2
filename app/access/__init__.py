"""Who may do what: operators, their sign-in links and sessions, API tokens, the audit log."""
