"""Pages of subscription notifications: figures, and who may still be sent to."""
