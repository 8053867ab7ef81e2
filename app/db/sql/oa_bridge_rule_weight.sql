-- Returns what one rule takes of the bounds of all rules: its keywords and the bytes of its JSON.
--
-- The trigger function oa_bridge_rules_changed adds it up in rules_version.
CREATE OR REPLACE FUNCTION oa_bridge_rule_weight(
    rule rules, OUT keyword_count bigint, OUT size_bytes bigint
) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE jsonb_typeof(rule.trigger -> 'keywords')
               WHEN 'array' THEN jsonb_array_length(rule.trigger -> 'keywords') ELSE 0
           END,
           octet_length(rule.name) + octet_length(CAST(rule.trigger AS text))
               + octet_length(CAST(rule.replies AS text))
               + coalesce(octet_length(CAST(rule.conditions AS text)), 0)
               + coalesce(octet_length(CAST(rule.utm AS text)), 0)
$$;
