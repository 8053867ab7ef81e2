"""The pages about alarms: what lasts and what is over, thresholds, receivers with a test."""
