"""Programs that drive the service through generated clients; `tests/e2e` runs them."""
