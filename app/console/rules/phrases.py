"""The sentences with which the rules' own functions say what is wrong, or why, as messages."""

from typing import Final

from app import phrases
from app.console.messages import N_
from app.phrases import Translate

PHRASES: Final = (
    N_(
        "%(name)s: image %(content)s: its media id ends within 3 days; put the file into "
        "the media folder and add the reply"
    ),
    N_(
        "%(name)s: voice %(content)s: its media id ends within 3 days; put the file into "
        "the media folder and add the reply"
    ),
    N_(
        "%(name)s: video %(content)s: its media id ends within 3 days; put the file into "
        "the media folder and add the reply"
    ),
    N_(
        "%(name)s: sent one of %(number)s replies at random; the first one that can be "
        "imported is kept"
    ),
    N_("%(name)s: has no keyword that can be imported"),
    N_("%(name)s: has no reply that can be imported"),
    N_("%(name)s: %(number)s replies too many"),
    N_("%(name)s: %(number)s further articles; WeChat takes one now"),
    N_("%(name)s: news without articles"),
    N_("%(name)s: a keyword that is not text"),
    N_("%(name)s: a keyword that is blank"),
    N_("%(name)s: the keyword %(keyword)s: its match_mode %(mode)s is not known"),
    N_("%(name)s: a reply of the unknown type %(kind)s"),
    N_("%(name)s: a reply of the type %(kind)s: has no content"),
    N_("%(name)s: a rule with this name exists already and differs in %(fields)s"),
    N_("is missing: add it"),
    N_("is not known here: check its spelling, or remove it"),
    N_("needs %(name)s, which says what kind it is"),
    N_("%(name)s must be one of %(expected)s"),
    N_("must be one of %(expected)s"),
    N_("must be a text: put it in quotes"),
    N_("must be a whole number (an integer), without quotes"),
    N_("must be a number, without quotes"),
    N_("is too large a number: make it smaller"),
    N_("must be a finite number"),
    N_("must be a list: write it as [ … ]"),
    N_("must be an object: names with a value each"),
    N_("must be true or false, without quotes"),
    N_("must have at least %(number)s character: write something"),
    N_("must have at most %(number)s characters: shorten it"),
    N_("must have at least %(number)s: add one"),
    N_("must have at most %(number)s: remove some"),
    N_("must be more than %(number)s"),
    N_("must be %(number)s or more"),
    N_("must be less than %(number)s"),
    N_("must be %(number)s or less"),
    N_("must be a date and time with a time zone: write it like 2026-11-24T12:00:00+08:00"),
    N_("holds half of a character (a lone surrogate): type it again"),
    N_("is not an AppID (wx and 16 digits or letters a to f): copy it from the console"),
    N_(
        "is not an AppID (wx and 16 digits or letters a to f): copy it from the account's "
        "console page, or use null for every account"
    ),
    N_("must start with http:// or https:// and hold no blanks"),
    N_("can't be used: compare it with the description of this field under /docs"),
    N_("holds a NUL character: remove it"),
    N_("is blank: write at least one visible character"),
    N_("holds control characters: remove them"),
    N_("holds nothing that can be seen: write at least one visible character"),
    N_("lies outside of the media folder: name a file inside it"),
    N_("must be exactly one of file, url and media_id"),
    N_(
        "can't be uploaded while WeChat waits for a passive reply: name a media_id, or use "
        '"via": "customer_service"'
    ),
    N_(
        'WeChat has no passive reply with a mini-program card: use "via": '
        '"customer_service"; for an answer inside the response add a text with a '
        "mini-program link"
    ),
    N_("is not as in app.json: remove the leading slash"),
    N_("has %(size)s bytes, and at most %(most)s fit: shorten it"),
    N_("has %(size)s bytes, and WeChat takes %(most)s: shorten it"),
    N_("must be at most %(limit)s in news via %(via)s: remove the others"),
    N_("is missing: a video sent as a customer-service message needs a thumb"),
    N_("can't be shown, a passive video has no thumb: remove it"),
    N_(
        "is missing: music sent as a customer-service message needs title, description and musicurl"
    ),
    N_("is longer than %(number)s bytes, as no key of a menu is: shorten it"),
    N_('has a trigger of its own: use "on": "%(name)s"'),
    N_(
        "can't start with qrscene_, which WeChat puts before it and which is taken off: "
        "write what follows it"
    ),
    N_("can't stand beside %(name)s: remove one of them"),
    N_("match %(kind)s takes %(needed)s: remove this"),
    N_(
        "is not a regular expression that RE2 takes (%(reason)s): correct it, or use match "
        '"contains" for a plain word'
    ),
    N_(
        "is not a regular expression after normalisation, which removes characters such as "
        'the variation selector U+FE0F (%(reason)s): correct it, or use "raw": true'
    ),
    N_(
        "takes %(cost)s ms to search in a text of 4 KB, and %(most)s ms is the most: use "
        "smaller counts than in a{0,999}, or fewer of them"
    ),
    N_("is not a time of day: write it like 09:30"),
    N_("is not a time zone: write it like Asia/Shanghai or Europe/Berlin"),
    N_("is the same as start: a whole day is from 00:00 to 24:00"),
    N_("is below min_age_seconds, so that no follower matches: raise it"),
    N_("is not after from, so that the rule never answers: move it"),
    N_(
        "%(first)s and %(second)s are both passive, and WeChat takes one passive reply: give "
        'the others "via": "customer_service"'
    ),
    N_("must be empty: a follower who has just unfollowed can't be answered"),
    N_("is empty: add at least one reply"),
    N_(
        "can't be used here: an agent takes over messages, not events; answer with a text "
        "that asks the follower to write"
    ),
    N_(
        "has the placeholder %(name)s, which nothing fills: known are %(known)s; write {{ "
        "and }} for braces"
    ),
    N_("holds a single %(brace)s: write %(twice)s for the character itself"),
    N_("%(appid)s is not an account that receives messages here: use %(choice)s"),
    N_(
        "%(appid)s is not a mini-program that is configured here: correct it, or add it to "
        "ACCOUNTS_FILE or MINI_PROGRAM_APPIDS"
    ),
    N_("can't be sent: %(reason)s; shorten it"),
    N_("nothing is left of the text that can be seen once its placeholders are filled"),
    N_("its pagepath is longer than %(number)s bytes once it is filled"),
    N_("it is longer than %(number)s bytes once it is filled"),
    N_(
        "must be at most 1 in answer to a message, only events are answered with more: "
        "remove the others"
    ),
    N_(
        "holds %(name)s, and placeholders are filled only in the content of a text and the "
        "pagepath of a card: put it there, or remove it"
    ),
    N_(
        "is what WeChat sends in place of a sticker, and no keyword is compared with that: "
        'use the trigger {"on": "unsupported"}'
    ),
    N_("is not a plain file name: put the file itself into the media folder (MEDIA_DIR)"),
    N_("is a symbolic link: put the file itself into the media folder (MEDIA_DIR)"),
    N_("is not a regular file: put the file itself into the media folder (MEDIA_DIR)"),
    N_(
        "can't be read (%(reason)s): put the file itself into the media folder (MEDIA_DIR), "
        "or correct the name"
    ),
    N_("has %(size)s bytes, and at most %(most)s are taken: make it smaller"),
    N_("is not a JPEG, PNG, GIF, WebP or BMP file: save the picture in one of these formats"),
    N_("is cut off or damaged: save it again"),
    N_("has more than %(number)s pixels: make it smaller"),
    N_("can't be made small enough: make it smaller"),
    N_("is not a URL: write it as https://host/path"),
    N_("must start with https:// and name a host"),
    N_("must start with https:// (or set WEBHOOK_ALLOW_HTTP=true)"),
    N_("names a host that can't exist: write it as host.example.com, or as xn--…"),
    N_("must not hold a fragment (#…)"),
    N_("must not hold a user name or password: remove them"),
    N_("has a port that is not between 1 and %(number)s"),
    N_("names an address inside a network: use a public one (or set %(name)s_ALLOW_PRIVATE=true)"),
    N_("give either text or message"),
    N_("is not a time that WeChat could send: use one from 1970 to 9998"),
    N_("can't be read (%(reason)s): write the members as WeChat does, such as Event"),
    N_("it is switched off (enabled)"),
    N_("it is for another account, %(appid)s"),
    N_("%(number)s better rules answer, and no more may (RULES_MATCH_LIMIT)"),
    N_("it is a fallback, and rule %(id)s answers"),
    N_("rule %(id)s has the higher priority: %(high)s, not %(low)s"),
    N_("rule %(id)s is more specific: %(better)s goes before %(worse)s"),
    N_("rule %(id)s has the lower id"),
    N_("rule %(id)s has the smaller circle: %(small)s m, not %(large)s m"),
    N_("rule %(id)s has the longer keyword: %(long)s characters, not %(short)s"),
    N_("the facts about the follower can't be read at the moment"),
    N_("its period ended at %(edge)s, and it was %(moment)s"),
    N_("its period begins at %(edge)s, and it was %(moment)s"),
    N_("it answers from %(start)s to %(end)s on %(days)s, and it was %(moment)s"),
    N_("it answers from %(start)s to %(end)s, and it was %(moment)s"),
    N_("its share ends at %(share)s %%, and this follower is drawn at %(place)s %%"),
    N_("the follower has unfollowed, and it answers only followers"),
    N_("the follower has not unfollowed, and it answers only those who have"),
    N_("it is not known since when the follower follows"),
    N_("the follower has followed for %(age)s s, and it answers from %(least)s s on"),
    N_("the follower has followed for %(age)s s, and it answers up to %(most)s s"),
    N_("the follower has a known UnionID"),
    N_("the follower has no known UnionID"),
    N_("it answered this follower %(since)s s ago, and its cooldown is %(cooldown)s s"),
    N_("belongs to a share of %(share)s %% of followers"),
    N_("follows"),
    N_("has unfollowed"),
    N_("has followed for %(age)s s or longer"),
    N_("has followed for %(age)s s at most"),
    N_("has a known UnionID"),
    N_("has no known UnionID"),
    N_("was not answered by it within %(age)s s (cooldown)"),
    N_("it does not answer voice messages (voice)"),
    N_("the text is one of those that it excludes (not)"),
    N_("it compares exactly as typed (raw): width, case, blanks or punctuation differ"),
    N_('of its %(number)s keywords one is missing: "%(keyword)s"'),
    N_("only blanks, punctuation or symbols inside the text keep it from its keyword"),
    N_("the text says more than its keyword: %(long)s characters, not %(short)s"),
    N_("its keyword is not at the beginning, but %(number)s characters later"),
    N_("its keyword is not at the end, but %(number)s characters earlier"),
    N_('the text is only %(part)s of the %(whole)s characters of "%(keyword)s"'),
    N_("its pattern only matches the text as typed (raw), not the normalised text"),
    N_("its pattern is in the text, but not at the beginning (^)"),
    N_("its pattern is in the text, but not at the end ($)"),
    N_("the text says more than its pattern (^ and $)"),
    N_('the text has "%(literal)s", but not the rest of its pattern'),
    N_("a fallback answers messages, and this is an event"),
    N_("WeChat sends this text in place of a sticker, and no keyword is compared with it"),
    N_("%(distance)s m away, and its radius is %(radius)s m"),
    N_("the location is not given as degrees of latitude and longitude"),
    N_("it waits for the status %(wanted)s, and this was %(was)s"),
    N_("it waits for the template %(wanted)s, and this was %(was)s"),
    N_("it waits for the event %(wanted)s, and this was %(was)s"),
    N_("it waits for %(wanted)s, and there was none"),
    N_("it waits for %(wanted)s alone, and %(was)s goes on"),
    N_("letter case counts: it waits for %(wanted)s, and this was %(was)s"),
    N_("it waits for %(wanted)s, and only the first %(number)s characters of %(was)s agree"),
    N_("it waits for %(wanted)s, and this was %(was)s"),
    N_("can't be kept in the media folder (%(reason)s): let the service write into it"),
    N_(
        "there would be %(count)s rules, and there may be %(most)s: delete rules that nobody "
        "needs, or make one rule with several keywords of those that answer the same"
    ),
    N_(
        "the rules would have %(count)s keywords, and may have %(most)s: remove keywords that "
        "nobody needs, or replace those with a common part by that part"
    ),
    N_(
        "the rules would have %(count)s KiB, and may have %(most)s: shorten texts and keywords, or "
        "delete rules that nobody needs"
    ),
    N_("can't be kept: the media folder has %(number)s files; remove some"),
)


def in_language(sentence: str, translate: Translate) -> str:
    """Return a sentence in the operator's language; one that is not known stays as it is."""
    return phrases.in_language(sentence, PHRASES, translate)
