import pytest

from app.wechat.errcodes import Action, action_for
from app.wechat.errors import ApiError, BadEnvelope, PushRefused

RETRY = [-1, 44990, 45011, 45066, 61450, 268487001, 268487002]
REFRESH_TOKEN = [40001, 40014, 42001]
WAIT = [43019, 43101, 44993, 45009, 45015, 45047, 48002, 61503, 61504, 85406]
CONFIGURATION = [
    *[40002, 40013, 40036, 40037, 40125, 40164, 40166, 40168, 40200, 40243, 43104, 43116],
    *[45064, 48001, 48004, 48006, 48008, 50001, 50002, 50004, 50007, 61004, 61007, 61016],
    *[61024, 65400, 85079, 85400, 85407, 85408, 89501, 89503, 89506, 89507],
]
PERMANENT = [
    *[40003, 40004, 40005, 40006, 40007, *range(40008, 40013), 40029, 40032, 40033, 40035],
    *[40038, 40039, 40066, 40163, 40165, 40212, 40225, 40226, 40249, 41001, 41002, 41004],
    *[41005, 41006, 41008, 41009, 42002, 42003, 42007, *range(43001, 43004), 43004, 43005],
    *[*range(44001, 44005), *range(45001, 45009), *range(45056, 45060), 45065, 45067],
    *[45072, 45080, 45081, *range(45157, 45160), *range(46001, 46005), 47001, 47003],
    *[49003, 50005, 61451, 61452, 61500, 61501, 65416, 65417, 70000, 76001, 76004, 76021],
    *[76022, 85401, 85402],
]
TABLE = [
    *((code, Action.RETRY) for code in RETRY),
    *((code, Action.REFRESH_TOKEN) for code in REFRESH_TOKEN),
    *((code, Action.WAIT) for code in WAIT),
    *((code, Action.CONFIGURATION) for code in CONFIGURATION),
    *((code, Action.PERMANENT) for code in PERMANENT),
]


@pytest.mark.parametrize(("errcode", "action"), TABLE)
def test_each_errcode_leads_to_the_action_of_the_protocol(errcode: int, action: Action) -> None:
    assert action_for(errcode) is action


def test_an_unknown_errcode_is_permanent() -> None:
    assert action_for(99999) is Action.PERMANENT


def test_errors_carry_facts() -> None:
    error = ApiError(45015, "response out of time limit rid: 1", Action.WAIT)

    assert (error.errcode, error.action) == (45015, Action.WAIT)
    assert "45015" in str(error)
    assert BadEnvelope("bad_padding").reason == "bad_padding"
    assert issubclass(BadEnvelope, PushRefused)
