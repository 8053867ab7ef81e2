"""Articles of an Official Account that open a page of a link, so that their visits are known.

Source: linkage 12.
"""
