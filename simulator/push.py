"""Pushes one document: makes it, delivers it, and shows the reply in the follower's chat."""

from dataclasses import dataclass

from app.wechat.crypto import Format
from simulator import effects
from simulator.accounts import Account
from simulator.delivery import Attempt, Delivery, Outcome
from simulator.documents import JsonObject, read, write
from simulator.envelopes import new_stamp, seal
from simulator.ledger import Entry, Kind
from simulator.push_request import PushRequest
from simulator.replies import Answer, Verdict, read_answer
from simulator.state import State


@dataclass(slots=True)
class Push:
    """A push that is being delivered. document: its members; {} if a raw one can't be read."""

    state: State
    account: Account
    openid: str
    text: str
    document: JsonObject
    entry: Entry
    deliveries: list[JsonObject]

    async def run(self) -> JsonObject:
        """Deliver, read the response and show it; return the outcome for the control call."""
        account, clock = self.account, self.state.clock
        delivery = Delivery(
            client=self.state.client,
            url=account.callback(),
            policy=account.delivery,
            new_stamp=lambda: new_stamp(clock.wall()),
            seal=lambda stamp: seal(self.text, account, self.openid, stamp),
            note=self.note,
        )
        last = await delivery.deliver()
        answer = self.answer_to(last)
        if last.outcome is not Outcome.ANSWERED:
            self.state.datacube.count_failure(account.appid, clock.now())
        self.show(answer)
        return self.outcome(answer)

    def note(self, attempt: Attempt) -> None:
        """Write one delivery to the ledger, with the meaning of its response."""
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
        """Return the meaning of the response; a missing response is malformed, too."""
        if attempt.outcome is not Outcome.ANSWERED or attempt.status is None:
            return Answer(Verdict.MALFORMED, reason=attempt.outcome)
        return read_answer(attempt.status, attempt.body, self.account, attempt.stamp, self.document)

    def show(self, answer: Answer) -> None:
        """Show in the chat a passive reply, or the line that WeChat shows for a failing account."""
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
        """Return the outcome of a finished push."""
        return {
            "push_id": self.entry.id,
            "appid": self.account.appid,
            "openid": self.openid,
            "document": self.text,
            "deliveries": self.deliveries,
            "answer": answer_facts(answer),
        }


def begin(request: PushRequest, account: Account, state: State) -> Push:
    """Make the document and apply the person's action; nothing is sent yet."""
    account = request.adjusted(account)
    if request.document is not None:
        text, document = request.document, readable(request.document, account.format)
    else:
        now = int(state.clock.wall().timestamp())
        document = request.members(account.original_id, now, next(state.message_ids))
        text = write(document, account.format)
    openid = request.sender(document)
    state.datacube.count(account.appid, document)
    entry = state.ledger.write(state.clock.now(), Kind.PUSH, account.appid, openid, document=text)
    act(document, openid, account, state)
    return Push(state, account, openid, text, document, entry, [])


def act(document: JsonObject, openid: str, account: Account, state: State) -> None:
    """Apply the action behind a push; a new person becomes a follower."""
    if not effects.is_personal(document):
        return
    is_new = openid not in state.followers[account.appid]
    follower = state.meet(account.appid, openid)
    if is_new:
        follower.follow(state.clock.now())
    effects.apply(document, follower, state.clock.now())
    for template_id, status in effects.decisions_of(document):
        state.notices.decide(account.appid, openid, template_id, status)
    effects.show_action(document, follower, state)


def readable(text: str, data_format: Format) -> JsonObject:
    """Return the members of a raw document; {} if it can't be read."""
    try:
        return read(text, data_format)
    except ValueError:
        return {}


def answer_facts(answer: Answer) -> JsonObject:
    """Return the meaning of a response as JSON."""
    return {
        "verdict": answer.verdict,
        "encrypted": answer.encrypted,
        "reply": answer.reply,
        "reason": answer.reason,
    }


def shown_reply(reply: JsonObject) -> tuple[str, object]:
    """Return the type and content of a passive reply, named as in customer-service messages."""
    msgtype = str(reply["MsgType"])
    if msgtype == "text":
        return msgtype, {"content": reply["Content"]}
    envelope = ("ToUserName", "FromUserName", "CreateTime", "MsgType")
    return msgtype, {name: value for name, value in reply.items() if name not in envelope}
