"""Pushes one document: makes it, delivers it, and shows the follower what comes back."""

from dataclasses import dataclass

from app.wechat.crypto import Format
from simulator import effects
from simulator.accounts import Account
from simulator.delivery import Attempt, Courier, Outcome
from simulator.documents import JsonObject, read, write
from simulator.envelopes import new_stamp, seal
from simulator.ledger import Entry, Kind
from simulator.push_request import PushRequest
from simulator.replies import Answer, Verdict, read_answer
from simulator.state import State


@dataclass(slots=True)
class Push:
    """A push under way. document: its members, {} when a raw one can't be read."""

    state: State
    account: Account
    openid: str
    text: str
    document: JsonObject
    entry: Entry
    deliveries: list[JsonObject]

    async def run(self) -> JsonObject:
        """Deliver, read the answer, show it; return the outcome as a control call answers it."""
        account, clock = self.account, self.state.clock
        courier = Courier(
            client=self.state.client,
            url=account.callback(),
            policy=account.delivery,
            new_stamp=lambda: new_stamp(clock.wall()),
            seal=lambda stamp: seal(self.text, account, self.openid, stamp),
            note=self.note,
        )
        last = await courier.deliver()
        answer = self.answer_to(last)
        self.show(answer)
        return self.outcome(answer)

    def note(self, attempt: Attempt) -> None:
        """Write one delivery to the ledger, with what its answer means."""
        answer = self.answer_to(attempt)
        facts = attempt.as_json() | {"answer": answer_facts(answer)}
        self.deliveries.append(facts)
        self.state.ledger.write(
            self.state.clock.now(),
            Kind.DELIVERY,
            self.account.appid,
            self.openid,
            push_id=self.entry.id,
            **facts,
        )

    def answer_to(self, attempt: Attempt) -> Answer:
        """Return what came back; no answer at all is malformed too."""
        if attempt.outcome is not Outcome.ANSWERED or attempt.status is None:
            return Answer(Verdict.MALFORMED, reason=attempt.outcome)
        return read_answer(attempt.status, attempt.body, self.account, attempt.stamp, self.document)

    def show(self, answer: Answer) -> None:
        """Put a passive reply, or the line of a failing account, into the chat."""
        if not effects.is_answerable(self.document):
            return
        follower = self.state.meet(self.account.appid, self.openid)
        if answer.verdict is Verdict.PASSIVE:
            msgtype, content = shown_reply(answer.reply)
            self.state.show(follower, "passive", msgtype, content, push_id=self.entry.id)
        elif answer.verdict is Verdict.MALFORMED:
            line = {"content": effects.UNAVAILABLE}
            self.state.show(
                follower, "system", "text", line, push_id=self.entry.id, reason=answer.reason
            )

    def outcome(self, answer: Answer) -> JsonObject:
        """Return the facts of a finished push."""
        return {
            "push_id": self.entry.id,
            "appid": self.account.appid,
            "openid": self.openid,
            "document": self.text,
            "deliveries": self.deliveries,
            "answer": answer_facts(answer),
        }


def begin(request: PushRequest, account: Account, state: State) -> Push:
    """Make the document and let the person's action take effect; nothing is sent yet."""
    account = request.adjusted(account)
    if request.document is not None:
        text, document = request.document, readable(request.document, account.format)
    else:
        now = int(state.clock.wall().timestamp())
        document = request.members(account.original_id, now, next(state.message_ids))
        text = write(document, account.format)
    openid = request.sender(document)
    entry = state.ledger.write(state.clock.now(), Kind.PUSH, account.appid, openid, document=text)
    act(document, openid, account, state)
    return Push(state, account, openid, text, document, entry, [])


def act(document: JsonObject, openid: str, account: Account, state: State) -> None:
    """Apply what the person did; who was never seen before is a follower from now on."""
    if not effects.is_personal(document):
        return
    is_new = openid not in state.followers[account.appid]
    follower = state.meet(account.appid, openid)
    if is_new:
        follower.follow(state.clock.now())
    effects.apply(document, follower, state.clock.now())
    effects.show_action(document, follower, state)


def readable(text: str, data_format: Format) -> JsonObject:
    """Return the members of a raw document, {} when it can't be read."""
    try:
        return read(text, data_format)
    except ValueError:
        return {}


def answer_facts(answer: Answer) -> JsonObject:
    """Return an answer as JSON."""
    return {
        "verdict": answer.verdict,
        "encrypted": answer.encrypted,
        "reply": answer.reply,
        "reason": answer.reason,
    }


def shown_reply(reply: JsonObject) -> tuple[str, object]:
    """Return the type of a passive reply and its content, named as customer-service ones are."""
    msgtype = str(reply["MsgType"])
    if msgtype == "text":
        return msgtype, {"content": reply["Content"]}
    envelope = ("ToUserName", "FromUserName", "CreateTime", "MsgType")
    return msgtype, {name: value for name, value in reply.items() if name not in envelope}
