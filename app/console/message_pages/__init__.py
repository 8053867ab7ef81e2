"""The section "Messages and replies": the live list, one message, unanswered words, retries."""
