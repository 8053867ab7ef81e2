"""Keyword rules: which replies a message or an event gets, and how operators edit these rules.

The sub-packages, from top to bottom (imports go down only): `http` (the API), `importing` (the
whole set as a document, the WeChat console's replies), `editing` and `explaining` and `conflicts`
beside the file `live` (the served set), `matching` (indexes), `definition` (what a rule is) and
`text` (normalised text and patterns).
"""
