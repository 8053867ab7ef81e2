"""The console's page about articles that open a mini-program: their HTML, and drafts at WeChat."""
