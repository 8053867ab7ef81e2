"""Tests of operators, sign-in links, sessions, API tokens and the audit log."""
