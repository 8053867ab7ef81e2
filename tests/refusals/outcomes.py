"""What becomes of notices, requests and runs that WeChat refuses, by API and errcode.

Source: protocol 8, 9.2, 11; linkage 2.1, 2.4, 12.2.
"""

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


GETTEMPLATE: Final = "/wxaapi/newtmpl/gettemplate"
GET_ALL: Final = "/cgi-bin/template/get_all_private_template"
CREATE_TAG: Final = "/cgi-bin/tags/create"
RENAME_TAG: Final = "/cgi-bin/tags/update"
DELETE_TAG: Final = "/cgi-bin/tags/delete"
DRAFT: Final = "/cgi-bin/draft/add"

# The status of the answer of `/api`, by API and errcode. 200, 204: the refusal changes nothing.
ANSWERS: Final[dict[str, dict[int, tuple[int, ...]]]] = {
    # An account may have the right to one kind of templates alone.
    GETTEMPLATE: {200: (48001, 200011, 200100), 502: (-1, 200001), 429: (45009,)},
    GET_ALL: {200: (48001,), 502: (-1,), 429: (45009,)},
    CREATE_TAG: {409: (45056, 45157, 45158), 502: (-1, 48001), 429: (45009,)},
    RENAME_TAG: {409: (45058, 45157, 45158), 502: (-1, 45159), 429: (45009,)},
    DELETE_TAG: {204: (45159,), 409: (45057, 45058), 502: (-1,), 429: (45009,)},
    DRAFT: {
        502: (-1, 40007, 40114, 41039, 45003, 45004, 45166, 48001, 53404, 53405, 53406, 88000),
        429: (45009,),
    },
}


class Run(Enum):
    """What becomes of a run that tags people, one of which or all of which are refused."""

    PERSON = "one is named as refused, and the others are tagged"
    WAITS = "all are tagged later"
    ENDS = "it fails with WeChat's words"


TAGGING_RUN: Final[dict[Run, tuple[int, ...]]] = {
    Run.PERSON: (40003, 43004, 45059, 46004, 49003, 50005),
    Run.WAITS: (-1, 44990, 45009, 45011, 48001, 50002),
    Run.ENDS: (40032, 45159, 47001, 41028),
}
