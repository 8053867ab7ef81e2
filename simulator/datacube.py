"""What WeChat counts of each account by day: what the simulator pushed, or what a test says."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta, timezone

from simulator.documents import JsonObject

SHANGHAI = timezone(timedelta(hours=8))
# The numbers of linkage 10.2; other messages have none.
MESSAGE_TYPES = {"text": 1, "image": 2, "voice": 3, "video": 4, "link": 6}
QR_CODE = 30
SEARCH = 1
Rows = list[dict[str, int]]


def day_of(moment: datetime) -> date:
    """Return the day in China."""
    return moment.astimezone(SHANGHAI).date()


class DatacubeStore:
    """The figures of all accounts. A control call can replace those of a day, or hold them back."""

    def __init__(self) -> None:
        self._counts: defaultdict[tuple[str, date], Counter[tuple[str, int]]] = defaultdict(Counter)
        self._said: dict[tuple[str, str, date], Rows] = {}
        self._held_back: set[tuple[str, date]] = set()

    def count(self, appid: str, document: JsonObject) -> None:
        """Count a push by its CreateTime, however often it is delivered."""
        try:
            moment = datetime.fromtimestamp(int(str(document.get("CreateTime"))), UTC)
        except (ValueError, OverflowError, OSError):
            return
        counts = self._counts[appid, day_of(moment)]
        counts["callback_count", 0] += 1
        event = str(document.get("Event", "")).lower()
        if event == "subscribe":
            came_by = str(document.get("EventKey") or "")
            counts["new_user", QR_CODE if came_by.startswith("qrscene_") else SEARCH] += 1
        elif event == "unsubscribe":
            counts["cancel_user", 0] += 1
        elif document.get("MsgType") in MESSAGE_TYPES:
            counts["msg_count", MESSAGE_TYPES[str(document["MsgType"])]] += 1

    def count_failure(self, appid: str, at: datetime) -> None:
        """Count a push that was not answered."""
        self._counts[appid, day_of(at)]["fail_count", 0] += 1

    def say(self, appid: str, call: str, day: date, rows: Rows) -> None:
        """Let a call answer these rows for a day, whatever was pushed."""
        self._said[appid, call, day] = rows

    def hold_back(self, appid: str, day: date, *, ready: bool = False) -> None:
        """Let a day not be ready, or be ready again."""
        if ready:
            self._held_back.discard((appid, day))
        else:
            self._held_back.add((appid, day))

    def is_held_back(self, appid: str, day: date) -> bool:
        """Tell whether a control call holds a day back."""
        return (appid, day) in self._held_back

    def rows(self, appid: str, call: str, day: date, followers: int) -> Rows:
        """Return the rows of a day. followers: the present number."""
        said = self._said.get((appid, call, day))
        if said is not None:
            return said
        counts = self._counts.get((appid, day), Counter())
        if call == "getusersummary":
            sources = sorted({key for name, key in counts if name in {"new_user", "cancel_user"}})
            return [
                {
                    "user_source": source,
                    "new_user": counts["new_user", source],
                    "cancel_user": counts["cancel_user", source],
                }
                for source in sources
            ]
        if call == "getusercumulate":
            return [{"cumulate_user": followers}]
        if call == "getupstreammsg":
            types = sorted(key for name, key in counts if name == "msg_count")
            return [
                {"msg_type": one, "msg_user": 1, "msg_count": counts["msg_count", one]}
                for one in types
            ]
        if call == "getinterfacesummary":
            total = counts["callback_count", 0]
            failed = counts["fail_count", 0]
            costs = {"total_time_cost": total * 20, "max_time_cost": 20 if total else 0}
            return [{"callback_count": total, "fail_count": failed, **costs}] if total else []
        return []
