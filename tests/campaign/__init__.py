"""What faults cost: breaks the running service on purpose and compares what WeChat saw with it."""
