"""Parameterised QR codes of Official Accounts: pictures that never end, and who came by them."""
