-- Raises the version in rules_version, adds up there how many rules there are and what they take,
-- keeps in rules_changed the ids of the rules that this version changed, and sends NOTIFY
-- `oa_bridge_rules` with the version.
--
-- A TRUNCATE leaves no row in rules_changed, so that every process reads all rules again. The
-- triggers oa_bridge_rules_changed_insert, _update, _delete and _truncate call it.
CREATE OR REPLACE FUNCTION oa_bridge_rules_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    reached bigint;
    touched bigint[];
    more_rules bigint;
    more_keywords bigint;
    more_bytes bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(id), count(*), sum(keyword_count), sum(size_bytes)
        INTO touched, more_rules, more_keywords, more_bytes
        FROM rows_after, oa_bridge_rule_weight(CAST(ROW(rows_after.*) AS rules));
    ELSIF TG_OP = 'UPDATE' THEN
        SELECT array_agg(DISTINCT id), sum(sign), sum(sign * keyword_count), sum(sign * size_bytes)
        INTO touched, more_rules, more_keywords, more_bytes
        FROM (
            SELECT 1 AS sign, id, CAST(ROW(rows_after.*) AS rules) AS rule FROM rows_after
            UNION ALL
            SELECT -1, id, CAST(ROW(rows_before.*) AS rules) FROM rows_before
        ) AS both_sides, oa_bridge_rule_weight(rule);
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(id), -count(*), -sum(keyword_count), -sum(size_bytes)
        INTO touched, more_rules, more_keywords, more_bytes
        FROM rows_before, oa_bridge_rule_weight(CAST(ROW(rows_before.*) AS rules));
    END IF;
    IF TG_OP = 'TRUNCATE' THEN
        UPDATE rules_version
        SET version = version + 1, rule_count = 0, keyword_count = 0, size_bytes = 0
        RETURNING version INTO reached;
    ELSE
        UPDATE rules_version
        SET version = version + 1,
            rule_count = rule_count + coalesce(more_rules, 0),
            keyword_count = keyword_count + coalesce(more_keywords, 0),
            size_bytes = size_bytes + coalesce(more_bytes, 0)
        RETURNING version INTO reached;
        INSERT INTO rules_changed (version, rule_ids) VALUES (reached, coalesce(touched, '{}'))
        ON CONFLICT (version) DO UPDATE SET rule_ids = excluded.rule_ids;
    END IF;
    DELETE FROM rules_changed WHERE version <= reached - 2000;
    PERFORM pg_notify('oa_bridge_rules', reached::text);
    RETURN NULL;
END
$$;
