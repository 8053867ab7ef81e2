"""What becomes of a notice that WeChat refuses. Source: protocol 9.2, 11; linkage 2.4."""

from enum import Enum
from typing import Final

from tests.notices.makers import BIZSEND, TEMPLATE_SEND

# WeChat's own of another product, which the catalogue does not name.
UNKNOWN: Final = frozenset({41028, 41029})
TOKEN: Final = (40001, 40014, 42001)


class Then(Enum):
    """What becomes of a notice, of its consent, and of the audience that it belongs to."""

    SENT = "sent at once with a new token"
    WAITS = "sent again soon, the others of an audience meanwhile"
    ACCOUNT = "sent when such calls are let through again, like the others"
    PERSON = "failed; the others of an audience are sent"
    USED_UP = "failed, and the consents are written off; the others are sent"
    EVERYBODY = "failed; an audience is paused, and nobody of it is lost"


SENDING: Final[dict[str, dict[Then, tuple[int, ...]]]] = {
    BIZSEND: {
        Then.SENT: TOKEN,
        Then.WAITS: (-1, 43108, 44990),
        Then.ACCOUNT: (40013, 40164, 40166, 43104, 45009, 45011, 48001, 48004, 50001, 50002),
        Then.PERSON: (40003, 43004, 43019, 48002, 49003, 50005, 70000),
        Then.USED_UP: (43101,),
        Then.EVERYBODY: (
            *(40036, 40037, 40165, 41028, 41029, 41030, 43107, 43116, 45168, 47001, 47003),
        ),
    },
    TEMPLATE_SEND: {
        Then.SENT: TOKEN,
        Then.WAITS: (-1,),
        Then.ACCOUNT: (40013, 40166, 45009, 48001),
        Then.PERSON: (40003, 43004),
        Then.EVERYBODY: (40008, 40036, 40037, 40039, 40165, 40249, 43116, 47003),
    },
}
