"""Finds the rules that answer a message, among a hundred thousand, without reading the database.

Everything here is pure and immutable: a set of rules is compiled once and then read by all
callbacks. The indexes are nested. Each level answers one question and asks the next one:

1. `rule_set`, RuleSet: which rules answer this message? It takes matching rules from its layers,
   best first, checks their conditions, and stops as soon as enough of them are certain. Only
   the rules up to that point are looked at.
2. `compiled_layer`, CompiledLayer: which rules of one compilation match, best first? It numbers
   its rules by precedence; this number is the rank, and 0 is the best. All indexes below hold
   ranks only, so that the best of several results is the lowest number. A message concerns two
   indexes at most: that of its account and that of the rules for every account.
3. `account_index`, AccountIndex: which triggers of one account match? It has one index for each
   way of matching: `text_index` for typed text, a second one for voice messages (of the triggers
   that have `voice`), `event_index`, `geo` and a list of the notification triggers.
4. - `text_index`, TextIndex: which text triggers match? It separates what is found in one pass
     from patterns and negated triggers.
   - `event_index`, EventIndex: which triggers have this event and key? One lookup, and one more
     for each length of prefix in use.
   - `geo`, CircleIndex: which circles contain this point? Only circles near its latitude are
     measured.
5. `keyword_index`, KeywordIndex: which plain keywords match? One lookup for `exact`, one for each
   length of `prefix` and `suffix` in use, and one pass over the text for all that is contained.
   The cost depends on the text, hardly on the number of rules.

A text is matched in three steps, because patterns cost more than keywords:

- hits: ranks that certainly match. They are found at once.
- candidates: ranks of patterns whose literal is in the text. Each pattern is searched only when
  its rank is reached, so a better rule that answers saves the search.
- deferred: what has no literal to look for (groups of patterns, negated triggers). Each entry
  names its lowest rank, and is run only when no better rank is left.

Incremental layers: compiling a hundred thousand rules takes about a second, so a change does not
compile them all. A RuleSet has a base layer, the rules that have changed since (`changes`), and a
second layer compiled from these (`newer`). Rules of the base that have changed are skipped, and
the results of both layers are merged by precedence. `incremental` makes the next set out of the
present one, and compiles everything again once there are many changes. `compile_valid` leaves out
rules that do not compile.

The other modules: `precedence` orders rules, `match_one` matches a single trigger without any
index, `check_conditions` checks conditions against `follower_facts`, and `render_replies` fills in
the replies of the rules that were chosen.
"""
