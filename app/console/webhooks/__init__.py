"""Pages of webhooks: the endpoints, one of them with its deliveries, its test and its replay."""
