"""The console's pages about QR codes: the list with its forms, and one code."""
