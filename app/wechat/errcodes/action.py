"""What each errcode asks the service to do. Source: protocol 11."""

from enum import StrEnum


class Action(StrEnum):
    """What to do about an errcode. Source: protocol 11."""

    RETRY = "retry"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - an action's name, no secret
    WAIT = "wait"
    PERMANENT = "permanent"
    CONFIGURATION = "configuration"


_RETRY = {-1, 44990, 45011, 45066, 61450, 200001, 268487001, 268487002}


_REFRESH_TOKEN = {40001, 40014, 42001}


_WAIT = {43019, 43101, 44993, 45009, 45015, 45047, 48002, 61503, 61504, 85406}


_CONFIGURATION = {
    *(40002, 40013, 40036, 40037, 40125, 40164, 40166, 40168, 40200, 40243),
    *(43104, 43116, 45064, 48001, 48004, 48006, 48008),
    *(50001, 50002, 50004, 50007, 61004, 61007, 61016, 61024, 65400),
    *(85079, 85400, 85407, 85408, 89501, 89503, 89506, 89507),
}


# Of those to wait for: they stop an account, and not one follower.
_QUOTAS = {44993, 45009, 85406}


_ACTIONS = {
    **dict.fromkeys(_RETRY, Action.RETRY),
    **dict.fromkeys(_REFRESH_TOKEN, Action.REFRESH_TOKEN),
    **dict.fromkeys(_WAIT, Action.WAIT),
    **dict.fromkeys(_CONFIGURATION, Action.CONFIGURATION),
}


def action_for(errcode: int) -> Action:
    """Return what to do about a failed call. Errcodes that the table does not name are PERMANENT.

    errcode: not 0. 40007 (media) and 45065 (mass send already done) are PERMANENT here: their
    meaning depends on the call, so the caller looks at the errcode. Source: protocol 11.
    """
    return _ACTIONS.get(errcode, Action.PERMANENT)


def concerns_account(errcode: int) -> bool:
    """Return whether an errcode stops more than one message, so that an operator has to know."""
    action = action_for(errcode)
    return errcode in _QUOTAS or action not in {Action.WAIT, Action.PERMANENT}
