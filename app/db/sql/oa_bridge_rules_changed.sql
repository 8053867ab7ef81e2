-- Raises the version in rules_version, keeps in rules_changed the ids of the rules that this
-- version changed, and sends NOTIFY `oa_bridge_rules` with the version.
--
-- A TRUNCATE leaves no row in rules_changed, so that every process reads all rules again. The
-- triggers oa_bridge_rules_changed_insert, _update, _delete and _truncate call it.
CREATE OR REPLACE FUNCTION oa_bridge_rules_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    reached bigint;
    touched bigint[];
BEGIN
    UPDATE rules_version SET version = version + 1 RETURNING version INTO reached;
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(id) INTO touched FROM rows_after;
    ELSIF TG_OP = 'UPDATE' THEN
        SELECT array_agg(id) INTO touched
        FROM (SELECT id FROM rows_before UNION SELECT id FROM rows_after) AS both_sides;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(id) INTO touched FROM rows_before;
    END IF;
    IF TG_OP <> 'TRUNCATE' THEN
        INSERT INTO rules_changed (version, rule_ids) VALUES (reached, coalesce(touched, '{}'))
        ON CONFLICT (version) DO UPDATE SET rule_ids = excluded.rule_ids;
    END IF;
    DELETE FROM rules_changed WHERE version <= reached - 2000;
    PERFORM pg_notify('oa_bridge_rules', reached::text);
    RETURN NULL;
END
$$;
