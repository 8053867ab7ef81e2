"""Notices: subscription notices and template messages, to single people and to audiences."""
