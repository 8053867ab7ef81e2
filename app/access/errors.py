"""What can be wrong with a request about operators or tokens.

AccessError
├── InvalidName    the name can't be used
├── NameTaken      somebody or something else has the name
├── NotFound       there is none with this name or id
└── LastOwner      nobody could manage operators any more
"""


class AccessError(Exception):
    """The request can't be carried out; the message says why, and what to do."""


class InvalidName(AccessError):
    """The name is empty, too long, or has characters that can't be seen."""


class NameTaken(AccessError):
    """The name is in use."""


class NotFound(AccessError):
    """There is no such operator or token."""


class LastOwner(AccessError):
    """The last owner can be neither disabled nor given another role."""
