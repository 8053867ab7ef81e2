"""What every API of notices, tags and articles does with what WeChat refuses."""
