"""The operator's console: web pages for those who run an Official Account."""
